"""Residual: a network that keeps the image's size and learns only what has to change of it."""

from __future__ import annotations

from dataclasses import dataclass

from playground.architectures import Architecture, Shape, architectures
from playground.architectures.dense import ACTIVATION_CHOICES
from playground.knobs import knob
from playground.layers import Stack
from playground.layers.residual import AddingDecoder, Convolution, Enlarge, KeepingEncoder, ResidualPair


@architectures.register("residual")
@dataclass(frozen=True)
class Residual(Architecture):
    """`depth` residual pairs of convolutions between a first and a last one (EDSR: Lim et al., CVPR workshops 2017)."""

    rank = 4
    title = "Residual"
    has_code = False
    output = "linear"  # the difference to the image may be of either sign

    code: int = knob(32, "Maps at the end, from which the difference is made.", low=1, high=256,
                     stops=(8, 16, 32, 48, 64), label="Last maps", rare=True)
    depth: int = knob(8, "How many pairs of convolutions. Deeper: sees farther, takes longer.", low=1, high=32,
                      stops=(1, 2, 4, 6, 8, 12, 16))
    width: int = knob(32, "Maps between them.", low=1, high=128, stops=(8, 16, 24, 32, 48, 64))
    activation: str = knob("relu", "What bends each pair. Linear: nothing does.", choices=ACTIVATION_CHOICES, rare=True)

    @property
    def reach(self) -> int:  # type: ignore[override]
        """A pixel for each 3x3 convolution, and two for the bicubic interpolation beside them."""
        return 2 * self.depth + 3 + 2

    def build(self, shape: Shape, code_activation: str, extra: int = 0, scale: int = 1) -> tuple[Stack, Stack]:
        """As Architecture.build; the decoder's images are `scale` times as high and as wide as `shape` says."""
        channels, height, width = shape
        maps = (self.width, height, width)
        encoder = KeepingEncoder(
            channels, Convolution(channels + extra, maps),
            *(ResidualPair(maps, self.activation) for _ in range(self.depth)),
            Convolution(self.width, (self.code, height, width), code_activation),
        )  # fmt: skip
        return encoder, AddingDecoder(scale, Enlarge(self.code, (channels, height * scale, width * scale), scale))
