"""U-Net: a convolutional network whose levels are joined across, so that no detail has to pass through the middle."""

from __future__ import annotations

from dataclasses import dataclass

from playground.architectures import Architecture, Shape, architectures
from playground.architectures.dense import ACTIVATION_CHOICES
from playground.knobs import knob
from playground.layers import Block, Stack
from playground.layers.unet import Down, Last, SkippingDecoder, SkippingEncoder, Up

WIDEST = 256


@architectures.register("unet")
@dataclass(frozen=True)
class UNet(Architecture):
    """`depth` halvings of `width`, 2·width, ... maps and back (Ronneberger, Fischer & Brox, MICCAI 2015), residual."""

    rank = 3
    title = "U-Net"
    has_code = False

    code: int = knob(64, "Maps in the middle, where the image is smallest. More: understands more of the whole.",
                     low=1, high=512, stops=(8, 16, 32, 64, 128, 256, 512), label="Middle maps")
    depth: int = knob(3, "How often the image is halved. Deeper: larger holes are understood.", low=1, high=6,
                      stops=(1, 2, 3, 4, 5, 6))
    width: int = knob(16, "Maps at full size; every halving doubles them.", low=1, high=128,
                      stops=(4, 8, 16, 32, 64, 128))
    skips: bool = knob(True, "Hand every level across to the way back. Without: details must pass the middle.",
                       label="Skips")
    activation: str = knob("relu", "What bends each hidden layer. Linear: nothing does.",
                           choices=ACTIVATION_CHOICES, rare=True)
    output: str = knob("sigmoid", "Sigmoid keeps pixels between 0 and 1; linear leaves them free.",
                       choices=("sigmoid", "linear"), rare=True)

    @property
    def reach(self) -> int:  # type: ignore[override]
        """Two 3x3 convolutions at every level, on the way down and up: pixels there are 1, 2, 4, ... pixels here."""
        return 4 * sum(2**level for level in range(self.depth + 1))

    @property
    def grain(self) -> int:  # type: ignore[override]
        return 2**self.depth

    def build(self, shape: Shape, code_activation: str, extra: int = 0, outputs: int = 0) -> tuple[Stack, Stack]:
        """As Architecture.build; outputs: how many maps it gives, 0 for as many as the images have channels."""
        channels, height, width = shape
        down = [Down((channels + extra, height, width), self.width, self.activation, halve=False)]
        for level in range(1, self.depth):
            down.append(Down(down[-1].shape, min(self.width << level, WIDEST), self.activation))
        middle = Down(down[-1].shape, self.code, code_activation)
        inputs, up = self.code, list[Block]()
        for block in reversed(down):
            up.append(Up(inputs, block.shape[0] if self.skips else 0, block.shape, self.activation))
            inputs = block.shape[0]
        return SkippingEncoder(*down, middle), SkippingDecoder(*up, Last(inputs, (outputs or channels, height, width)))
