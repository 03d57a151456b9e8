"""Corruption processes P(x̃ | x) of the denoising autoencoder: images in [0, 1], a level, an explicit generator."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor


def _normal(x: Tensor, rng: Generator) -> Tensor:
    return torch.empty_like(x).normal_(generator=rng)


def _uniform(x: Tensor, rng: Generator) -> Tensor:
    return torch.empty_like(x).uniform_(generator=rng)


def gaussian(x: Tensor, level: float, rng: Generator) -> Tensor:
    """x + level·ε, ε ~ N(0, 1): mean x, standard deviation `level`; may leave [0, 1]."""
    return x + level * _normal(x, rng)


def masking(x: Tensor, level: float, rng: Generator) -> Tensor:
    """Each value becomes 0 with probability `level`: mean (1 - level)·x."""
    return x * (_uniform(x, rng) >= level)


def salt_and_pepper(x: Tensor, level: float, rng: Generator) -> Tensor:
    """Each value becomes 0 or 1, equally likely, with probability `level`."""
    u = _uniform(x, rng)
    return torch.where(u < level, (u < level / 2).to(x.dtype), x)


def speckle(x: Tensor, level: float, rng: Generator) -> Tensor:
    """x·(1 + level·ε), ε ~ N(0, 1): the noise grows with the brightness."""
    return x * (1 + level * _normal(x, rng))


def block(x: Tensor, level: float, rng: Generator) -> Tensor:
    """A rectangle of `level` times the area becomes 0 at a random place of each image; x is (B, c, h, w).

    Its sides are the image's times √level, rounded to whole pixels; every place inside the image is equally likely.
    """
    count, _, height, width = x.shape
    tall, wide = round(height * level**0.5), round(width * level**0.5)
    u = torch.empty(2, count, 1, 1, 1, device=x.device).uniform_(generator=rng)
    top = (u[0] * (height - tall + 1)).floor()
    left = (u[1] * (width - wide + 1)).floor()
    rows = torch.arange(height, device=x.device).view(1, 1, -1, 1)
    columns = torch.arange(width, device=x.device).view(1, 1, 1, -1)
    hidden = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
    return x * ~hidden


CORRUPTIONS: dict[str, Callable[[Tensor, float, Generator], Tensor]] = {
    "gaussian": gaussian,
    "masking": masking,
    "salt-and-pepper": salt_and_pepper,
    "speckle": speckle,
    "block": block,
}
