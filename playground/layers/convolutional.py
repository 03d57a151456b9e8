"""Convolutional layers that halve the image, and the layers that bring it back to exactly the size it had."""

from __future__ import annotations

from torch import Tensor, nn

from playground.layers import Block


def halved(side: int) -> int:
    """The side after a layer that halves it: rounded up, so that no pixel is dropped."""
    return (side + 1) // 2


class Shrink(Block):
    """Convolution 3x3 and halving, by stride or by max pooling: (c, h, w) -> (channels, ⌈h/2⌉, ⌈w/2⌉)."""

    def __init__(self, shape: tuple[int, int, int], channels: int, activation: str, down: str):
        inputs, height, width = shape
        out = (channels, halved(height), halved(width))
        strided = down == "stride"
        conv = nn.Conv2d(inputs, channels, 3, stride=2 if strided else 1, padding=1)
        self.shape: tuple[int, int, int]
        super().__init__("convolution, stride 2" if strided else "convolution, max pooling", out, conv, activation)
        self.pool = nn.Identity() if strided else nn.MaxPool2d(2, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(super().forward(x))


class Grow(Block):
    """The way back from `inputs` channels to `shape` = (c, h, w), by transposed convolution or resize-convolution.

    The transposed convolution pads its output by one where the side was even, so that the size is met exactly.
    """

    def __init__(self, inputs: int, shape: tuple[int, int, int], activation: str, up: str):
        channels, height, width = shape
        if up == "transposed":
            padding = (height - (2 * halved(height) - 1), width - (2 * halved(width) - 1))
            linear: nn.Module = nn.ConvTranspose2d(inputs, channels, 3, stride=2, padding=1, output_padding=padding)
            kind = "transposed convolution"
        else:
            resize = nn.Upsample((height, width), mode="nearest")
            linear = nn.Sequential(resize, nn.Conv2d(inputs, channels, 3, padding=1))
            kind = "resize, convolution"
        super().__init__(kind, shape, linear, activation)
