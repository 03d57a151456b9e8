"""Layers: the blocks that encoders and decoders are stacked from; each knows its kind and its output's shape."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "linear": nn.Identity,
}


class TopK(nn.Module):
    """The `kept` largest of each code's entries (B, k) as they are, zero elsewhere (Makhzani & Frey, ICLR 2014)."""

    def __init__(self, kept: int):
        super().__init__()
        self.kept = kept

    def forward(self, z: Tensor) -> Tensor:
        values, places = z.topk(min(self.kept, z.shape[1]), dim=1, sorted=False)
        return torch.zeros_like(z).scatter(1, places, values)

    def extra_repr(self) -> str:
        return str(self.kept)


def activation_of(name: str) -> nn.Module:
    """The module of a name in ACTIVATIONS, or of "top-8": the eight largest; KeyError or ValueError for others."""
    kind, _, kept = name.partition("-")
    return TopK(int(kept)) if kind == "top" else ACTIVATIONS[name]()


class Block(nn.Module):
    """One layer of a network as a person counts them.

    kind: what it is in words. shape: its output without the batch, (units,) or (c, h, w). linear: the part with the
    weights. activation: what follows it; the identity for a linear layer.
    """

    def __init__(self, kind: str, shape: tuple[int, ...], linear: nn.Module, activation: str):
        super().__init__()
        self.kind, self.shape = kind, shape
        self.linear = linear
        self.activation = activation_of(activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.linear(x))


class Stack(nn.Sequential):
    """Blocks one after another: an encoder or a decoder."""

    @property
    def blocks(self) -> list[Block]:
        return cast(list[Block], list(self))
