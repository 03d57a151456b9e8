"""Sensitivity of a code: its Jacobian for one image, the Jacobian's spectrum, and how far noise moves codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.model import Autoencoder


def rows(model: Autoencoder, x: Tensor, start: int, stop: int) -> np.ndarray:
    """∂h_l/∂x for the code entries l from start to stop at one image x (1, c, h, w): float32 (stop - start, c, h, w).

    One backward pass: entry l is taken from the l-th copy of the image.
    """
    with torch.enable_grad():
        many = x.detach().expand(stop - start, *x.shape[1:]).clone().requires_grad_(True)
        picked = model.encode(many).diagonal(start).sum()
        (grad,) = torch.autograd.grad(picked, many)
    return grad.float().cpu().numpy()


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The Jacobian J (k, n) in its own terms: J = U diag(values) Vᵀ.

    values: float (min(k, n),), descending. most, least: the rows of Vᵀ of the largest and the smallest value, (n,):
    the steps of length 1 in the image that move the code most and, of those it answers to at all, least. still: how
    many further directions move it not at all.
    """

    values: np.ndarray
    most: np.ndarray
    least: np.ndarray
    still: int


def spectrum(jacobian: np.ndarray) -> Spectrum:
    """The singular values of J (k, n) and their extreme directions, the largest entry of each positive."""
    _, values, directions = np.linalg.svd(jacobian.astype(np.float64), full_matrices=False)
    most, least = (row * np.sign(row[np.abs(row).argmax()] or 1) for row in (directions[0], directions[-1]))
    return Spectrum(values, most, least, max(jacobian.shape[1] - len(values), 0))


@torch.no_grad()
def displacement(model: Autoencoder, x: Tensor, sizes: Sequence[float], seed: int = 0) -> np.ndarray:
    """How far noise moves codes, in units of how far codes lie apart: float (len(sizes),).

    Mean over images x (m, c, h, w) of ‖E(x + σε) - E(x)‖ for each σ, with the same ε ~ N(0, I) for every σ and every
    model, divided by the codes' root mean square distance from their mean: a code that is merely written in smaller
    numbers is not taken for a stiller one.
    """
    rng = torch.Generator(device=x.device).manual_seed(seed)
    noise = torch.empty_like(x).normal_(generator=rng)
    codes = model.encode(x)
    spread = (codes - codes.mean(0)).square().sum(1).mean().sqrt().clamp_min(1e-12)
    moved = [(model.encode(x + size * noise) - codes).norm(dim=1).mean() / spread for size in sizes]
    return torch.stack(moved).double().cpu().numpy()
