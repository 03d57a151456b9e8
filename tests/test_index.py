"""Exact search against scikit-learn, precision against torchmetrics, and the index on disk."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from playground.index import Indexes, fingerprint
from playground.probes.search import BOUND, Bits, Codes, Pixels, packed, precision


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Search --------------------------------------------------------------------------------------------------------------


def test_codes_are_found_as_scikit_learn_finds_them():
    rows, queries = rng().normal(size=(3000, 32)).astype(np.float32), rng(1).normal(size=(20, 32)).astype(np.float32)
    distance, index = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(rows).kneighbors(queries)
    ours, its = Codes(rows).nearest(queries, 10)
    assert (ours == index).all()
    np.testing.assert_allclose(its, distance, rtol=1e-4)


@pytest.mark.parametrize("bits", [1, 8, 30, 64, 100])
def test_bits_are_found_by_hamming_distance(bits):
    codes, asking = rng().random((1500, bits)).astype(np.float32), rng(1).random((7, bits)).astype(np.float32)
    distance, _ = NearestNeighbors(n_neighbors=12, metric="hamming", algorithm="brute").fit(codes > 0.5).kneighbors(
        asking > 0.5)
    index, apart = Bits(packed(codes)).nearest(packed(asking), 12)
    np.testing.assert_allclose(apart, distance * bits, atol=1e-4)
    np.testing.assert_array_equal(apart, ((codes > 0.5)[index] != (asking > 0.5)[:, None]).sum(2))
    equal = np.diff(apart, axis=1) == 0
    assert equal.any() and (np.diff(index, axis=1)[equal] > 0).all()  # among equals the first comes first


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(1, 200), st.integers(1, 12), st.sampled_from(["noise", "smooth", "few"]))
def test_pixels_are_found_exactly_whatever_the_images_are(n, d, k, kind):
    """The bound from below may leave out no neighbour: images of noise, on which it says little, and of few values,
    where many are equally far."""
    def images(count: int, seed: int) -> np.ndarray:
        values = rng(seed).integers(0, 3 if kind == "few" else 256, (count, d))
        return (np.cumsum(values, 1) // (np.arange(d) + 1) if kind == "smooth" else values).astype(np.uint8)

    rows, queries = images(n, 0), images(3, 1)
    squared = np.square(queries[:, None].astype(np.int64) - rows[None]).sum(2)
    index, distance = Pixels(rows).nearest(queries, k)
    np.testing.assert_array_equal(index, np.argsort(squared, 1, kind="stable")[:, :k])
    np.testing.assert_allclose(distance, np.sqrt(np.sort(squared, 1)[:, :k]) / 255, rtol=1e-5)


def test_more_directions_than_pixels_are_none():
    assert Pixels(np.zeros((5, 3), np.uint8)).nearest(np.ones((2, 3), np.uint8), 9)[0].tolist() == [[0, 1, 2, 3, 4]] * 2
    assert BOUND > 3


def test_precision_is_torchmetrics():
    from torchmetrics.retrieval import RetrievalPrecision

    rows, queries = rng().normal(size=(200, 5)).astype(np.float32), rng(1).normal(size=(30, 5)).astype(np.float32)
    its_labels, labels = rng(2).integers(0, 3, 200), rng(3).integers(0, 3, 30)
    apart = torch.cdist(torch.from_numpy(queries), torch.from_numpy(rows))
    relevant = torch.from_numpy(labels[:, None] == its_labels)
    which = torch.arange(30)[:, None].expand(-1, 200)
    wanted = RetrievalPrecision(top_k=10)((-apart).exp().flatten(), relevant.flatten(), which.flatten())
    assert precision(Codes(rows), queries, labels, its_labels) == pytest.approx(wanted.item(), abs=1e-6)


def test_an_image_is_not_its_own_neighbour_in_precision():
    rows, labels = rng().normal(size=(40, 4)).astype(np.float32), np.arange(40)  # nobody else is of its class
    assert precision(Codes(rows), rows, labels, labels) == pytest.approx(0.1)
    assert precision(Codes(rows), rows, labels, labels, np.arange(40)) == 0
    assert precision(Codes(rows[:1]), rows[:1], labels[:1], labels[:1], np.zeros(1, int)) is None
    half = np.where(np.arange(40) < 20, np.arange(40), -1)
    assert precision(Codes(rows), rows, labels, labels, half) == pytest.approx(0.05)


# The index on disk ---------------------------------------------------------------------------------------------------


def test_an_index_is_kept_and_given_to_its_owner_only(tmp_path):
    store, rows = Indexes(tmp_path / "new"), rng().normal(size=(7, 3)).astype(np.float32)
    store.save("one", {"model": "a"}, {"rows": rows}, {"said": "ü"})
    arrays, about = store.load("one", {"model": "a"})
    assert about == {"said": "ü"}
    np.testing.assert_array_equal(arrays["rows"], rows)
    assert store.load("one", {"model": "b"}) is None and store.load("other", {"model": "a"}) is None
    assert [path.suffix for path in (tmp_path / "new").iterdir()] == [".safetensors"]


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "text", "gone"])
def test_a_damaged_index_is_as_good_as_missing(tmp_path, harm):
    store = Indexes(tmp_path)
    store.save("one", {}, {"rows": np.arange(1000, dtype=np.float32)}, {})
    path = store.path("one")
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[-100] ^= 1
    path.write_bytes({"cut": data[:-9], "flip": data, "empty": b"", "text": b"no index at all", "gone": b""}[harm])
    if harm == "gone":
        path.unlink()
    assert store.load("one", {}) is None


def test_the_folder_stays_bounded_and_what_is_used_stays(tmp_path):
    store, rows = Indexes(tmp_path, most=10_000), np.zeros(700, np.float32)
    for i, name in enumerate("abc"):
        store.save(name, {}, {"rows": rows}, {})
        os.utime(store.path(name), (i, i))
    store.load("a", {})  # it was the oldest
    store.save("d", {}, {"rows": rows}, {})
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000
    assert [store.load(name, {}) is not None for name in "abcd"] == [True, False, True, True]


def test_what_is_larger_than_the_folder_may_be_is_not_kept(tmp_path):
    store = Indexes(tmp_path, most=10_000)
    store.save("small", {}, {"rows": np.zeros(700, np.float32)}, {})
    store.save("large", {}, {"rows": np.zeros(2600, np.float32)}, {})
    assert store.load("large", {}) is None and store.load("small", {}) is not None


def test_an_index_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Indexes(tmp_path / "file" / "indexes")
    store.save("one", {}, {"rows": np.zeros(3)}, {})
    assert store.load("one", {}) is None


def test_fingerprints_tell_arrays_apart():
    a = np.arange(6, dtype=np.uint8)
    assert fingerprint(a) == fingerprint(a.copy()) != fingerprint(a.reshape(2, 3)) != fingerprint(a[::-1])
