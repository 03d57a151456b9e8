"""Maps of codes: places in the square [-1, 1]², the way from a code to its place, and the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from playground.events import Trouble
from playground.knobs import knob, knobs, matters, read
from playground.probes.codes import MOST
from playground.probes.neighbours import METRICS, nearest

KINDS = ("pca", "umap", "plane", "entries")
UMAP, ENTRIES = ("kind", ("umap",)), ("kind", ("entries",))  # the maps that heed a knob
PLACED_BY, BACK_BY = 6, 40  # neighbours that say where a new code lies, and what code lies at a place
WAYS = ("neighbours", "inverse")  # from a UMAP's places back to codes
EXTENT = 1.06  # the grid goes a little beyond the map's frame
BACK_WIDTH = 0.02  # of the way back's weights: wide enough that a grid of 64 × 64 can follow it


@dataclass(frozen=True)
class MapKnobs:
    """Which map, of how many codes."""

    kind: str = knob(
        "pca",
        "PCA: the plane of greatest variance. UMAP: neighbourhoods kept, distances not.",
        choices=KINDS,
        label="Map",
    )
    neighbours: int = knob(
        15,
        "Codes that count as a neighbourhood. Few: fine detail; many: the overall shape.",
        low=2,
        high=200,
        stops=(5, 10, 15, 30, 50, 100, 200),
        when=UMAP,
    )
    min_dist: float = knob(
        0.1,
        "How close points may lie. Small: tight clumps; large: an even spread.",
        low=0.0,
        high=0.99,
        stops=(0.0, 0.05, 0.1, 0.25, 0.5, 0.8),
        label="Minimum distance",
        when=UMAP,
    )
    metric: str = knob("euclidean", "What counts as near in the code.", choices=METRICS, rare=True, when=UMAP)
    seed: int = knob(0, "Another seed, another of many equally good maps.", low=0, high=9999, rare=True, when=UMAP)
    count: int = knob(5000, "Images whose codes are drawn.", low=1, high=MOST, stops=(500, 1000, 2000, 5000, MOST))
    first: int = knob(
        0, "Code entry drawn to the right.", low=0, high=100_000, label="Entry to the right", when=ENTRIES
    )
    second: int = knob(1, "Code entry drawn upwards.", low=0, high=100_000, label="Entry upwards", when=ENTRIES)
    way: str = knob(
        "neighbours",
        "How a place that is clicked becomes a code. UMAP's own inverse takes seconds.",
        choices=WAYS,
        label="Way back to a code",
        when=UMAP,
    )

    @classmethod
    def asked(cls, raws: Mapping[str, object]) -> tuple[MapKnobs, list[str]]:
        """Knobs from a question's texts; what is wrong stays at its default and is a sentence; count is cut."""
        raws, problems = dict(raws), []
        try:
            if float(str(raws.get("count", 0))) > MOST:
                raws["count"] = MOST
                problems.append(f"At most {MOST:,} codes are drawn.")
        except ValueError:
            pass
        known = {name: raw for name, raw in raws.items() if name in cls.__dataclass_fields__}
        knobs, wrong = read(cls, known)
        return knobs, problems + [f"{sentence[:1].upper()}{sentence[1:]}." for sentence in wrong]

    def relevant(self) -> MapKnobs:
        """With every knob that does not change where the points lie at its default: equal maps have equal knobs."""
        names = [name for name in knobs(self) if name != "way" and matters(self, name)]
        return MapKnobs(**{name: getattr(self, name) for name in names})


class Map(ABC):
    """Places of the sample's codes, float32 (m, 2) in [-1, 1]². `exact` says whether the way back loses nothing.

    spread: share of the codes' variance along both axes, empty where that means nothing. note: a sentence or "".
    """

    places: np.ndarray
    spread: tuple[float, ...] = ()
    note: str = ""
    exact: bool = False
    is_line = False  # codes of one number: heights tell points apart and mean nothing

    @property
    def bytes(self) -> int:
        """Of what it holds besides the codes that it shows."""
        return self.places.nbytes

    @abstractmethod
    def place(self, codes: np.ndarray) -> np.ndarray:
        """Codes (n, k) to places (n, 2); they may lie outside the square."""

    @abstractmethod
    def code_at(self, places: np.ndarray) -> np.ndarray:
        """Places (n, 2) to codes (n, k)."""


@dataclass(frozen=True, eq=False)
class Plane(Map):
    """A flat cut through code space: PCA's plane, the code itself, or two of its entries.

    origin (k,), axes (2, k) with orthonormal rows (or a zero row), centre (2,), scale: what brings codes to [-1, 1]².
    """

    places: np.ndarray
    origin: np.ndarray
    axes: np.ndarray
    centre: np.ndarray
    scale: float
    spread: tuple[float, ...] = ()
    note: str = ""
    exact: bool = True

    @property
    def is_line(self) -> bool:  # type: ignore[override]
        return self.axes.shape[1] == 1

    def place(self, codes: np.ndarray) -> np.ndarray:
        return (((codes - self.origin) @ self.axes.T - self.centre) / self.scale).astype(np.float32)

    def code_at(self, places: np.ndarray) -> np.ndarray:
        return (self.origin + (places * self.scale + self.centre) @ self.axes).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Neighbourly(Map):
    """A map that is no formula: new codes and the way back go by the nearest codes and places that it knows."""

    places: np.ndarray
    codes: np.ndarray
    metric: str = "euclidean"
    note: str = ""
    fitted: Any = None  # umap-learn's own model, for its own way back
    turn: Any = None  # (matrix (2, 2), shift (2,), scale) from UMAP's places to these

    @property
    def bytes(self) -> int:
        """With umap-learn's own model: its graph and neighbours are fifty times as large as the places."""
        from scipy.sparse import issparse  # here: the first page is there before it

        parts = [self.places]
        for value in vars(self.fitted).values() if self.fitted is not None else ():
            if issparse(value):
                parts += [value.data, value.indices, value.indptr]
            else:
                several = value if isinstance(value, tuple) else (value,)
                parts += [one for one in several if isinstance(one, np.ndarray)]
        return sum({id(part): part.nbytes for part in parts if part is not self.codes}.values())

    def place(self, codes: np.ndarray) -> np.ndarray:
        index, distance = nearest(self.codes, PLACED_BY, codes, self.metric)
        # relative to the farthest of them, so that the weights mean the same for large codes and small ones
        weight = 1 / (distance / np.maximum(distance[:, -1:], 1e-12) + 1e-3) ** 3
        return _blend(self.places, index, weight)

    def code_at(self, places: np.ndarray) -> np.ndarray:
        index, distance = nearest(self.places, BACK_BY, places)
        return _blend(self.codes, index, 1 / (distance + BACK_WIDTH) ** 2)


