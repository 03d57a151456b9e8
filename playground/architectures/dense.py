"""Dense networks: every unit sees every unit of the layer before it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from playground.architectures import Architecture, Shape, architectures
from playground.knobs import knob
from playground.layers import Stack
from playground.layers.dense import DenseBlock

CODE_STOPS = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
ACTIVATION_CHOICES = ("relu", "tanh", "sigmoid", "elu", "gelu", "linear")


@architectures.register("dense")
@dataclass(frozen=True)
class Dense(Architecture):
    """Layers of `width`, width/2, ... units down to the code, mirrored in the decoder (Hinton & Salakhutdinov 2006)."""

    rank = 1

    code: int = knob(16, "Numbers kept per image. Smaller: blurrier, and less overfitting.",
                     low=1, high=1024, stops=CODE_STOPS, label="Code size")
    depth: int = knob(2, "Layers on each side. Deeper: more can be expressed, slower.", low=1, high=6,
                      stops=(1, 2, 3, 4, 5, 6))
    width: int = knob(256, "Units of the first hidden layer; the next ones halve it.", low=8, high=2048,
                      stops=(16, 32, 64, 128, 256, 512, 1024, 2048))
    activation: str = knob("relu", "What bends each hidden layer. Linear: nothing does, as in PCA.",
                           choices=ACTIVATION_CHOICES, rare=True)
    output: str = knob("sigmoid", "Sigmoid keeps pixels between 0 and 1; linear leaves them free.",
                       choices=("sigmoid", "linear"), rare=True)
    tied: bool = knob(False, "The decoder uses the encoder's weights, transposed: half the parameters.", rare=True,
                      label="Tied weights")

    def build(self, shape: Shape, code_activation: str, extra: int = 0) -> tuple[Stack, Stack]:
        hidden = [max(self.width >> i, 4) for i in range(self.depth - 1)]
        sizes = [math.prod(shape), *hidden, self.code]
        beside = extra * math.prod(shape[1:])
        last = len(sizes) - 2
        encoder = [
            DenseBlock(sizes[i] + beside * (i == 0), (sizes[i + 1],), code_activation if i == last else self.activation)
            for i in range(last + 1)
        ]
        decoder = [
            DenseBlock(
                sizes[i + 1],
                shape if i == 0 else (sizes[i],),
                "linear" if i == 0 else self.activation,
                tied_to=encoder[i].linear if self.tied else None,
            )
            for i in reversed(range(last + 1))
        ]
        return Stack(*encoder), Stack(*decoder)
