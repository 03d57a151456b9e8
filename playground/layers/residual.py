"""Blocks of residual networks for restoring images (Lim et al. 2017): all at one size, enlarged at the very end."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground.layers import Block, Stack, activation_of

Shape = tuple[int, int, int]


class Pair(nn.Module):
    """x + conv(g(conv(x))), 3x3, as many maps out as in; without normalisation, which would depend on the tile."""

    def __init__(self, maps: int, activation: str):
        super().__init__()
        self.first, self.second = nn.Conv2d(maps, maps, 3, padding=1), nn.Conv2d(maps, maps, 3, padding=1)
        self.bend = activation_of(activation)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.bend(self.first(x)))


class Convolution(Block):
    """A 3x3 convolution: (inputs, h, w) -> shape = (maps, h, w)."""

    def __init__(self, inputs: int, shape: Shape, activation: str = "linear"):
        super().__init__("convolution", shape, nn.Conv2d(inputs, shape[0], 3, padding=1), activation)


class ResidualPair(Block):
    """Two 3x3 convolutions and the way around them: `shape` in and out."""

    def __init__(self, shape: Shape, activation: str):
        super().__init__("residual pair", shape, Pair(shape[0], activation), "linear")


class Enlarge(Block):
    """A 3x3 convolution to scale² maps for every channel of `shape` = (c, h, w), laid out as pixels (Shi et al. 2016).

    It begins at zero: the network's first answer is what it was given, and it learns the difference.
    """

    def __init__(self, inputs: int, shape: Shape, scale: int):
        convolution = nn.Conv2d(inputs, shape[0] * scale**2, 3, padding=1)
        for weights in convolution.parameters():
            nn.init.zeros_(weights)
        linear = convolution if scale == 1 else nn.Sequential(convolution, nn.PixelShuffle(scale))
        super().__init__("convolution" if scale == 1 else f"convolution, pixels ×{scale}", shape, linear, "linear")


class KeepingEncoder(Stack):
    """Image (B, c + extra, h, w) to its c channels as they are and the maps made of all: more than a code. Any size."""

    def __init__(self, channels: int, *blocks: Block):
        super().__init__(*blocks)
        self.channels = channels

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = x.contiguous(memory_format=torch.channels_last)  # several times as fast on a CPU
        return x[:, : self.channels], super().forward(maps)


class AddingDecoder(Stack):
    """The image, enlarged by bicubic interpolation where the last block enlarges, and the difference to it."""

    def __init__(self, scale: int, *blocks: Block):
        super().__init__(*blocks)
        self.scale = scale

    def forward(self, given: tuple[Tensor, Tensor]) -> Tensor:
        image, maps = given
        if self.scale > 1:
            image = F.interpolate(image, scale_factor=self.scale, mode="bicubic", align_corners=False)
        return image + cast(Tensor, super().forward(maps))
