"""Tasks: what a network is given, what it is to give back, what counts. One file each; this folder is the registry."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.data import Dataset, ImageSet
from playground.layers import Stack
from playground.losses import UNITS
from playground.metrics import Meter, PictureMeter
from playground.model import Autoencoder
from playground.registry import Registry
from playground.variants import Losses, Variant

tasks = Registry("task")


class Task(ABC):
    """A frozen dataclass of knobs that says what a network is for; the trainer's one loop serves them all.

    title, motto: its name and one line for the page. varied, any_loss: whether the variant and the training's loss have
    a say; where they have none, an experiment holds the default one. restores: whether its answer is a picture. usual,
    usual_data: the architecture and the data set to begin with. numbered: whether the size of the code belongs to a
    run's name. metric, measured: which of its meter's figures is told first, and that in words. graded, unit: what the
    grade of one answer is, "dB" or "%".
    """

    name: str
    title: str
    motto: str
    varied = False
    any_loss = True
    restores = True
    usual = "dense"
    usual_data = "digits"
    numbered = True
    metric, measured = "psnr", "held-out PSNR"
    graded, unit = "PSNR", "dB"

    def called(self, variant: Variant) -> str:
        """What a network of this task is, in a word or two: the beginning of a run's title."""
        return self.title

    def ways(self, variant: Variant) -> tuple[str, ...]:
        """How a trained network can be used on any picture: of restorer.WAYS, or a name of `labelling`'s registry."""
        return ()

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        """Part -> why it has no use here, for a data set and an architecture; nothing where it has."""
        return {}

    def given(self, shape: Shape) -> Shape:
        """The size of what the network is given of images of `shape` (c, h, w), without channels that are added."""
        return shape

    def targets(self, images: ImageSet) -> np.ndarray | None:
        """What it learns to give, a row for each image of the set: labels, masks, boxes. None: the images themselves.

        Below, `target` is a batch of them, or of the images (B, c, h, w) in [0, 1] where there are none.
        """
        return None

    def favoured(self, targets: Tensor | None) -> Tensor | None:
        """Numbers of the training images that half of every batch is drawn from, by their targets; None: of all alike.

        They come last: of a batch of size b the last b // 2.
        """
        return None

    def at(self, share: float) -> Task:
        """The task as it is after a share of the run, 0 to 1: what its terms are may change on the way."""
        return self

    def curve_unit(self, loss: str) -> str:
        """What the curve's axis counts, in words; loss: "mse", "l1" or "bce"."""
        return UNITS[loss]

    @abstractmethod
    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        """The objective's terms, name -> (LaTeX, words); the error is first, "reconstruction" where it restores."""

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        """Encoder and decoder for images of `shape` (c, h, w); `data` says what their classes are."""
        return architecture.build(shape, variant.code_activation)

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str,
              data: Dataset) -> Autoencoder:
        """The network, its weights drawn from torch's global generator; loss: "mse", "l1" or "bce"."""
        return Autoencoder(*self.networks(architecture, variant, shape, data), architecture.output, loss)

    @abstractmethod
    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        """What the network is given of the images x (B, c, h, w) in [0, 1]."""

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        """Yield (side, terms) as Variant.losses does, the terms' names being those of `formulas`.

        Here the error alone, of what is made of what was seen.
        """
        code = model.encode(self.see(x, variant, rng))
        yield "autoencoder", {"reconstruction": model.reconstruction_error(code, target)}

    # What a screen and the held-out curve need of a model, all after `see` -------------------------------------------

    def counts(self, seen: Tensor) -> Tensor | None:
        """Where an error counts: (B, 1, h, w) of zeros and ones, or None for everywhere."""
        return None

    def weights(self, seen: Tensor) -> Tensor | None:
        """How much each value's error counts in the objective: (B, 1, h, w), or None where all count the same."""
        return self.counts(seen)

    def error(self, model: Autoencoder, code: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        """The held-out loss of each image, (B,); code is model.encode(seen)."""
        where = self.counts(seen)
        if where is None:
            return model.reconstruction_error(code, target)
        return (model.errors(code, target) * where).flatten(1).sum(1)

    def output(self, model: Autoencoder, code: Tensor, seen: Tensor) -> Tensor:
        """The finished answers: where it restores, images (B, c, h, w) in [0, 1]."""
        return model.decode(code).clamp(0, 1)

    def truth(self, target: Tensor) -> Tensor:
        """Targets as right answers would be, in the form of `output`."""
        return target

    def shown(self, output: Tensor, x: Tensor) -> Tensor:
        """Answers to images x as pictures to look at, (B, c, h, w) in [0, 1]."""
        return output

    def squared_error(self, output: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        """Mean squared error of each finished image where it counts, (B,): what its PSNR is of."""
        squared, where = (output - target).square(), self.counts(seen)
        if where is None:
            return squared.flatten(1).mean(1)
        return (squared * where).flatten(1).sum(1) / (where.flatten(1).sum(1) * target.shape[1]).clamp_min(1)

    def grades(self, output: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        """What each answer is worth, (B,), in `unit`."""
        return -10 * torch.log10(self.squared_error(output, target, seen).clamp_min(1e-10))

    def warm(self) -> None:  # noqa: B027 (most meters need nothing)
        """Import what the meter needs and takes seconds to; called aside, so that no run waits for it; here nothing."""

    def meter(self) -> Meter:
        """Takes in the answers to all held-out images, and tells what they are worth together."""
        return PictureMeter(self.squared_error)

    def picture(self, seen: Tensor) -> Tensor:
        """What the network was given as images to look at, (B, c, h, w)."""
        return seen


tasks.discover(sys.modules[__name__])
