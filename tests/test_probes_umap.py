"""The UMAP map against umap-learn called directly, its odd cases, and ending a fit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from playground.events import Trouble
from playground.probes import fitting
from playground.probes.fitting import Cancelled, Progress, fit, inverse, neighbourhoods
from playground.probes.maps import MapKnobs, Plane, flat, onto

KNOBS = MapKnobs(kind="umap", neighbours=10, seed=3)


def blobs(m: int = 300, k: int = 8) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(5, k))[rng.integers(0, 5, m)] * 4 + rng.normal(size=(m, k))).astype(np.float32)


def direct(codes: np.ndarray, **settings) -> np.ndarray:
    import umap

    return umap.UMAP(random_state=3, n_neighbors=10, min_dist=0.1, n_jobs=1, **settings).fit_transform(codes)


@pytest.mark.slow
def test_places_are_those_of_umap_learn_turned_onto_the_principal_plane():
    codes = blobs()
    fitted = fit(codes, KNOBS)
    expected = direct(codes, precomputed_knn=neighbourhoods(codes, KNOBS))
    turn, shift, scale = fitted.turn
    np.testing.assert_allclose((fitted.places * scale) @ turn.T + shift, expected, atol=1e-4)
    np.testing.assert_allclose(turn @ turn.T, np.eye(2), atol=1e-6)
    pca = flat(codes, MapKnobs()).places
    np.testing.assert_allclose(onto(fitted.places, pca), np.eye(2), atol=1e-3)  # no further turn brings it closer
    assert np.abs(fitted.places).max() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_an_epoch_compiled_for_the_plane_is_umap_learns_own_to_the_bit():
    import numba
    from umap import layouts

    rng, m, edges = np.random.default_rng(0), 50, 400
    theirs = numba.njit(layouts._optimize_layout_euclidean_single_epoch, fastmath=True, parallel=False)
    ours = fitting._compiled(layouts._optimize_layout_euclidean_single_epoch)
    places = rng.normal(size=(m, 2)).astype(np.float32)
    head, tail = rng.integers(0, m, (2, edges)).astype(np.int32)
    every, state = rng.uniform(1, 5, edges), rng.integers(0, 1 << 30, (m, 3))
    found = []
    for epoch in (theirs, ours):
        moved, nothing = places.copy(), np.zeros(1, np.float32)
        due, due_negative, states = every.copy(), every / 5, state.copy()
        for n in range(20):
            epoch(moved, moved, head, tail, m, every, 1.577, 0.895, states, 1.0, 2, True, 1.0, every / 5, due_negative,
                  due, n, False, nothing, nothing, 0, 0, 0, 0, nothing, nothing, 0)  # fmt: skip
        found.append(moved)
    assert (found[0] == found[1]).all() and np.abs(found[0] - places).max() > 0.1


@pytest.mark.slow
def test_it_is_as_trustworthy_as_with_umap_learns_own_search():
    from sklearn.manifold import trustworthiness

    codes = blobs(1000)
    ours = trustworthiness(codes, fit(codes, KNOBS).places, n_neighbors=10)
    theirs = trustworthiness(codes, direct(codes), n_neighbors=10)
    assert abs(ours - theirs) < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["cosine", "manhattan"])
def test_other_metrics_have_their_own_neighbourhoods(metric):
    fitted = fit(blobs(), MapKnobs(kind="umap", metric=metric, neighbours=8))
    assert np.isfinite(fitted.places).all() and fitted.metric == metric


@pytest.mark.slow
def test_progress_grows_and_a_fit_can_be_ended_in_the_middle():
    told = []

    class Watched(Progress):
        def reach(self, fraction):
            told.append(fraction)
            self.cancelled = fraction > 0.6
            super().reach(fraction)

    with pytest.raises(Cancelled):
        fit(blobs(), KNOBS, Watched())
    assert told == sorted(told) and 0.6 < told[-1] < 0.65 and len(told) > 50
    assert fit(blobs(60), KNOBS).places.shape == (60, 2)  # ending one leaves nothing locked


@pytest.mark.slow
def test_odd_codes_have_a_sensible_map():
    few = fit(blobs(14), MapKnobs(kind="umap", neighbours=50))
    assert few.places.shape == (14, 2) and "at most 13" in few.note
    line = fit(blobs(200, 1), KNOBS)
    assert np.isfinite(line.places).all()
    twice = fit(np.repeat(blobs(20), 30, 0), KNOBS)  # every neighbourhood is one point
    assert np.isfinite(twice.places).all() and np.isfinite(twice.code_at(twice.places)).all()


def test_where_umap_means_nothing_the_principal_plane_stands_in():
    few = fit(blobs(6), KNOBS)
    assert isinstance(few, Plane) and "at least 10" in few.note
    equal = fit(np.ones((50, 4), np.float32), KNOBS)
    assert isinstance(equal, Plane) and "equal" in equal.note
    with pytest.raises(Trouble, match="not numbers"):
        fit(np.full((50, 4), np.nan, np.float32), KNOBS)


@pytest.mark.slow
def test_umap_learns_own_way_back_is_a_choice():
    codes = blobs(120)
    fitted = fit(codes, KNOBS)
    among, beyond = fitted.places[:3] * 0.99, np.array([[3, -2]], np.float32)
    back, (turn, shift, scale) = inverse(fitted, np.concatenate([among, beyond])), fitted.turn
    direct = fitted.fitted.inverse_transform((among * scale) @ turn.T + shift)
    np.testing.assert_allclose(back[:3], direct, rtol=1e-5)
    assert np.abs(back[:3] - codes[:3]).max() < np.abs(codes).max() and not np.allclose(direct, fitted.code_at(among))
    assert (back[3:] == fitted.code_at(beyond)).all()  # no triangle of points is there to begin with
    fitted.fitted.embedding_[5] = np.nan  # a code that umap-learn left out
    with pytest.raises(Trouble, match="40 nearest codes.$"):
        inverse(fitted, among)


def test_codes_that_umap_leaves_out_are_put_beside_their_neighbours():
    places = np.array([[0, 0], [2, 0], [np.nan, np.nan]], np.float32)
    np.testing.assert_allclose(fitting._whole(places, np.array([[0, 1], [1, 0], [2, 1]]))[2], [2, 0])


@pytest.mark.slow
def test_its_bytes_are_what_it_holds_besides_the_codes():
    codes = blobs(600)
    chart, plane = fit(codes, KNOBS), flat(codes, MapKnobs())
    assert plane.bytes == plane.places.nbytes == 600 * 2 * 4
    held = len(pickle.dumps((chart.places, chart.fitted, codes))) - codes.nbytes  # each once, however often it is held
    assert chart.bytes == pytest.approx(held, rel=0.25) and chart.bytes > 10 * plane.bytes
