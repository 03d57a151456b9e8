"""Bounded codes: numbers brought to one width before tanh bends them, so that none of them gets stuck at an end."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.layers import Block

AT_FIRST = 0.6  # gain: codes are then spread over most of [-1, 1]
NEW = 0.1  # share of the newest batch in what is remembered
LEAST = 1e-6  # of a variance


class Bounded(nn.Module):
    """tanh(g (z - μ) / σ) of codes z (B, k), for each number: in [-1, 1].

    While it learns, μ and σ are those of the batch, later those of the last batches (Ioffe & Szegedy, ICML 2015); the
    gain g is learnt. Without them a number soon stands at -1 or 1 for every image, where tanh is flat, and stays there.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, size: int):
        super().__init__()
        self.gain = nn.Parameter(torch.full((size,), AT_FIRST))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))

    def forward(self, z: Tensor) -> Tensor:
        return self._bent(z, self.mean, self.variance)

    def among(self, z: Tensor) -> Tensor:
        """The same with the mean and the variance of these codes themselves, as it learns; of one alone as ever."""
        if len(z) < 2:
            return self(z)
        return self._bent(z, z.mean(0), z.var(0, unbiased=False) + LEAST)

    def _bent(self, z: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return torch.tanh(self.gain * (z - mean) / variance.sqrt())

    @torch.no_grad()
    def remember(self, z: Tensor) -> None:
        """Take in what one more batch of codes z (B, k), not bounded yet, is like; to be called after a step."""
        if len(z) < 2:  # one alone says nothing of a width
            return
        self.mean.lerp_(z.mean(0), NEW)
        self.variance.lerp_(z.var(0, unbiased=False) + LEAST, NEW)


ENDS = {Bounded: (-1.0, 1.0), nn.Tanh: (-1.0, 1.0), nn.Sigmoid: (0.0, 1.0)}


def ends(block: Block) -> tuple[float, float] | None:
    """The range that what comes out of a layer cannot leave, by what it ends in; None where there is none."""
    return ENDS.get(type(block.activation))
