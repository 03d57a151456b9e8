"""Undercomplete autoencoder: fewer code entries than pixels, and nothing else that constrains."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from playground.model import Autoencoder
from playground.variants import Losses, Variant, variants


@variants.register("undercomplete")
@dataclass(frozen=True)
class Undercomplete(Variant):
    """Only the bottleneck restricts; linear and with squared error it finds PCA's subspace (Baldi & Hornik 1989)."""

    rank = 1
    motto = "Only the narrow code holds it back."

    def losses(self, model: Autoencoder, x: Tensor, rng: Generator) -> Losses:
        yield "autoencoder", {"reconstruction": model.reconstruction_error(model.encode(x), x)}
