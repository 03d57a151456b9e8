"""Compress: the image is given back from a code whose numbers are rounded to a few bits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.data import Dataset
from playground.knobs import knob
from playground.layers import Stack
from playground.layers.bounded import Bounded
from playground.losses import FORMULAS
from playground.model import Autoencoder
from playground.tasks import Task, tasks
from playground.variants import Losses, Variant


@tasks.register("compress")
@dataclass(frozen=True)
class Compress(Task):
    """Noise as wide as one step of rounding stands for it, since rounding has no gradient; each bit has its price.

    After Ballé, Laparra & Simoncelli (ICLR 2017). Here a code's numbers lie in [-1, 1], and for its bits stands the
    entropy of Gaussians as wide as they are.
    """

    rank = 5
    title = "Compress"
    motto = "A code of few bits: give back the image from numbers that are rounded."
    measured = "held-out PSNR, from the rounded code"

    bits: int = knob(4, "To how many bits each number is rounded. Fewer: smaller files, coarser codes.",
                     choices=(2, 3, 4, 5, 6, 8), label="Bits", live=True)
    price: float = knob(0.02, "What a bit costs. Higher: numbers that say little fall still and take no bits.",
                        low=0.0, high=100.0, stops=(0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
                        label="Price of a bit", symbol="λ", live=True)

    @property
    def step(self) -> float:
        """From one level to the next; 0 is a level, so of 2^bits one is left out."""
        return 2 / (2**self.bits - 2)

    def called(self, variant: Variant) -> str:
        return f"Compress, {self.bits} bits ×"

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("compress", "reconstruct")

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        if architecture.has_code:
            return {}
        return {"architecture": f"{architecture.name} has no code, which the task to {self.name} needs"}

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {
            "reconstruction": (FORMULAS[loss], "error from the code with noise"),
            "rate": (r"\lambda \sum_j \tfrac{1}{2}\log_2 \frac{2\pi e\,(\sigma_j^2 + \Delta^2/12)}{\Delta^2}",
                     "price of the bits"),
        }

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        encoder, decoder = architecture.build(shape, "linear")
        encoder.blocks[-1].activation = Bounded(architecture.code)
        return encoder, decoder

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        return x

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        last, bounded = model.encoder.blocks[-1], model.encoder.blocks[-1].activation
        assert isinstance(bounded, Bounded)
        free = last.linear(model.encoder[:-1](x).flatten(1))
        code = bounded.among(free)
        noise = torch.rand(code.shape, generator=rng, device=code.device) - 0.5
        error = model.reconstruction_error(code + self.step * noise, target)
        yield "autoencoder", {"reconstruction": error, "rate": self.price * self.rate(code)}
        bounded.remember(free.detach())

    def rate(self, code: Tensor) -> Tensor:
        """About how many bits an image of a batch of codes (B, k) takes: no less than the entropy where B is large."""
        width = code.var(0, unbiased=False) + self.step**2 / 12
        return (torch.log2(width * (2 * math.pi * math.e / self.step**2)) / 2).sum()

    def rounded(self, code: Tensor) -> Tensor:
        """Codes with each number at the nearest level, as `aec` rounds them."""
        return torch.round(code / self.step) * self.step

    def error(self, model: Autoencoder, code: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        return super().error(model, self.rounded(code), target, seen)

    def output(self, model: Autoencoder, code: Tensor, seen: Tensor) -> Tensor:
        return super().output(model, self.rounded(code), seen)
