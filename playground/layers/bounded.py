"""Bounded codes: numbers brought to one width before tanh bends them, so that none of them gets stuck at an end."""

from __future__ import annotations

import torch
from torch import Tensor, nn

AT_FIRST = 0.6  # gain: codes are then spread over most of [-1, 1]
NEW = 0.1  # share of the newest batch in what is remembered
LEAST = 1e-6  # of a variance


class Bounded(nn.Module):
    """tanh(g (z - μ) / σ) of codes z (B, k), for each number: in [-1, 1].

    μ and σ are those of the batches of late (as in Ioffe & Szegedy, ICML 2015), the gain g is learnt. Without them
    whole numbers of the code soon stand at -1 or 1 for every image, where tanh is flat, and never come back.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, size: int):
        super().__init__()
        self.gain = nn.Parameter(torch.full((size,), AT_FIRST))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.gain * (z - self.mean) / self.variance.sqrt())

    @torch.no_grad()
    def remember(self, z: Tensor) -> None:
        """Take in what one more batch of codes z (B, k), not bounded yet, is like; to be called after a step."""
        self.mean.lerp_(z.mean(0), NEW)
        self.variance.lerp_(z.var(0, unbiased=False) + LEAST, NEW)
