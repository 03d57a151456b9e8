"""Contractive autoencoder: the code may hardly move when the pixels move a little."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from playground import jacobian
from playground.knobs import knob
from playground.layers import Stack
from playground.model import Autoencoder
from playground.variants import Losses, Variant, variants

HOW = {"closed": "by formula", "reverse": "exact, by rows", "forward": "exact, by columns", "estimate": "estimated"}


@variants.register("contractive")
@dataclass(frozen=True)
class Contractive(Variant):
    """L + λ‖J_x(h)‖_F² (Rifai, Vincent, Muller, Glorot & Bengio, ICML 2011)."""

    rank = 2
    price = r"\lambda"
    motto = "Codes may hardly move when pixels move."
    penalties = {
        "contraction": (r"\lambda\,{\left\| J_x(h) \right\|}_F^2", "contraction penalty"),
    }

    weight: float = knob(0.1, "How much stillness counts. Higher: codes move less, blurrier pictures.", low=0.0,
                         high=100.0, label="Weight", stops=(0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0),
                         symbol="λ", live=True)
    units: str = knob("sigmoid", "What the code's neurons end in. Sigmoid and tanh saturate: one way to be still.",
                      choices=("sigmoid", "tanh", "linear"), label="Code units", rare=True)
    method: str = knob("auto", "How the penalty is found: by formula, row by row, or from one random direction.",
                       choices=("auto", "closed", "exact", "estimate"), label="Jacobian", rare=True)

    @property
    def code_activation(self) -> str:
        return self.units

    def how(self, encoder: Stack, pixels: int) -> dict[str, str]:
        (k,) = encoder.blocks[-1].shape
        return {"contraction": HOW[jacobian.method_for(encoder, self.method, pixels, k)]}

    def losses(self, model: Autoencoder, x: Tensor, rng: Generator) -> Losses:
        encoder = model.encoder
        (k,) = encoder.blocks[-1].shape
        method = jacobian.method_for(encoder, self.method, x[0].numel(), k)
        code, norm = jacobian.code_and_norm(encoder, x, method, rng)
        yield "autoencoder", {
            "reconstruction": model.reconstruction_error(code, x),
            "contraction": self.weight * norm,
        }
