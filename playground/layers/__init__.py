"""Layers: the blocks that encoders and decoders are stacked from; each knows its kind and its output's shape."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "linear": nn.Identity,
}


class Block(nn.Module):
    """One layer of a network as a person counts them.

    kind: what it is in words. shape: its output without the batch, (units,) or (c, h, w). linear: the part with the
    weights. activation: what follows it; the identity for a linear layer.
    """

    def __init__(self, kind: str, shape: tuple[int, ...], linear: nn.Module, activation: str):
        super().__init__()
        self.kind, self.shape = kind, shape
        self.linear = linear
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.linear(x))


class Stack(nn.Sequential):
    """Blocks one after another: an encoder or a decoder."""

    @property
    def blocks(self) -> list[Block]:
        return cast(list[Block], list(self))
