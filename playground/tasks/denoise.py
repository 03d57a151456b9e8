"""Denoise: white noise of any strength is taken out of photographs; the network is told how strong it is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.data import Dataset
from playground.knobs import knob
from playground.layers import Stack
from playground.losses import FORMULAS
from playground.model import Autoencoder
from playground.tasks import Task, tasks
from playground.variants import Variant

LEVELS = 255  # grey levels: what σ is counted in
WAVELET = (-0.12940952255092145, -0.22414386804185735, 0.836516303737469, -0.48296291314469025)  # Daubechies' of four


@tasks.register("denoise")
@dataclass(frozen=True)
class Denoise(Task):
    """Residual denoising (DnCNN: Zhang et al. 2017) with the noise's level as one more channel (FFDNet: 2018)."""

    rank = 4
    title = "Denoise"
    motto = "White noise lies over the image: take it away, whatever its strength."
    usual = "residual"
    numbered = False

    least: float = knob(5.0, "The weakest noise it learns from, in grey levels of 255.", low=0.0, high=100.0,
                        stops=(0.0, 5.0, 10.0, 25.0, 50.0), label="Weakest", symbol="σ₀", live=True)
    most: float = knob(55.0, "The strongest noise it learns from, in grey levels of 255.", low=0.0, high=100.0,
                       stops=(10.0, 25.0, 55.0, 75.0, 100.0), label="Strongest", symbol="σ₁", live=True)

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("denoise",)

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {"reconstruction": (FORMULAS[loss], "error of the clean image")}

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        if architecture.has_code:
            return {"architecture": f"{architecture.name} squeezes the image through a code, which costs the detail "
                                    f"that the task to {self.name} must keep"}
        return {}

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        return architecture.build(shape, variant.code_activation, extra=1)

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str, data: Dataset) -> Denoiser:
        return Denoiser(*self.networks(architecture, variant, shape, data), architecture.output, loss)

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        low, high = sorted((self.least, self.most))
        share = torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device)
        sigma = (low + (high - low) * share) / LEVELS
        return told(x + sigma * torch.randn(x.shape, generator=rng, device=x.device), sigma)

    def picture(self, seen: Tensor) -> Tensor:
        return seen[:, :-1].clamp(0, 1)


class Denoiser(Autoencoder):
    """A network that is given noisy images, and the noise's level as one more channel; it takes any size."""

    def encode(self, x: Tensor) -> Tensor:
        """As Autoencoder.encode, of what `told` makes of images, (B, c + 1, h, w), or of images alone (B, c, h, w).

        Of those the level is estimated, each image by itself.
        """
        return super().encode(told(x, noise_level(x)) if x.shape[1] == self.channels else x)

    @torch.no_grad()
    def clean(self, x: Tensor, sigma: float) -> Tensor:
        """Images (B, c, h, w) with noise of a standard deviation of sigma, in units of their range, without it."""
        return self.decode(self.encode(told(x, torch.full_like(x[:, :1, :1, :1], sigma)))).clamp(0, 1)


def told(x: Tensor, sigma: Tensor) -> Tensor:
    """Images (B, c, h, w) and their noise's standard deviation (B, 1, 1, 1) as the network takes them."""
    return torch.cat([x, sigma.to(x).expand(-1, 1, *x.shape[2:])], 1)


def tells_noise(height: int, width: int) -> bool:
    """Whether images of that size hold a wavelet coefficient to estimate noise from: four pixels a side do."""
    return min(height, width) >= len(WAVELET)


def noise_level(x: Tensor) -> Tensor:
    """The standard deviation (B, 1, 1, 1) of white noise in images (B, c, h, w), as Donoho & Johnstone (1994) estimate.

    That is the median of the finest diagonal wavelet coefficients' absolute values over that of a standard Gaussian's.
    Images that tell nothing of it: 0.
    """
    if not tells_noise(*x.shape[2:]):
        return x.new_zeros(len(x), 1, 1, 1)
    high = x.new_tensor(WAVELET)
    planes = x.flatten(0, 1).unsqueeze(1)
    detail = F.conv2d(planes, (high[:, None] * high)[None, None], stride=2).view(len(x), -1)
    return (detail.abs().median(1).values / 0.6744897501960817).view(-1, 1, 1, 1)
