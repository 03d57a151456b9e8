"""Maps against scikit-learn's PCA and closed forms, odd codes included; paths, pictures and exports."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.events import Frame, Trouble
from playground.probes import export, film
from playground.probes.codes import Codes
from playground.probes.maps import MapKnobs, Neighbourly, flat, grid_places, onto, principal
from playground.probes.paths import fade, path, through
from playground.probes.pictures import fitted


def some(m: int = 400, k: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(m, k)) @ rng.normal(size=(k, k)) + rng.normal(size=k)).astype(np.float32)


# Maps ----------------------------------------------------------------------------------------------------------------


def test_the_principal_plane_is_scikit_learns():
    from sklearn.decomposition import PCA

    codes, chart = some(), flat(some(), MapKnobs())
    pca = PCA(2).fit(codes)
    np.testing.assert_allclose(chart.spread, pca.explained_variance_ratio_, rtol=1e-4)
    raw = chart.places * chart.scale + chart.centre
    expected = pca.transform(codes)
    for ours, theirs in zip(raw.T, expected.T):  # an axis may point either way
        assert min(np.abs(ours - theirs).max(), np.abs(ours + theirs).max()) < 1e-3
    assert np.abs(chart.places).max() == pytest.approx(1, abs=1e-5)


def test_a_plane_leads_to_codes_and_back_exactly():
    codes = some()
    for knobs in (MapKnobs(), MapKnobs(kind="entries", first=4, second=1)):
        chart = flat(codes, knobs)
        np.testing.assert_allclose(chart.place(codes), chart.places, atol=1e-5)
        places = np.random.default_rng(1).uniform(-1, 1, (50, 2)).astype(np.float32)
        np.testing.assert_allclose(chart.place(chart.code_at(places)), places, atol=1e-4)
    raw = flat(some(k=2), MapKnobs(kind="plane"))
    np.testing.assert_allclose(raw.code_at(raw.places), some(k=2), atol=1e-4)


def test_entries_are_drawn_as_they_are():
    codes = some()
    chart = flat(codes, MapKnobs(kind="entries", first=4, second=1))
    assert np.corrcoef(chart.places[:, 0], codes[:, 4])[0, 1] == pytest.approx(1)
    assert np.corrcoef(chart.places[:, 1], codes[:, 1])[0, 1] == pytest.approx(1)
    back = chart.code_at(np.zeros((1, 2), np.float32))[0]
    np.testing.assert_allclose(back[[0, 2, 3, 5]], codes.mean(0)[[0, 2, 3, 5]], rtol=1e-4, atol=1e-5)


def test_a_code_of_one_entry_is_a_line():
    codes = some(k=1)
    for kind in ("pca", "plane", "entries"):
        chart = flat(codes, MapKnobs(kind=kind, second=0))
        assert chart.places.shape == (400, 2) and "one number" in chart.note
        np.testing.assert_allclose(chart.code_at(chart.places), codes, atol=1e-4)


@pytest.mark.parametrize("codes", [np.full((20, 5), 3, np.float32), np.zeros((1, 4), np.float32), some(1, 1), some(2)])
def test_equal_or_few_codes_have_places(codes):
    chart = flat(codes, MapKnobs())
    assert np.isfinite(chart.places).all() and np.isfinite(chart.code_at(grid_places(3))).all()
    assert {1: "One image", 2: "", 20: "equal"}[len(codes)] in chart.note and bool(chart.note) == (len(codes) != 2)


@pytest.mark.parametrize("knobs, codes, words", [
    (MapKnobs(), np.full((9, 3), np.nan, np.float32), "not numbers"),
    (MapKnobs(kind="plane"), some(), "two entries"),
    (MapKnobs(kind="entries", second=6), some(), "no entry 6"),
])  # fmt: skip
def test_what_has_no_map_is_one_sentence(knobs, codes, words):
    with pytest.raises(Trouble, match=words) as trouble:
        flat(codes, knobs)
    assert str(trouble.value).endswith(".")


def test_knobs_from_a_question():
    knobs, problems = MapKnobs.asked({"count": "50000", "kind": "umap", "neighbours": "7", "side": "64"})
    assert (knobs.count, knobs.kind, knobs.neighbours) == (10_000, "umap", 7) and "10,000" in problems[0]
    knobs, problems = MapKnobs.asked({"count": "none", "min_dist": "3", "kind": "sphere"})
    assert knobs == MapKnobs() and len(problems) == 3 and all(problem.endswith(".") for problem in problems)
    assert MapKnobs(seed=3, neighbours=5).relevant() == MapKnobs()
    assert MapKnobs(kind="umap", seed=3, first=9, way="inverse").relevant() == MapKnobs(kind="umap", seed=3)
    assert MapKnobs(kind="entries", metric="cosine", second=4).relevant() == MapKnobs(kind="entries", second=4)


def test_the_turn_is_procrustes():
    from scipy.linalg import orthogonal_procrustes

    a, b = some(k=2), some(k=2, seed=3)
    a, b = a - a.mean(0), b - b.mean(0)
    np.testing.assert_allclose(onto(a, b), orthogonal_procrustes(a, b)[0], atol=1e-5)


def test_neighbours_place_known_codes_where_they_are_and_lead_back_near_them():
    codes = some(k=3)
    chart = Neighbourly(flat(codes, MapKnobs()).places, codes)
    np.testing.assert_allclose(chart.place(codes[:50]), chart.places[:50], atol=1e-3)
    grid = chart.code_at(grid_places(8))
    assert (grid >= codes.min(0) - 1e-4).all() and (grid <= codes.max(0) + 1e-4).all()
    few = Neighbourly(chart.places[:3], codes[:3])  # fewer points than neighbours asked for
    assert few.code_at(grid_places(2)).shape == (4, 3)
    exact = np.array([[0.3, 0.1]], np.float32)
    distance = np.hypot(*(chart.places - exact).T)
    near = np.argsort(distance)[:40]
    weight = 1 / (distance[near] + 0.02) ** 2
    np.testing.assert_allclose(chart.code_at(exact)[0], weight @ codes[near] / weight.sum(), rtol=1e-3, atol=1e-4)


# Paths ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["straight", "spherical"])
def test_a_path_begins_and_ends_exactly_at_its_ends(how):
    a, b = some(2, 5)
    codes = path(a, b, 9, how)
    assert (codes[0] == a).all() and (codes[-1] == b).all() and codes.dtype == np.float32


def test_straight_is_the_line_and_spherical_keeps_the_size():
    a, b = some(2, 5)
    np.testing.assert_allclose(path(a, b, 5)[2], (a + b) / 2, rtol=1e-5)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    arc = path(a, b, 7, "spherical")
    np.testing.assert_allclose(np.linalg.norm(arc, axis=1), 1, rtol=1e-5)
    angles = np.arccos(np.clip((arc[:-1] * arc[1:]).sum(1), -1, 1))
    np.testing.assert_allclose(angles, angles[0], rtol=1e-3)


@pytest.mark.parametrize("a, b", [([0, 0], [1, 2]), ([1, 2], [1, 2]), ([1, 1], [-1, -1]), ([1, 1], [3, 3])])
def test_an_arc_that_is_not_defined_is_straight(a, b):
    a, b = np.array(a, np.float32), np.array(b, np.float32)
    np.testing.assert_allclose(path(a, b, 5, "spherical"), path(a, b, 5), atol=1e-6)


def test_a_fade_and_a_walk_through_a_group():
    dark, light = np.zeros((1, 2, 2), np.float32), np.ones((1, 2, 2), np.float32)
    assert fade(dark, light, 5)[:, 0, 0, 0].tolist() == [0, 0.25, 0.5, 0.75, 1]
    codes = some(30, 4)
    way = through(codes, 7)
    along = (codes[way] - codes.mean(0)) @ principal(codes)[1][0]
    assert len(way) == 7 and (np.diff(along) > 0).all()
    assert through(codes[:3], 13).tolist() != [] and len(through(codes[:1], 13)) == 1


# Pictures ------------------------------------------------------------------------------------------------------------


def test_a_drawing_on_paper_is_made_a_negative_and_centred():
    paper = np.full((3, 60, 80), 255, np.uint8)
    paper[:, 5:25, 60:70] = 0  # a bar of ink in a corner
    image, negative = fitted(paper, (1, 28, 28), 0.0, centre=True)
    assert negative and image.shape == (1, 28, 28) and image.dtype == np.float32 and image.max() <= 1
    rows, columns = np.nonzero(image[0] > 0.5)
    assert abs(rows.mean() - 13.5) < 1 and abs(columns.mean() - 13.5) < 1 and 18 <= np.ptp(rows) + 1 <= 22
    blank, _ = fitted(np.zeros((1, 30, 30), np.uint8), (1, 28, 28), 0.0, centre=True)
    assert blank.max() == 0
    colour, negative = fitted(paper, (3, 16, 16), 0.0)
    assert colour.shape == (3, 16, 16) and not negative
    assert fitted(paper, (1, 16, 24), 0.5)[0].shape == (1, 16, 24)
    with pytest.raises(Trouble, match="points"):
        fitted(paper, (1, 1, 2), 0.0)


# The film ------------------------------------------------------------------------------------------------------------


def test_a_film_is_bounded_and_survives_being_saved():
    reel = film.Film(8)
    for step in range(4000):
        reel.look(step, torch.from_numpy(some(20, 5, seed=step)))
    steps = [frame.step for frame in reel.frames]
    assert len(steps) <= film.MOST_FRAMES and steps[:4] == [0, 1, 2, 4] and steps == sorted(set(steps))
    again = film.restored(reel.state(), 8)
    assert all((a.places == b.places).all() and a.step == b.step for a, b in zip(reel.frames, again.frames))
    again.look(4000, torch.from_numpy(some(20, 5)))
    reel.look(4000, torch.from_numpy(some(20, 5)))
    assert [frame.step for frame in again.frames] == [frame.step for frame in reel.frames]
    assert film.restored({}, 8).frames == ()


def test_a_film_ends_on_the_map_and_does_not_spin():
    codes = some(100, 5)
    last = flat(codes, MapKnobs()).places
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in (0.3, 2.0, 4.0)]
    frames = tuple(Frame(i, (last @ turn * 7).astype(np.float16)) for i, turn in enumerate(turns))
    for places in film.shown(frames, last, turn=True):
        np.testing.assert_allclose(places, last, atol=0.02)
    as_it_is = film.shown(frames, last, turn=False)
    assert np.abs(as_it_is[0] - last).max() > 0.1


# Export --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sample() -> Codes:
    rng, m = np.random.default_rng(0), 12
    return Codes(
        codes=some(m, 3), errors=rng.random(m).astype(np.float32), index=np.arange(m)[::-1].copy(),
        held_out=np.arange(m) < 5, labels=np.arange(m) % 3, thumbs=rng.integers(0, 255, (m, 1, 8, 8), np.uint8),
        classes=("cat", "=1+1", "</script>"), shape=(1, 8, 8),
    )  # fmt: skip


def test_csv_round_trip(sample):
    import pandas

    places = flat(sample.codes, MapKnobs()).places
    table = pandas.read_csv(io.StringIO(export.to_csv(sample, places)))
    codes = table[["code_0", "code_1", "code_2"]].to_numpy(np.float32)
    assert (codes == sample.codes).all() and (table[["x", "y"]].to_numpy(np.float32) == places).all()
    assert (table["index"] == sample.index).all() and (table["part"] == "held out").sum() == 5
    assert not table["class"].str.startswith("=").any()
    part = pandas.read_csv(io.StringIO(export.to_csv(sample, places, np.array([7, 2]))))
    assert part["index"].tolist() == sample.index[[7, 2]].tolist()


def test_npz_round_trip_without_pickle(sample):
    places = flat(sample.codes, MapKnobs()).places
    with np.load(io.BytesIO(export.to_npz(sample, places)), allow_pickle=False) as file:
        assert (file["codes"] == sample.codes).all() and (file["places"] == places).all()
        assert (file["thumbnails"] == sample.thumbs).all() and file["classes"].tolist() == list(sample.classes)


def test_the_html_page_needs_nothing_else_and_no_name_breaks_it(sample):
    places = flat(sample.codes, MapKnobs()).places
    page = export.to_html(sample, places, "<b>Sparse</b> 3", "12 codes", b"webp", 10)
    assert "<b>Sparse" not in page and page.count("</script>") == 2 and not re.search(r"(src|href)=", page)
    assert "http" not in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])
    assert data["classes"] == list(sample.classes) and data["labels"] == sample.labels.tolist()
    no_classes = export.to_html(replace(sample, classes=()), places, "x", "y", b"", 10)
    assert "{{" not in no_classes
