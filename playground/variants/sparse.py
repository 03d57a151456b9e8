"""Sparse autoencoder: there may be many neurons, but few may be active at a time."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from playground.knobs import knob
from playground.losses import kl_sparsity
from playground.model import Autoencoder
from playground.variants import Losses, Variant, variants


@variants.register("sparse")
@dataclass(frozen=True)
class Sparse(Variant):
    """L + β Σ_l KL(ρ‖ρ̂_l), where ρ̂_l is neuron l's mean activation over the batch (Ng, CS294A notes, 2011)."""

    rank = 3
    motto = "Many neurons, few active at a time."
    penalties = {
        "sparsity": (r"\beta\sum_l \mathrm{KL}(\rho \,\|\, {\hat{\rho}}_l)", "sparsity penalty"),
    }

    rho: float = knob(0.05, "Average activation wanted. Lower: fewer neurons light up for each image.", low=0.001,
                      high=0.5, stops=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5), label="Target", symbol="ρ",
                      live=True)
    beta: float = knob(1.0, "How much sparsity counts. Higher: sparser, blurrier.", low=0.0, high=100.0,
                       stops=(0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0), label="Weight", symbol="β", live=True)

    @property
    def code_activation(self) -> str:
        return "sigmoid"

    def losses(self, model: Autoencoder, x: Tensor, rng: Generator) -> Losses:
        code = model.encode(x)
        rho_hat = code.mean(0)
        yield "autoencoder", {
            "reconstruction": model.reconstruction_error(code, x),
            "sparsity": self.beta * kl_sparsity(rho_hat, self.rho).sum(),
        }