def _blend(rows: np.ndarray, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means of rows (n, d) picked by index (m, j) with weights (m, j): (m, d)."""
    weight = (weight / weight.sum(1, keepdims=True)).astype(np.float32)
    return np.einsum("mj,mjd->md", weight, rows[index]).astype(np.float32)


# Maps at once --------------------------------------------------------------------------------------------------------


def check(codes: np.ndarray) -> None:
    """Trouble where codes hold something that is no number."""
    if not np.isfinite(codes).all():
        raise Trouble("Some codes are not numbers (the training diverged), so there is no map: reset the run.")


def flat(codes: np.ndarray, knobs: MapKnobs) -> Plane:
    """The PCA, plane or entries map of codes (m, k), exact and at once; UMAP's stand-in while it is fitted is PCA."""
    check(codes)
    k = codes.shape[1]
    if knobs.kind == "plane" and k > 2:
        raise Trouble(f"The raw plane needs a code of two entries, and this one has {k}: choose PCA or two entries.")
    if knobs.kind == "entries" and max(knobs.first, knobs.second) >= k:
        raise Trouble(
            f"This code has {k} entries, numbered from 0, so there is no entry {max(knobs.first, knobs.second)}."
        )
    if k == 1:
        return _line(codes)
    if knobs.kind == "entries":
        return _framed(codes, codes.mean(0), np.eye(k, dtype=np.float32)[[knobs.first, knobs.second]])
    if knobs.kind == "plane":
        return _framed(codes, np.zeros(k, np.float32), np.eye(k, dtype=np.float32))
    origin, axes, variances = principal(codes)
    total = max(float(variances.sum()), 1e-30)
    return replace(_framed(codes, origin, axes[:2]), spread=tuple(float(v) / total for v in variances[:2]))


def principal(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (k,), principal directions (k, k) as rows, and variances (k,), greatest first; all float64 inside.

    Each direction points where its entry of greatest size is positive, as in scikit-learn, so that signs stay put.
    """
    wide = codes.astype(np.float64)
    mean = wide.mean(0)
    variances, vectors = np.linalg.eigh((wide - mean).T @ (wide - mean) / max(len(wide) - 1, 1))
    axes = vectors.T[::-1]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
    return mean.astype(np.float32), axes.astype(np.float32), np.maximum(variances[::-1], 0)


def _line(codes: np.ndarray) -> Plane:
    """A code of one entry runs from left to right; heights only keep the points apart and mean nothing."""
    line = _framed(codes, np.zeros(1, np.float32), np.array([[1.0], [0.0]], np.float32))
    heights = (np.arange(len(codes)) * 0.6180339887498949) % 1 - 0.5
    places = np.stack([line.places[:, 0], heights.astype(np.float32)], 1)
    note = "This code is one number: it runs from left to right, and the height only keeps the points apart."
    return replace(line, places=places, note=line.note or note)


def _framed(codes: np.ndarray, origin: np.ndarray, axes: np.ndarray) -> Plane:
    raw = (codes - origin) @ axes.T
    centre, scale = frame(raw)
    note = ""
    if alike(codes):
        note = "All codes are equal: the network takes every image for the same one."
    if len(codes) == 1:
        note = "One image is one point: choose more images for a map."
    places = ((raw - centre) / scale).astype(np.float32)
    return Plane(places, origin, axes, centre.astype(np.float32), scale, note=note)


def alike(codes: np.ndarray) -> bool:
    """Whether all codes are one and the same, up to rounding."""
    return bool((codes.max(0) - codes.min(0)).max() <= 1e-6 * max(1.0, float(np.abs(codes).max())))


def frame(places: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and half width that bring places into [-1, 1]²; the centre is between the outer half percents."""
    low, high = np.percentile(places, [0.5, 99.5], 0)
    centre = (low + high) / 2
    widest = float(np.abs(places - centre).max())
    return centre, widest if widest > 1e-12 else 1.0


def grid_places(side: int) -> np.ndarray:
    """Places (side², 2) at the middles of a grid's cells, the lowest row first, left to right."""
    axis = ((np.arange(side) + 0.5) / side * 2 - 1) * EXTENT
    x, y = np.meshgrid(axis, axis)
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)


def onto(places: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The turn or mirroring (2, 2) that brings centred places closest to the target's (orthogonal Procrustes)."""
    u, _, vt = np.linalg.svd((places - places.mean(0)).T.astype(np.float64) @ (target - target.mean(0)))
    return u @ vt
