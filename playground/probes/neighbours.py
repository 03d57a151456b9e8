"""Nearest neighbours by comparing with everything: exact, with no index to build and nothing to compile."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

METRICS = ("euclidean", "cosine", "manhattan")
ROWS = 64  # queries compared at a time: with 10,000 rows their distances just fit a core's cache
LAYERS = 16  # of a row of distances, laid on each other
SPARE = 8  # more candidates than asked for, since the quick distances are rounded
REFINED = 1 << 22  # numbers compared exactly at a time


def nearest(
    gallery: np.ndarray, k: int, queries: np.ndarray | None = None, metric: str = "euclidean"
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of `gallery` (n, d) to each query (m, d): int64 indices and float32 distances, both (m, k).

    Without queries each row of the gallery asks, and is not its own neighbour. k is cut to what there is. Candidates
    come from one matrix product; their distances are then computed exactly, in order of distance, then of index.
    """
    return Gallery(gallery, metric).nearest(queries, k)


class Gallery:
    """Rows (n, d) made ready once for many a search; `nearest` as the function of that name."""

    def __init__(self, rows: np.ndarray, metric: str = "euclidean"):
        self._metric, self._among = metric, _prepared(rows, metric)
        self._centre = self._among.mean(0) if metric == "euclidean" and len(rows) else torch.zeros(rows.shape[1])
        if metric == "euclidean":
            self._among = self._among - self._centre  # close to the origin the quick distances lose least
        self._squares = self._among.square().sum(1)

    def __len__(self) -> int:
        return len(self._among)

    def nearest(self, queries: np.ndarray | None, k: int) -> tuple[np.ndarray, np.ndarray]:
        among, metric = self._among, self._metric
        asking = among if queries is None else _prepared(queries, metric) - self._centre
        most = len(among) - (queries is None)
        if (k := min(k, most)) < 1:
            return np.empty((len(asking), 0), np.int64), np.empty((len(asking), 0), np.float32)
        found = []
        for start in range(0, len(asking), ROWS):
            part = asking[start : start + ROWS]
            if metric == "manhattan":
                quick = torch.cdist(part, among, p=1)
            else:
                quick = torch.addmm(self._squares, part, among.T, alpha=-2)
            if queries is None:
                rows = torch.arange(len(part))
                quick[rows, start + rows] = torch.inf
            found.append(_refined(part, among, least(quick, min(k + SPARE, most)), k, metric))
        return torch.cat([i for i, _ in found]).numpy(), torch.cat([d for _, d in found]).numpy()


def _prepared(rows: np.ndarray, metric: str) -> Tensor:
    values = torch.from_numpy(np.ascontiguousarray(rows)).float()
    # half the squared distance of unit vectors is one minus their cosine
    return torch.nn.functional.normalize(values, dim=1) if metric == "cosine" else values


def least(values: Tensor, k: int) -> Tensor:
    """Columns (r, k) of the k least of each row (r, n), in any order; twice as fast as topk for long rows.

    Every LAYERS-th part of a row is laid on the others; the k least lie in those k columns of the pile whose own least
    are the k least of all.
    """
    n = values.shape[1]
    wide = n // LAYERS
    if wide <= 2 * k:
        return values.topk(k, largest=False, sorted=False).indices
    pile = values[:, : LAYERS * wide].unflatten(1, (LAYERS, wide)).amin(1)
    best = pile.topk(k, largest=False, sorted=False).indices
    columns = (best[:, None] + wide * torch.arange(LAYERS)[:, None]).flatten(1)
    columns = torch.cat([columns, torch.arange(LAYERS * wide, n).expand(len(values), -1)], 1)
    return columns.gather(1, values.gather(1, columns).topk(k, largest=False, sorted=False).indices)


def _refined(part: Tensor, among: Tensor, candidates: Tensor, k: int, metric: str) -> tuple[Tensor, Tensor]:
    """The k nearest of the candidates (r, k') by exact distance."""
    candidates = candidates.sort(1).values
    step = max(1, REFINED // (candidates.shape[1] * among.shape[1]))
    exact = []
    for start in range(0, len(part), step):
        difference = among[candidates[start : start + step]] - part[start : start + step, None]
        exact.append(difference.abs().sum(2) if metric == "manhattan" else difference.square().sum(2))
    distance, at = torch.cat(exact).sort(dim=1, stable=True)
    distance = {"euclidean": distance.sqrt(), "cosine": distance / 2, "manhattan": distance}[metric]
    return candidates.gather(1, at)[:, :k].contiguous(), distance[:, :k].contiguous()
