"""UMAP of codes through umap-learn, handed exact neighbours so that nothing compiles a search for them.

McInnes, Healy & Melville: UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction, 2018.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from playground.events import Trouble
from playground.probes.maps import MapKnobs, Neighbourly, Plane, alike, check, flat, frame, onto
from playground.probes.neighbours import nearest

FEWEST = 10  # codes below which a neighbourhood means nothing
SHARES = {"neighbours": 0.1, "graph": 0.25}  # of the whole fit that lie behind when each of these is done


class Cancelled(Exception):
    """Somebody asked for the fit to end."""


class Progress:
    """What is known of a fit from outside; `cancelled` may be set from any thread and is heeded at the next epoch.

    fraction: 0 to 1. seconds_left: at the speed of the epochs so far, None until some are done.
    """

    def __init__(self):
        self.fraction, self.seconds_left, self.cancelled = 0.0, None, False

    def reach(self, fraction: float) -> None:
        if self.cancelled:
            raise Cancelled
        self.fraction = fraction

    def over(self, epochs: Iterable[int]) -> Iterator[int]:
        """The epochs, one by one."""
        todo, first, started = list(epochs), SHARES["graph"], time.monotonic()
        for done, epoch in enumerate(todo):
            self.reach(first + (1 - first) * done / len(todo))
            if done:
                self.seconds_left = (time.monotonic() - started) / done * (len(todo) - done)
            yield epoch


def neighbourhoods(codes: np.ndarray, knobs: MapKnobs) -> tuple[np.ndarray, np.ndarray]:
    """What umap-learn takes as precomputed_knn: each code itself, then its nearest others; int32 and float32."""
    index, distance = nearest(codes, knobs.neighbours - 1, metric=knobs.metric)
    own = np.arange(len(codes))[:, None]
    return (
        np.concatenate([own, index], 1).astype(np.int32),
        np.concatenate([np.zeros_like(own, np.float32), distance], 1).astype(np.float32),
    )


def fit(codes: np.ndarray, knobs: MapKnobs, progress: Progress | None = None) -> Neighbourly | Plane:
    """The UMAP map of codes (m, k), turned onto their PCA map; with too few or equal codes that map itself, saying why.

    Takes seconds (in a fresh process some more, for compiling): run it aside. Raises Cancelled, or Trouble for codes
    that are no numbers.
    """
    progress = progress or Progress()
    check(codes)
    pca = flat(codes, MapKnobs())
    if alike(codes):
        return pca
    if len(codes) < FEWEST:
        return _instead(pca, f"UMAP needs at least {FEWEST} images, so this is the PCA map.")
    note, most = "", len(codes) - 1
    if knobs.neighbours > most:
        knobs = MapKnobs(**{**vars(knobs), "neighbours": most})
        note = f"With {len(codes)} images a neighbourhood has at most {most} codes."
    knn = neighbourhoods(codes, knobs)
    progress.reach(SHARES["neighbours"])
    model = reducer(knobs, knn, progress)
    raw = _whole(model.fit_transform(codes).astype(np.float32), knn[0])
    turn = onto(raw, pca.places)
    shift, scale = frame((raw - raw.mean(0)) @ turn)
    places = (((raw - raw.mean(0)) @ turn - shift) / scale).astype(np.float32)
    progress.fraction, progress.seconds_left = 1.0, 0.0
    return Neighbourly(places, codes, knobs.metric, note, model, (turn, raw.mean(0) + shift @ turn.T, scale))


def reducer(knobs: MapKnobs, knn: tuple[np.ndarray, np.ndarray], progress: Progress) -> Any:
    """umap-learn's own model with these knobs and neighbours, not fitted yet."""
    umap = _umap()
    return umap.UMAP(
        n_neighbors=knobs.neighbours,
        min_dist=knobs.min_dist,
        metric=knobs.metric,
        random_state=knobs.seed,
        n_jobs=1,
        precomputed_knn=knn,
        tqdm_kwds={"file": progress},
    )


