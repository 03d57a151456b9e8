"""Reconstruct: the image is its own target, and the variant says what keeps the network from copying it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from playground.architectures import Architecture
from playground.data import Dataset
from playground.losses import FORMULAS
from playground.model import Autoencoder
from playground.tasks import Task, tasks
from playground.variants import Losses, Variant


@tasks.register("reconstruct")
@dataclass(frozen=True)
class Reconstruct(Task):
    """‖D(E(x)) - x‖² and what the variant adds to it."""

    rank = 1
    title = "Reconstruct"
    motto = "Give back the image itself, through the code."
    varied = True

    def called(self, variant: Variant) -> str:
        return variant.name.capitalize()

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("project", *(("denoise",) if variant.name == "denoising" else ()), "reconstruct", "compress")

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        if architecture.has_code:
            return {}
        return {"architecture": f"{architecture.name} has no code, which the task to {self.name} needs"}

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {"reconstruction": (FORMULAS[loss], variant.reconstruction_words), **variant.penalties}

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        return variant.see(x, rng)

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        return variant.losses(model, x, rng)
