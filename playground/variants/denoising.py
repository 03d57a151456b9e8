"""Denoising autoencoder: noise goes in, the clean image is the target."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from playground.corruption import CORRUPTIONS
from playground.knobs import knob
from playground.model import Autoencoder
from playground.variants import Losses, Variant, variants


@variants.register("denoising")
@dataclass(frozen=True)
class Denoising(Variant):
    """‖D(E(x̃)) - x‖² with x̃ ~ P(x̃ | x) (Vincent, Larochelle, Bengio & Manzagol, ICML 2008)."""

    rank = 4
    motto = "Noise goes in, the clean image is the target."
    reconstruction_words = "error against the clean image"

    kind: str = knob("gaussian", "How the input is spoilt before the encoder sees it.", choices=tuple(CORRUPTIONS),
                     label="Noise", live=True)
    level: float = knob(0.3, "How strong the noise is. Higher: harder to undo, stronger features.", low=0.0, high=1.0,
                        stops=(0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0), label="Noise level", live=True)

    units: str = knob("linear", "What the code's neurons end in. Sigmoid: as in the papers on denoising.",
                      choices=("linear", "sigmoid", "tanh"), label="Code units", rare=True)

    @property
    def code_activation(self) -> str:
        return self.units

    def see(self, x: Tensor, rng: Generator) -> Tensor:
        return CORRUPTIONS[self.kind](x, self.level, rng)

    def losses(self, model: Autoencoder, x: Tensor, rng: Generator) -> Losses:
        code = model.encode(self.see(x, rng))
        yield "autoencoder", {"reconstruction": model.reconstruction_error(code, x)}
