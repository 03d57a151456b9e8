"""Exact search among many images: by codes, by bits and by pixels; each gallery is made ready once.

A gallery answers nearest(queries, k): int64 indices and float32 distances, both (m, k), nearest first, then by index;
k is cut to what there is.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from playground.probes.neighbours import SPARE, Gallery, least

BOUND = 64  # numbers of an image that bound a distance from below
SAMPLE = 2000  # images that the bound's directions are found on
ROUNDING = 1e-5  # of squared lengths: more than float32 loses in a matrix product
ROUNDS = 4  # of the iteration that finds them
PORTION = 4096  # images made float32 at a time
QUERIES = 32  # compared at a time
WORD = 8  # bytes that are compared at once


class Searchable(Protocol):
    """A gallery of n rows that can be searched."""

    def __len__(self) -> int: ...

    def nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]: ...


class Codes(Gallery):
    """Codes (n, d) float32 by Euclidean distance."""


def precision(gallery: Searchable, queries: np.ndarray, labels: np.ndarray, its_labels: np.ndarray,
              itself: np.ndarray | None = None, k: int = 10) -> float | None:
    """Precision at k: the share of the k rows found for a query that are of its class, mean over the queries.

    labels (m,): the queries' classes. its_labels (n,): the gallery's. itself (m,): the row that is the query itself,
    which does not count; -1 where none is. None where there is nothing to find.
    """
    alone = np.full(len(labels), -1) if itself is None else itself
    k = min(k, len(gallery) - int((alone >= 0).any()))
    if k < 1 or not len(labels):
        return None
    rows, _ = gallery.nearest(queries, k + 1)
    others = np.argsort(rows == alone[:, None], axis=1, kind="stable")[:, :k]
    return float((its_labels[np.take_along_axis(rows, others, 1)] == labels[:, None]).mean())


class Bits:
    """Packed bits (n, ⌈d/8⌉) uint8 by Hamming distance: how many bits differ."""

    def __init__(self, rows: np.ndarray):
        self._words = np.ascontiguousarray(_words(rows).T)  # all first words, all second ones, ...
        self._order = np.arange(len(rows))

    def __len__(self) -> int:
        return len(self._order)

    def nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        k, n = min(k, len(self)), len(self)
        index, distance = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)
        for i, query in enumerate(_words(queries)):
            apart = np.zeros(n, np.int64)
            for words, asked in zip(self._words, query):
                apart += np.bitwise_count(words ^ asked)
            order = apart * n + self._order  # one number says both: which are nearer, then which come first
            best = np.sort(np.partition(order, k - 1)[:k]) if k else order[:0]
            distance[i], index[i] = np.divmod(best, max(n, 1))
        return index, distance


def packed(codes: np.ndarray) -> np.ndarray:
    """Codes (n, d) in [0, 1] as packed bits (n, ⌈d/8⌉) uint8: whether each entry is above one half."""
    return np.packbits(codes > 0.5, axis=1)


def _words(rows: np.ndarray) -> np.ndarray:
    """Rows of bytes as rows of 64-bit words, filled up with zeros."""
    missing = -rows.shape[1] % WORD
    return np.pad(rows, ((0, 0), (0, missing))).view(np.uint64)


class Pixels:
    """Images (n, d) uint8 by Euclidean distance, values from 0 to 1; they stay as they are, a byte for each.

    Each row's part in a few orthonormal directions, and the length of what is left of it, bound distances from below:
    |a - b|² ≥ |Pa - Pb|² + (|a - PᵀPa| - |b - PᵀPb|)². What lies below the k-th distance found so far is compared in
    full, so that the k nearest are exactly those, whatever the directions; the first principal ones leave the fewest.
    """

    def __init__(self, rows: np.ndarray):
        self._rows = torch.from_numpy(np.ascontiguousarray(rows))
        some = self._rows[torch.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).long()].float()
        self._middle = some.mean(0) if len(rows) else torch.zeros(rows.shape[1])
        self._directions = _principal(some - self._middle, min(BOUND, rows.shape[1]))
        bounds = [self._bound(self._rows[i : i + PORTION].float()) for i in range(0, len(rows), PORTION)]
        self._bounds = torch.cat(bounds) if bounds else torch.zeros(0, self._directions.shape[1] + 1)
        self._squares = self._bounds.square().sum(1)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def bytes(self) -> int:
        """What an image takes."""
        return self._rows.shape[1]

    def nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        if (k := min(k, len(self))) < 1:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        asking = torch.from_numpy(np.ascontiguousarray(queries)).float()
        found = []
        for start in range(0, len(asking), QUERIES):
            part = asking[start : start + QUERIES]
            bounds = self._bound(part)
            below = torch.addmm(self._squares, bounds, self._bounds.T, alpha=-2)
            slack = ROUNDING * (self._squares.max() + bounds.square().sum(1)) - bounds.square().sum(1)
            first = least(below, min(k + SPARE, len(self)))
            found += [self._compared(*one, k) for one in zip(part, below, slack, first)]
        return np.stack([i for i, _ in found]), np.stack([d for _, d in found])

    def _bound(self, rows: Tensor) -> Tensor:
        """What bounds the distances of rows (r, d): their parts in the directions, and the length of the rest."""
        away = rows - self._middle
        parts = away @ self._directions
        rest = (away.square().sum(1) - parts.square().sum(1)).clamp_min(0).sqrt()
        return torch.cat([parts, rest[:, None]], 1)

    def _compared(self, query: Tensor, below: Tensor, slack: Tensor, first: Tensor, k: int):
        furthest = self._squared(query, first).kthvalue(k).values
        near = torch.nonzero(below <= furthest + slack)[:, 0]
        squared, order = self._squared(query, near).sort(stable=True)
        return near[order[:k]].numpy(), (squared[:k].sqrt() / 255).numpy()

    def _squared(self, query: Tensor, which: Tensor) -> Tensor:
        parts = which.split(PORTION)
        return torch.cat([(self._rows[some].float() - query).square().sum(1) for some in parts])


def _principal(rows: Tensor, k: int) -> Tensor:
    """About the first k principal directions of rows (n, d), orthonormal (d, k): a few rounds of subspace iteration."""
    directions = torch.randn(rows.shape[1], k, generator=torch.Generator().manual_seed(0))
    for _ in range(ROUNDS):
        directions = torch.linalg.qr(rows.T @ (rows @ directions)).Q
    return directions
