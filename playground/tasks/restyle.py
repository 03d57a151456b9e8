"""Restyle: a photograph is given back as if painted; a classical filter says what that looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from playground.architectures import Architecture
from playground.data import Dataset
from playground.knobs import knob
from playground.losses import FORMULAS
from playground.metrics import PictureMeter
from playground.model import Autoencoder
from playground.painterly import BRUSHES, STYLES, painted
from playground.tasks import Task, tasks
from playground.variants import Losses, Variant


@tasks.register("restyle")
@dataclass(frozen=True)
class Restyle(Task):
    """Learning an image filter from pairs of before and after (Xu et al., ICML 2015; Chen, Xu & Koltun, ICCV 2017).

    The truth is made of each batch when it is needed: cheap beside a step. A patch counts up to its rim, being a
    picture itself: the network learns what the filter does at the rim of pictures too.
    """

    rank = 9
    title = "Restyle"
    motto = "Give the photograph back as if it were painted."
    usual, usual_data = "residual", "photos"
    numbered = False
    measured = "PSNR against the filter"

    style: str = knob("oil", "What it learns to paint: dabs of one colour, or those with dark lines over them.",
                      choices=STYLES)
    brush: int = knob(4, "How broad the dabs are. Broader: less detail is left.", choices=BRUSHES, unit="px")

    def called(self, variant: Variant) -> str:
        return f"Restyle, {self.style}"

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("restyle",)

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {"reconstruction": (FORMULAS[loss], "error of the painted image")}

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        found = {}
        if architecture.has_code:
            found["architecture"] = (f"{architecture.name} squeezes the image through a code, but the task to "
                                     f"{self.name} takes pictures of any size")
        if min(data.shape[1:]) < 2:
            found["data"] = "points of the plane are no pictures that could be painted"
        return found

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        return x

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        return super().losses(model, x, self.truth(target), variant, rng)

    def error(self, model: Autoencoder, code: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        return super().error(model, code, self.truth(target), seen)

    def truth(self, target: Tensor) -> Tensor:
        """What the filter makes of images (B, c, h, w) in [0, 1]."""
        images = target.detach().clamp(0, 1).mul(255).round().byte().cpu()
        made = torch.stack([torch.from_numpy(painted(image.numpy(), self.style, self.brush)) for image in images])
        return made.to(target.device).float().div(255)

    def squared_error(self, output: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        return super().squared_error(output, self.truth(target), seen)

    def meter(self) -> PictureMeter:
        return PaintedMeter(super().squared_error, self.truth)


class PaintedMeter(PictureMeter):
    """As PictureMeter, against what truth(target) says."""

    def __init__(self, squared_error: Callable[[Tensor, Tensor, Tensor], Tensor], truth: Callable[[Tensor], Tensor]):
        super().__init__(squared_error)
        self._truth = truth

    def update(self, output: Tensor, target: Tensor, seen: Tensor) -> None:
        super().update(output, self._truth(target), seen)
