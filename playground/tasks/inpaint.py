"""Inpaint: part of the image is hidden, and the network fills it from what is left."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.architectures.residual import Residual
from playground.data import Dataset
from playground.holes import KINDS, MIXED, draw
from playground.knobs import knob
from playground.layers import Stack
from playground.model import Autoencoder
from playground.tasks import Task, tasks
from playground.variants import Losses, Variant

GREY = 0.5  # the hole in pictures of what the network saw: black would pass for part of the image
FORMULAS = {  # of one image, over the pixels of one region
    "mse": r"{\left\| \hat{x} - x \right\|}_{%s}^2",
    "l1": r"{\left\| \hat{x} - x \right\|}_{1,%s}",
    "bce": r"\mathrm{CE}_{%s}(x, \hat{x})",
}
MEAN = r"\frac{1}{m}\sum_i\,"


@tasks.register("inpaint")
@dataclass(frozen=True)
class Inpaint(Task):
    """Context encoders' task (Pathak et al., CVPR 2016) with the hole as one more channel, as in Iizuka et al. 2017."""

    rank = 2
    title = "Inpaint"
    motto = "Part of the image is hidden: fill it from the rest."
    measured = "held-out PSNR in the hole"

    holes: str = knob("mixed", "What is hidden while it learns. Mixed: some of each.",
                      choices=(MIXED, *KINDS), label="Holes", live=True)
    share: float = knob(0.5, "Most of the area that a hole may hide. Larger: harder, more is made up.", low=0.05,
                        high=0.9, stops=(0.1, 0.25, 0.5, 0.75, 0.9), label="Hidden", live=True)
    rim: float = knob(0.5, "Extra weight of the hole's rim. Higher: fewer seams, a blurrier middle.", low=0.0,
                      high=100.0, stops=(0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0), label="Rim", symbol="κ", live=True)
    known: float = knob(0.05, "Weight of the pixels that were not hidden. Higher: it also learns to copy them.",
                        low=0.0, high=10.0, stops=(0.0, 0.01, 0.05, 0.1, 0.5, 1.0), label="Known", symbol="α",
                        live=True, rare=True)

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("inpaint",)

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        if architecture is not Residual:
            return {}
        return {"architecture": f"{architecture.name} sees a few pixels around a place only, too few to fill a hole, "
                                f"which is the task to {self.name}"}

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {
            "reconstruction": (MEAN + FORMULAS[loss] % "H", "error inside the hole H"),
            "rim": (r"\kappa\," + FORMULAS[loss] % "R", "at its rim R"),
            "known": (r"\alpha\," + FORMULAS[loss] % "K", "where it is known, K"),
        }

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        return architecture.build(shape, variant.code_activation, extra=1)

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str, data: Dataset) -> Inpainter:
        return Inpainter(*self.networks(architecture, variant, shape, data), architecture.output, loss)

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        count, _, height, width = x.shape
        return hidden(x, draw(self.holes, count, height, width, self.share, rng))

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        seen = self.see(x, variant, rng)
        hole = seen[:, -1:]
        errors = model.errors(model.encode(seen), x)
        yield "autoencoder", {
            "reconstruction": (errors * hole).flatten(1).sum(1),
            "rim": self.rim * (errors * rim(hole)).flatten(1).sum(1),
            "known": self.known * (errors * (1 - hole)).flatten(1).sum(1),
        }

    def counts(self, seen: Tensor) -> Tensor:
        return seen[:, -1:]

    def weights(self, seen: Tensor) -> Tensor:
        hole = seen[:, -1:]
        return hole + self.rim * rim(hole) + self.known * (1 - hole)

    def output(self, model: Autoencoder, code: Tensor, seen: Tensor) -> Tensor:
        return merged(super().output(model, code, seen), seen)

    def picture(self, seen: Tensor) -> Tensor:
        return seen[:, :-1] + GREY * seen[:, -1:]


class Inpainter(Autoencoder):
    """An autoencoder that is given images with a hole, and the hole as one more channel."""

    def encode(self, x: Tensor) -> Tensor:
        """As Autoencoder.encode, of what `hidden` makes of images, (B, c + 1, h, w), or of whole ones (B, c, h, w)."""
        whole = x.shape[1] == self.channels
        return super().encode(hidden(x, torch.zeros_like(x[:, :1], dtype=torch.bool)) if whole else x)

    @torch.no_grad()
    def fill(self, x: Tensor, hole: Tensor) -> Tensor:
        """Images x (B, c, h, w) in [0, 1] with their holes (B, 1, h, w), bool, filled; what is known stays as it is.

        What x holds inside the hole is not looked at. Networks with skip connections take images of any size.
        """
        seen = hidden(x, hole)
        return merged(self.decode(self.encode(seen)).clamp(0, 1), seen)


def hidden(x: Tensor, hole: Tensor) -> Tensor:
    """What the network is given: x (B, c, h, w), zero in the hole (B, 1, h, w), and the hole: (B, c + 1, h, w)."""
    return torch.cat([x.masked_fill(hole, 0.0), hole.to(x.dtype)], 1)


def merged(output: Tensor, seen: Tensor) -> Tensor:
    """The network's output inside the hole, and around it what was seen: (B, c, h, w)."""
    return torch.where(seen[:, -1:] > 0, output, seen[:, :-1])


def rim(hole: Tensor) -> Tensor:
    """The hole's pixels that touch a known one, diagonals included: zeros and ones (B, 1, h, w), as the hole."""
    return hole * F.max_pool2d(1 - hole, 3, stride=1, padding=1)
