"""Retrieve: the image goes through a code of nearly binary entries, whose bits find its like among very many."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.data import Dataset
from playground.knobs import knob
from playground.layers import Stack
from playground.losses import FORMULAS
from playground.model import Autoencoder
from playground.tasks import Task, tasks
from playground.variants import Losses, Variant


@tasks.register("retrieve")
@dataclass(frozen=True)
class Retrieve(Task):
    """Semantic hashing (Salakhutdinov & Hinton, IJAR 50(7), 2009): ‖D(σ(a + ε)) - x‖², a = E(x), ε ~ N(0, noise²).

    Noise before the sigmoid drowns every entry that is not far from zero: to get anything through, the encoder has to
    make its entries large, so that the code is nearly 0 or 1. Its bits are a > 0; images are alike where few differ.
    The noise is drawn anew for every step, where the paper kept one draw for each image.
    """

    rank = 7
    title = "Retrieve"
    motto = "Nearly binary codes, whose bits find the image's like among very many."

    noise: float = knob(2.0, "Noise before the code's sigmoid. More: closer to bits, and less gets through.", low=0.0,
                        high=16.0, stops=(0.0, 0.5, 1.0, 2.0, 4.0, 8.0), label="Noise in the code", symbol="σ",
                        live=True)

    def called(self, variant: Variant) -> str:
        return "Hashing"

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("retrieve", "project", "reconstruct")

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {"reconstruction": (FORMULAS[loss], "error through the noisy code")}

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        if architecture.has_code:
            return {}
        return {"architecture": f"{architecture.name} has no code, which the task to {self.name} needs"}

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        return architecture.build(shape, "sigmoid")

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str, data: Dataset) -> Hasher:
        return Hasher(*self.networks(architecture, variant, shape, data), architecture.output, loss)

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        return x

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        assert isinstance(model, Hasher)
        before = model.before(x)
        noise = torch.randn(before.shape, generator=rng, device=before.device)
        code = torch.sigmoid(before + self.noise * noise)
        yield "autoencoder", {"reconstruction": model.reconstruction_error(code, target)}


class Hasher(Autoencoder):
    """An autoencoder whose code's entries lie between 0 and 1, most of them at an end: `code > 0.5` are its bits."""

    def before(self, x: Tensor) -> Tensor:
        """What the code's sigmoid is given of images (B, c, h, w), (B, k)."""
        *hidden, last = self.encoder.blocks
        for block in hidden:
            x = block(x)
        return last.linear(x.flatten(1))
