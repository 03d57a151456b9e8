"""Segment: every pixel is given its class, by a network that sees far and fine at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.architectures.unet import UNet
from playground.data import Dataset, ImageSet
from playground.knobs import knob
from playground.layers import Stack
from playground.model import Autoencoder
from playground.regions import RegionMeter, confusion, iou, one_hot, overlaid
from playground.tasks import Task, tasks
from playground.variants import Losses, Variant

SMOOTH = 1.0  # pixels added to both areas of Dice: a class that is nowhere costs little, and never divides by nothing


@tasks.register("segment")
@dataclass(frozen=True)
class Segment(Task):
    """Semantic segmentation by a U-Net (Ronneberger, Fischer & Brox 2015); soft Dice as in Milletari et al. 2016."""

    rank = 5
    title = "Segment"
    motto = "Say of every pixel what it belongs to."
    any_loss = False
    restores = False
    usual = "unet"
    usual_data = "shapes"
    numbered = False
    metric, measured = "iou", "held-out mean IoU"
    graded, unit = "IoU", "%"

    overlap: float = knob(1.0, "Weight of Dice's loss. Higher: small classes count as much as large ones.", low=0.0,
                          high=10.0, stops=(0.0, 0.1, 0.5, 1.0, 2.0, 5.0), label="Dice", symbol="λ", live=True)
    turned: bool = knob(True, "Images are mirrored and turned at random while it learns, and their masks with them.",
                        label="Mirror and turn", live=True)

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("segment",)

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        found = {}
        if architecture is not UNet:
            found["architecture"] = f"only the U-Net gives each pixel a class, which the task to {self.name} needs"
        if not data.mask_classes:
            found["data"] = f"the images of {data.title!r} have no masks, which the task to {self.name} learns"
        return found

    def targets(self, images: ImageSet) -> np.ndarray | None:
        return images.masks

    def curve_unit(self, loss: str) -> str:
        return "cross-entropy per pixel, nats, and Dice’s loss"

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {
            "cross-entropy": (r"-\frac{1}{n}\sum_j \log p_{j,y_j}", "of each pixel’s class"),
            # D is soft_dice below: spelt out it is too tall for a line
            "dice": (r"\lambda\,\Bigl(1 - \frac{1}{K}\sum_k D_k\Bigr)", "Dice’s, what is missing to full overlap"),
        }

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        assert isinstance(architecture, UNet)
        return architecture.build(shape, variant.code_activation, outputs=len(data.mask_classes))

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str, data: Dataset) -> Segmenter:
        return Segmenter(*self.networks(architecture, variant, shape, data))

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        return x

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        if self.turned:
            x, target = turned(x, target, rng)
        yield "autoencoder", self._terms(model, model.encode(x), target)

    def _terms(self, model: Autoencoder, code: Any, target: Tensor) -> dict[str, Tensor]:
        logits, target = model.decoder(code), target.long()
        return {
            "cross-entropy": F.cross_entropy(logits, target, reduction="none").flatten(1).mean(1),
            "dice": self.overlap * (1 - soft_dice(logits.softmax(1), target).mean(1)),
        }

    def error(self, model: Autoencoder, code: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        return torch.stack([*self._terms(model, code, target).values()]).sum(0)

    def output(self, model: Autoencoder, code: Tensor, seen: Tensor) -> Tensor:
        """Each class's probability, (B, k, h, w)."""
        return model.decode(code)

    def truth(self, target: Tensor) -> Tensor:
        return one_hot(target, max(2, int(target.max()) + 1))

    def shown(self, output: Tensor, x: Tensor) -> Tensor:
        # over the image in grey, since a thing's own colour and its class's make a third
        laid = overlaid(x.mean(1, keepdim=True), output.argmax(1))
        return laid if x.shape[1] == 3 else laid.mean(1, keepdim=True)

    def grades(self, output: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        classes = output.shape[1]
        counts = [confusion(said, true, classes) for said, true in zip(output.argmax(1), target, strict=True)]
        return 100 * iou(torch.stack(counts)).nanmean(-1).float()

    def meter(self) -> RegionMeter:
        return RegionMeter()


class Segmenter(Autoencoder):
    """A network whose decoder gives logits of each pixel's classes; of two, their difference alone counts."""

    restores = False

    def decode(self, code: Any) -> Tensor:
        """Each class's probability, (B, k, h, w); they add up to 1."""
        return self.decoder(code).softmax(1)


def soft_dice(probabilities: Tensor, target: Tensor) -> Tensor:
    """Dice's coefficient of probabilities (B, k, h, w) with classes (B, h, w), of each image and class: (B, k)."""
    true = one_hot(target, probabilities.shape[1])
    both, areas = ((maps.flatten(2)).sum(2) for maps in (probabilities * true, probabilities + true))
    return (2 * both + SMOOTH) / (areas + SMOOTH)


def turned(x: Tensor, target: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
    """Images (B, c, h, w) and masks (B, h, w), each pair mirrored and, if square, turned in one of all ways."""
    coins = torch.rand(3, len(x), generator=rng, device=x.device) < 0.5
    ways = [(-1,), (-2,)]
    for coin, way in zip(coins, ways):
        x = torch.where(coin.view(-1, 1, 1, 1), x.flip(way), x)
        target = torch.where(coin.view(-1, 1, 1), target.flip(way), target)
    if x.shape[-1] == x.shape[-2]:
        x = torch.where(coins[2].view(-1, 1, 1, 1), x.mT, x)
        target = torch.where(coins[2].view(-1, 1, 1), target.mT, target)
    return x, target
