"""Neighbours against NumPy's brute force and scikit-learn; scores against scikit-learn called directly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.probes.neighbours import LAYERS, METRICS, least, nearest
from playground.probes.scores import pca_of_pixels, precision, scores, vote


def rows(m: int, k: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(m, k)).astype(np.float32)


def distances(a: np.ndarray, b: np.ndarray, metric: str) -> np.ndarray:
    a, b = a.astype(np.float64), b.astype(np.float64)
    if metric == "cosine":
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        return 1 - a @ b.T
    difference = a[:, None] - b[None]
    return np.abs(difference).sum(2) if metric == "manhattan" else np.sqrt((difference**2).sum(2))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_neighbours_are_those_of_brute_force(metric, offset):
    gallery, queries = rows(700, 6) + np.float32(offset), rows(50, 6, 1) + np.float32(offset)
    index, distance = nearest(gallery, 10, queries, metric)
    expected = np.sort(distances(queries, gallery, metric), 1)[:, :10]
    if not (offset and metric == "cosine"):  # far away all directions are alike: float32 cannot order them
        np.testing.assert_allclose(distance, expected, rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(index[:, 0], distances(queries, gallery, metric).argmin(1))


@pytest.mark.parametrize("metric", METRICS)
def test_among_themselves_as_scikit_learn_and_never_oneself(metric):
    from sklearn.neighbors import NearestNeighbors

    gallery = rows(1200, 8)
    distance, index = NearestNeighbors(n_neighbors=12, metric=metric, algorithm="brute").fit(gallery).kneighbors()
    ours, ours_distance = nearest(gallery, 12, metric=metric)
    assert (ours == index).mean() > 0.999  # ties within float32 may swap
    np.testing.assert_allclose(ours_distance, distance, rtol=1e-3, atol=1e-5)
    assert not (ours == np.arange(1200)[:, None]).any()


@pytest.mark.parametrize("n", [5, 40 * LAYERS - 1, 40 * LAYERS + 7, 2003])
def test_the_least_are_those_of_topk(n):
    values = torch.from_numpy(rows(30, n))
    values[:, -1] = -9  # what the pile leaves over counts too
    found = values.gather(1, least(values, 5)).sort(1).values
    assert (found == values.topk(5, largest=False).values).all()


def test_equal_rows_find_each_other_at_distance_zero_in_order():
    gallery = np.repeat(rows(3, 4), 5, 0)
    index, distance = nearest(gallery, 4)
    assert (distance == 0).all() and (index // 5 == np.arange(15)[:, None] // 5).all()
    assert (np.diff(index, axis=1) > 0).all()


def test_fewer_rows_than_neighbours_give_what_there_is():
    assert nearest(rows(4, 2), 15)[0].shape == (4, 3)
    assert nearest(rows(4, 2), 15, rows(2, 2, 1))[0].shape == (2, 4)
    assert nearest(rows(1, 2), 15)[0].shape == (1, 0)


def classes(m: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes that know something of four classes, pixels that know more, labels."""
    labels = np.random.default_rng(5).integers(0, 4, m)
    return rows(m, 3) + labels[:, None], rows(m, 40, 2) + 2 * labels[:, None], labels


@pytest.mark.slow
def test_scores_are_scikit_learns():
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import accuracy_score, silhouette_score
    from sklearn.model_selection import LeaveOneOut, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

    codes, pixels, labels = classes()
    found = scores(codes, pixels, labels)
    assert found["trustworthiness"] == pytest.approx(trustworthiness(pixels, codes, n_neighbors=10))
    assert found["silhouette"] == pytest.approx(silhouette_score(codes, labels))
    votes = cross_val_predict(KNeighborsClassifier(10), codes, labels, cv=LeaveOneOut())
    assert found["knn_accuracy"] == pytest.approx(accuracy_score(labels, votes))
    index = NearestNeighbors(n_neighbors=10).fit(codes).kneighbors(return_distance=False)
    assert found["hit"] == pytest.approx((labels[index] == labels[:, None]).mean())


def test_precision_is_the_share_of_right_ones_among_the_ten_found():
    codes, _, labels = classes()
    queries, gallery = codes[:100], codes[100:]
    order = distances(queries, gallery, "euclidean").argsort(1)[:, :10]
    expected = np.mean([[labels[100 + j] == labels[i] for j in found] for i, found in enumerate(order)])
    assert precision(queries, labels[:100], gallery, labels[100:]) == pytest.approx(expected)


def test_scores_that_mean_nothing_are_none():
    codes, pixels, labels = classes(40)
    one_class = scores(codes, pixels, np.zeros(40, np.int64))
    assert one_class["trustworthiness"] is not None and one_class["silhouette"] is None and one_class["hit"] is None
    assert set(scores(codes[:2], pixels[:2], labels[:2]).values()) == {None}
    assert precision(codes, labels, codes, np.zeros(40, np.int64)) is None
    equal = scores(np.zeros((40, 3), np.float32), pixels, labels)
    assert all(value is None or np.isfinite(value) for value in equal.values())


def test_a_tied_vote_goes_to_the_smallest_label():
    assert vote(np.array([[2, 1, 1, 2], [3, 3, 0, 1]])).tolist() == [1, 3]


def test_pca_of_pixels_is_cut_to_what_fits():
    pixels = (np.abs(rows(30, 12)) * 50).astype(np.uint8)
    first, other = pca_of_pixels(pixels, 64, pixels[:5])
    assert first.shape == (30, 12) and other.shape == (5, 12)
    np.testing.assert_allclose(first[:5], other, atol=1e-2)
