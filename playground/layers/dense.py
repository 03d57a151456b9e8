"""Dense layers: h = g(Wx + b), with weights of their own or tied to the encoder's."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from playground.layers import Block
from playground.layers.linear import Linear, linear


class DenseBlock(Block):
    """g(Wx + b) on whatever comes in, flattened; out comes `shape`, of which the product is the number of units."""

    def __init__(self, inputs: int, shape: tuple[int, ...], activation: str, tied_to: nn.Module | None = None):
        units = math.prod(shape)
        weights = Linear(inputs, units) if tied_to is None else TransposedLinear(tied_to, units)
        super().__init__("dense" if tied_to is None else "dense, tied", shape, weights, activation)

    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x.flatten(1))
        return out if len(self.shape) == 1 else out.unflatten(1, self.shape)


class TransposedLinear(nn.Module):
    """Wᵀh + c with the weights W of another layer's first `units` inputs and a bias c of its own (tied weights)."""

    def __init__(self, other: nn.Module, units: int):
        super().__init__()
        assert isinstance(other, nn.Linear)
        self._other = (other,)  # in a tuple, so that the shared weight is registered (and saved) once
        bound = 1 / math.sqrt(other.out_features)
        self.bias = nn.Parameter(torch.empty(units).uniform_(-bound, bound))

    def forward(self, code: Tensor) -> Tensor:
        return linear(code, self._other[0].weight[:, : len(self.bias)].T, self.bias)
