"""U-Net blocks (Ronneberger, Fischer & Brox 2015): a way down whose every level is handed across to the way up."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground.layers import Block, Stack, activation_of
from playground.layers.convolutional import halved

Shape = tuple[int, int, int]


class Residual(nn.Module):
    """g(Sx + conv(g(conv(x)))) with 3x3 convolutions, S a 1x1 one: (inputs, h, w) -> (channels, h, w), halved if asked.

    The short cut (He et al. 2016) keeps gradients alive without normalisation, whose means would differ between a
    patch and the large image that it is a part of.
    """

    def __init__(self, inputs: int, channels: int, activation: str, stride: int = 1):
        super().__init__()
        self.first = nn.Conv2d(inputs, channels, 3, stride, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.short = nn.Conv2d(inputs, channels, 1)
        self.stride = stride
        self.bend = activation_of(activation)

    def forward(self, x: Tensor) -> Tensor:
        # no strides: a strided 1x1 convolution of 4 or 8 maps of 64 × 64 ends the process on its way back (torch 2.15)
        short = self.short(x[..., :: self.stride, :: self.stride])
        return short + self.second(self.bend(self.first(x)))


class Down(Block):
    """One level of the way down: (inputs, h, w) -> (channels, h, w), or half as large where `halve`."""

    def __init__(self, shape: Shape, channels: int, activation: str, halve: bool = True):
        inputs, height, width = shape
        out = (channels, halved(height), halved(width)) if halve else (channels, height, width)
        self.shape: Shape
        super().__init__("residual block, stride 2" if halve else "residual block", out,
                         Residual(inputs, channels, activation, 2 if halve else 1), activation)


class Up(Block):
    """One level of the way up: enlarged to `shape` = (c, h, w), with the level's own `skipped` maps beside if any."""

    def __init__(self, inputs: int, skipped: int, shape: Shape, activation: str):
        kind = "resize, skip, residual block" if skipped else "resize, residual block"
        super().__init__(kind, shape, Residual(inputs + skipped, shape[0], activation), activation)
        self.skips = skipped > 0

    def climb(self, x: Tensor, level: Tensor) -> Tensor:
        """x (B, inputs, h', w') brought to the size of `level` (B, skipped, h, w), which it is joined with."""
        x = F.interpolate(x, size=level.shape[-2:], mode="nearest")
        return self(torch.cat([x, level], 1) if self.skips else x)


class Last(Block):
    """A 1x1 convolution to the image's channels, linear."""

    def __init__(self, inputs: int, shape: Shape):
        super().__init__("convolution 1×1", shape, nn.Conv2d(inputs, shape[0], 1), "linear")


class SkippingEncoder(Stack):
    """Image to the maps of all levels, the deepest one last: more than a code. Takes any size, not its own only."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        levels = []
        x = x.contiguous(memory_format=torch.channels_last)  # half again as fast on a CPU; the maps to come follow it
        for block in self:
            x = block(x)
            levels.append(x)
        return tuple(levels)


class SkippingDecoder(Stack):
    """All levels' maps to the image: one Up for every level but the deepest, then the Last."""

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        *above, x = levels
        *ups, last = self.blocks
        for up, level in zip(ups, reversed(above), strict=True):
            x = cast(Up, up).climb(x, level)
        return last(x)
