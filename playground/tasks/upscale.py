"""Upscale: the image is given smaller than it was, and the network puts back the detail that was lost."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.architectures.residual import Residual
from playground.data import Dataset
from playground.knobs import knob
from playground.layers import Stack
from playground.losses import FORMULAS
from playground.model import Autoencoder
from playground.tasks import Task, tasks
from playground.variants import Variant

VIEWS = 8  # ways to turn and mirror an image
USUAL = {2: 1, 4: 2}  # views by scale: enlarging by four takes a quarter of the work for as large a result


@tasks.register("upscale")
@dataclass(frozen=True)
class Upscale(Task):
    """Single-image super-resolution (SRCNN: Dong et al. 2014), enlarged at the end as in Shi et al. 2016."""

    rank = 3
    title = "Upscale"
    motto = "The image is given smaller than it was: put back the detail that was lost."
    usual = "residual"
    numbered = False

    scale: int = knob(2, "How many times as high and as wide. More: less is given, more must be guessed.",
                      choices=(2, 4), label="Scale", symbol="×")

    def called(self, variant: Variant) -> str:
        return f"Upscale ×{self.scale}"

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("upscale",)

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {"reconstruction": (FORMULAS[loss], "error of the enlarged image")}

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        found = {}
        if architecture is not Residual:
            found["architecture"] = f"only the residual network enlarges, which the task to {self.name} needs"
        shape = data.shape
        if min(shape[1:]) < 2 * self.scale or shape[1] % self.scale or shape[2] % self.scale:
            found["data"] = f"images of {shape[2]} × {shape[1]} pixels cannot be made {self.scale} times smaller"
        return found

    def given(self, shape: Shape) -> Shape:
        return shape[0], shape[1] // self.scale, shape[2] // self.scale

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        assert isinstance(architecture, Residual)
        return architecture.build(self.given(shape), variant.code_activation, scale=self.scale)

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str, data: Dataset) -> Upscaler:
        return Upscaler(*self.networks(architecture, variant, shape, data), architecture.output, loss)

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        return shrunk(x, self.scale)

    def picture(self, seen: Tensor) -> Tensor:
        return F.interpolate(seen, scale_factor=self.scale, mode="nearest")  # as large as what it becomes


class Upscaler(Autoencoder):
    """A network whose images come out `scale` times as high and as wide as they went in; it takes any size."""

    @property
    def scale(self) -> int:
        return self.decoder.scale  # type: ignore[return-value]

    def prepared(self, x: Tensor) -> Tensor:
        return shrunk(x, self.scale)

    @torch.no_grad()
    def enlarge(self, x: Tensor, views: int = 0) -> Tensor:
        """Images (B, c, h, w) in [0, 1] to (B, c, scale·h, scale·w) in [0, 1].

        views: of how many ways to turn and mirror the image the mean is taken, each turned back (EDSR+: Lim et al.
        2017), at most VIEWS: more is finer, for as many times the work; 0: as many as are usual.
        """
        views = views or USUAL[self.scale]
        made = [_turned(self.decode(self.encode(_turned(x, view))), view, back=True) for view in range(views)]
        return torch.stack(made).mean(0).clamp(0, 1) if views > 1 else made[0].clamp(0, 1)


def _turned(x: Tensor, view: int, back: bool = False) -> Tensor:
    """Images (B, c, h, w), turned by a quarter view // 2 times, every second view mirrored; back: undone."""
    quarters, mirrored = view // 2, view % 2 == 1
    if back:
        return torch.rot90(x.flip(3) if mirrored else x, -quarters, (2, 3))
    x = torch.rot90(x, quarters, (2, 3))
    return x.flip(3) if mirrored else x


def shrunk(x: Tensor, scale: int) -> Tensor:
    """Images (B, c, h, w) in [0, 1], `scale` times smaller by bicubic interpolation over as many pixels, in 8 bits."""
    small = F.interpolate(x, scale_factor=1 / scale, mode="bicubic", antialias=True, align_corners=False)
    return small.clamp(0, 1).mul(255).round().div(255)
