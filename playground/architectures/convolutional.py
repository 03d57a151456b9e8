"""Convolutional networks: small filters slide over the image, each layer halves it, a dense layer makes the code."""

from __future__ import annotations

import math
from dataclasses import dataclass

from playground.architectures import Architecture, Shape, architectures
from playground.architectures.dense import ACTIVATION_CHOICES, CODE_STOPS
from playground.knobs import knob
from playground.layers import Stack
from playground.layers.convolutional import Grow, Shrink
from playground.layers.dense import DenseBlock

WIDEST = 256


@architectures.register("convolutional")
@dataclass(frozen=True)
class Convolutional(Architecture):
    """`depth` halving convolutions of `width`, 2·width, ... filters (at most 256), then a dense layer to the code."""

    rank = 2

    code: int = knob(16, "Numbers kept per image. Smaller: blurrier, and less overfitting.",
                     low=1, high=1024, stops=CODE_STOPS, label="Code size")
    depth: int = knob(2, "Convolutions on each side, each halving the image. Deeper: sees larger parts at once.",
                      low=1, high=6, stops=(1, 2, 3, 4, 5, 6))
    width: int = knob(16, "Filters of the first convolution; the next ones double it.", low=1, high=128,
                      stops=(4, 8, 16, 32, 64, 128))
    activation: str = knob("relu", "What bends each hidden layer. Linear: nothing does.",
                           choices=ACTIVATION_CHOICES, rare=True)
    output: str = knob("sigmoid", "Sigmoid keeps pixels between 0 and 1; linear leaves them free.",
                       choices=("sigmoid", "linear"), rare=True)
    down: str = knob("stride", "How the image is halved: by steps of two, or by keeping the largest of each 2×2.",
                     choices=("stride", "pooling"), rare=True, label="Shrink by")
    up: str = knob("transposed", "How it grows again. Resize first: fewer checkerboards, slower.",
                   choices=("transposed", "resize"), rare=True, label="Grow by")

    def build(self, shape: Shape, code_activation: str, extra: int = 0) -> tuple[Stack, Stack]:
        shapes: list[Shape] = [shape]
        down: list[Shrink] = []
        for level in range(self.depth):
            channels, height, width = shapes[-1]
            seen = (channels + extra * (level == 0), height, width)
            down.append(Shrink(seen, min(self.width << level, WIDEST), self.activation, self.down))
            shapes.append(down[-1].shape)
        features = math.prod(shapes[-1])
        encoder = Stack(*down, DenseBlock(features, (self.code,), code_activation))
        up = [
            Grow(shapes[level + 1][0], shapes[level], "linear" if level == 0 else self.activation, self.up)
            for level in reversed(range(self.depth))
        ]
        return encoder, Stack(DenseBlock(self.code, shapes[-1], self.activation), *up)
