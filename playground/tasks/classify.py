"""Classify: an encoder learns from images, and a small classifier says from its codes what they show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from playground.architectures import Architecture, Shape
from playground.data import Dataset, ImageSet
from playground.knobs import knob
from playground.layers import Stack
from playground.layers.dense import DenseBlock
from playground.metrics import Counted
from playground.model import Autoencoder
from playground.tasks import Task, tasks
from playground.variants import Losses, Variant

PRETRAINED = 0.01  # weight of the images before the labels reach the encoder; any is the same to Adam
DISTANCE = r"\frac{1}{m}\sum_i d(x_i, \hat{x}_i)"  # whichever loss it is: the classes' formula takes the room
WAYS = ("probe", "fine-tuned", "pixels")


@tasks.register("classify")
@dataclass(frozen=True)
class Classify(Task):
    """Cross-entropy of a classifier on the code, beside the autoencoder's own objective (Bengio et al., NIPS 2006).

    The images of which the labels are known are few and the others many: half of every batch is drawn from all images,
    of which the autoencoder learns, and half from the labelled ones, of which the classifier does.
    """

    rank = 6
    title = "Classify"
    motto = "Say what an image shows, by its code."
    varied = True
    restores = False
    usual = "convolutional"
    metric, measured = "accuracy", "held-out accuracy"
    graded, unit = "P(true)", "%"

    way: str = knob("probe", "What shapes the code. Probe: images alone. Fine-tuned: later the labels too. Pixels: "
                    "labels alone, no reconstruction.", choices=WAYS, label="Learns by")
    labels: int = knob(10, "Labelled images of each class; 0: all. Fewer: the more the code is worth.", low=0,
                       high=100_000, stops=(0, 10, 30, 100, 300, 1000), label="Labels per class")
    hidden: int = knob(128, "Units between the code and the classes; 0: a linear classifier.", low=0, high=2048,
                       stops=(0, 32, 64, 128, 256, 512), rare=True, label="Classifier's units")
    pretraining: float = knob(0.5, "Share of the run before the labels reach the encoder.", low=0.0, high=1.0,
                              stops=(0.0, 0.25, 0.5, 0.75), rare=True, when=("way", ("fine-tuned",)))
    images: float = knob(0.01, "What the images count once the labels shape the code. Higher: holds it to them; 0: "
                         "left out.", low=0.0, high=100.0, stops=(0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
                         label="Weight of the images", symbol="γ", rare=True, when=("way", ("fine-tuned",)))
    shift: int = knob(0, "Labelled images are moved at random by up to so many pixels. Higher: fewer labels do.",
                      low=0, high=16, stops=(0, 1, 2, 3, 4), rare=True, unit="px")

    def called(self, variant: Variant) -> str:
        return {"probe": "Probe", "fine-tuned": "Fine-tuned", "pixels": "From pixels"}[self.way]

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("classify",)

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        found = {}
        if not architecture.has_code:
            found["architecture"] = f"{architecture.name} has no code, which the task to {self.name} needs"
        if len(data.classes) < 2:
            what = "are all of one class" if data.classes else "have no labels"
            found["data"] = f"its images {what}, so there is nothing to {self.name}"
        return found

    def targets(self, images: ImageSet) -> np.ndarray:
        """(m, classes) float32, 1 at the label; zeros for training images beyond the first `labels` of each class."""
        told = np.eye(len(images.classes), dtype=np.float32)[images.labels]
        if self.labels:
            for number in range(len(images.classes)):
                told[images.train[images.labels[images.train] == number][self.labels :]] = 0
        return told

    def favoured(self, targets: Tensor | None) -> Tensor | None:
        return torch.nonzero(targets.any(1)).flatten() if self.labels and targets is not None else None

    def at(self, share: float) -> Classify:
        if self.way == "probe" or self.way == "fine-tuned" and share < self.pretraining:
            return replace(self, way="probe", images=self.images or PRETRAINED)
        return self

    def curve_unit(self, loss: str) -> str:
        return "cross-entropy per image, nats"

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        known = r"i \le n" if self.labels else "i"
        found = {"classes": (rf"-\frac{{1}}{{n}}\sum_{{{known}}} \log p(y_i)", "error of the classes")}
        if self.way == "pixels":
            return found
        parts = {"reconstruction": (DISTANCE, variant.reconstruction_words), **variant.penalties}
        return found | {name: (rf"\gamma\, {latex}", words) for name, (latex, words) in parts.items()}

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        """The encoder, and the classifier on its code."""
        encoder, _ = architecture.build(shape, variant.code_activation)
        return encoder, self._classifier(architecture.code, len(data.classes))

    def _classifier(self, code: int, classes: int) -> Stack:
        if not self.hidden:
            return Stack(DenseBlock(code, (classes,), "linear"))
        return Stack(DenseBlock(code, (self.hidden,), "relu"), DenseBlock(self.hidden, (classes,), "linear"))

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str,
              data: Dataset) -> Classifier:
        encoder, decoder = architecture.build(shape, variant.code_activation)
        classifier = self._classifier(architecture.code, len(data.classes))
        return Classifier(encoder, classifier, None if self.way == "pixels" else decoder, architecture.output, loss)

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        return x

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        known = slice(len(x) - len(x) // 2, None) if self.labels else slice(None)  # as Batches mixes them
        seen, labels = moved(x[known], self.shift, rng), target[known]
        if self.way == "pixels":
            yield "autoencoder", {"classes": cross_entropy(model, model.encode(seen), labels)}
            return
        with torch.set_grad_enabled(self.way == "fine-tuned" and torch.is_grad_enabled()):
            code = model.encode(seen)
        error = cross_entropy(model, code, labels)
        if not self.images:
            names = [*self.formulas(variant, model.loss)][1:]
            yield "autoencoder", {"classes": error} | {name: error.new_zeros(1) for name in names}
            return
        images = x[: len(x) - len(x) // 2] if self.labels else x
        for side, terms in variant.losses(model, images, rng):
            yield side, {"classes": error} | {name: self.images * term for name, term in terms.items()}

    def error(self, model: Autoencoder, code: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        return cross_entropy(model, code, target)

    def output(self, model: Autoencoder, code: Tensor, seen: Tensor) -> Tensor:
        """Probabilities (B, classes)."""
        return model.decode(code)

    def grades(self, output: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        return 100 * (output * target).sum(1)

    def meter(self) -> Counted:
        return Counted()

    def shown(self, output: Tensor, x: Tensor) -> Tensor:
        return bars(output, x)


class Classifier(Autoencoder):
    """An encoder whose decoder tells classes: codes (B, k) to probabilities (B, classes).

    mirror: the decoder of the autoencoder beside it, back to images; None where the encoder learns from labels alone.
    """

    restores = False

    def __init__(self, encoder: Stack, decoder: Stack, mirror: Stack | None, output: str, loss: str):
        super().__init__(encoder, decoder, output, loss)
        self.mirror: nn.Module | None = mirror

    def decode(self, code: Tensor) -> Tensor:
        return self.decoder(code).softmax(1)

    def raw(self, code: Tensor) -> Tensor:
        assert self.mirror is not None
        return self.mirror(code)


def cross_entropy(model: Autoencoder, code: Tensor, labels: Tensor) -> Tensor:
    """-log p of each label, (B, classes) with a 1 at it, in nats: (B,); a single 0 where there is none."""
    if not len(labels):
        return code.new_zeros(1)
    return F.cross_entropy(model.decoder(code), labels, reduction="none")


def moved(x: Tensor, most: int, rng: Generator) -> Tensor:
    """Images (B, c, h, w), each moved down and to the right by -most to most whole pixels; what comes in is 0."""
    if not most or not len(x):
        return x
    count, channels, height, width = x.shape
    down, right = torch.randint(0, 2 * most + 1, (2, count, 1), generator=rng, device=x.device)
    rows = (down + torch.arange(height, device=x.device))[:, None, :, None]
    columns = (right + torch.arange(width, device=x.device))[:, None, None, :]
    one = torch.arange(count, device=x.device)[:, None, None, None]
    return F.pad(x, (most,) * 4)[one, torch.arange(channels, device=x.device)[:, None, None], rows, columns]


def bars(output: Tensor, x: Tensor) -> Tensor:
    """Probabilities (B, classes) as upright bars, the first class at the left, as large as images x (B, c, h, w)."""
    _, channels, height, width = x.shape
    columns = (torch.arange(width, device=x.device) * output.shape[1]).div(width, rounding_mode="floor")
    floor = torch.arange(height - 1, -1, -1, device=x.device)
    filled = (height * output[:, None, columns] - floor[:, None]).clamp(0, 1)
    return filled[:, None].expand(-1, channels, -1, -1)