def inverse(chart: Neighbourly, places: np.ndarray) -> np.ndarray:
    """umap-learn's own way back from places (n, 2) to codes (n, k): seconds a call. Trouble where it refuses.

    It begins with the triangle of points that a place lies in, and takes any one for a place outside all of them: from
    there the way back goes by the nearest codes.
    """
    from scipy.spatial import Delaunay

    codes, (turn, shift, scale) = chart.code_at(places), chart.turn
    try:
        within = Delaunay(chart.places, qhull_options="QJ").find_simplex(places) >= 0
        if within.any():
            codes[within] = chart.fitted.inverse_transform((places[within] * scale) @ turn.T + shift)
    except Exception as error:  # as with odd data
        why = type(error).__name__
        raise Trouble(f"UMAP's own inverse failed here ({why}): choose the 40 nearest codes.") from error
    return codes


def warm() -> None:
    """Import umap-learn and have all of it compiled that `fit` and `inverse` can use again, on a few codes."""
    codes = np.random.default_rng(0).normal(size=(256, 8)).astype(np.float32)
    chart = fit(codes, MapKnobs(kind="umap"))
    if isinstance(chart, Neighbourly):
        inverse(chart, chart.places[:1] / 2)


def _instead(pca: Plane, note: str) -> Plane:
    return Plane(**{**vars(pca), "note": pca.note or note})


def _whole(places: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Places with those that umap-learn leaves out (codes with no near neighbour) put beside their neighbours'."""
    if np.isfinite(places).all():
        return places
    middle = np.nanmean(places, 0) if np.isfinite(places).any() else np.zeros(2)
    known = np.where(np.isfinite(places), places, middle)
    lost = ~np.isfinite(places).all(1)
    known[lost] = known[index[lost, 1:]].mean(1)
    return known.astype(np.float32)


def _umap() -> Any:
    """The package, told once to count its epochs with our Progress where it is given one, and to let others work.

    umap-learn loops over epochs with tqdm and offers no other way to watch or to end a fit; ending it inside tqdm would
    leave tqdm's lock held. An epoch of 10,000 points takes some 20 ms of compiled code; holding the interpreter's lock
    through it would slow down training and every page.
    """
    warnings.filterwarnings("ignore", module="umap")
    import umap
    from umap import layouts

    bar = layouts.tqdm
    if getattr(bar, "counts_progress", False):
        return umap

    def epochs(steps: Iterable[int], **settings: Any) -> Iterable[int]:
        progress = settings.get("file")
        return progress.over(steps) if isinstance(progress, Progress) else bar(steps, **settings)

    epochs.counts_progress = True  # type: ignore[attr-defined]
    layouts.tqdm = epochs
    name = "_optimize_layout_euclidean_single_epoch"
    if hasattr(layouts, name) and hasattr(layouts, f"_nb{name}"):
        setattr(layouts, f"_nb{name}", _compiled(getattr(layouts, name)))
    return umap


def _compiled(epoch: Callable[..., None]) -> Callable[..., None]:
    """umap-learn's epoch, compiled so that it frees the interpreter's lock; the arithmetic is the same to the bit.

    What a map in the plane never varies (two dimensions, both ends of an edge move, no density term) is known to the
    compiler, and divisions are not checked for zero: 5 % less time.
    """
    import numba

    whole = numba.njit(epoch, fastmath=True, nogil=True)
    inlined = numba.njit(epoch, fastmath=True, nogil=True, error_model="numpy")

    @numba.njit(fastmath=True, nogil=True, error_model="numpy")
    def plane(*a: Any) -> None:
        inlined(*a[:10], 2, True, *a[12:17], False, *a[18:])

    def chosen(*a: Any) -> None:
        (plane if (a[10], a[11], a[17]) == (2, True, False) else whole)(*a)

    return chosen
