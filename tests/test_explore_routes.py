"""The explorer over HTTP: every answer against the model itself."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from playground.explore_answers import packed
from playground.probes.maps import MapKnobs, flat
from playground.probes.neighbours import nearest
from tests.explored import COUNT, as_bytes, asker, bench, client, close, floats, picture, pixels, truth, unpack  # noqa: F401  (fixtures)


def test_packed_arrays_come_back():
    arrays = {"a": np.arange(5, dtype="u1"), "b": np.arange(6, dtype="<f4").reshape(2, 3), "c": np.empty((0, 2), "<u2")}
    for name, array in unpack(packed(**arrays)).items():
        assert (array == arrays[name]).all() and array.shape == arrays[name].shape


def test_overview_and_points(asker, truth):
    x, codes, out, labels, order = truth
    about = asker.get().json()
    assert (about["m"], about["k"], about["shape"]) == (COUNT, 8, [1, 16, 16]) and about["has_labels"]
    assert about["kinds"] == ["pca", "umap", "entries"] and about["notes"] == []
    points = unpack(asker.get("points.bin").content)
    assert (points["labels"] == labels).all() and (points["index"] == order).all()
    np.testing.assert_allclose(points["errors"], ((x - out) ** 2).mean((1, 2, 3)), rtol=1e-4)
    assert points["held_out"].sum() == about["held_out"] == 359
    values = unpack(asker.get("entries.bin", entries="0,7").content)["values"]
    np.testing.assert_allclose(values, codes[:, [0, 7]].T, atol=1e-5)


def test_the_map_is_the_principal_plane_of_the_codes(asker, truth):
    answer = asker.get("map").json()
    assert answer["status"] == "ready" and answer["exact"]
    np.testing.assert_allclose(floats(answer["places"], COUNT, 2), flat(truth[1], MapKnobs()).places, atol=1e-3)


def test_thumbnails_are_the_images(asker, truth):
    answer = asker.get("thumbnails")
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)).convert("L")).astype(float)
    columns = int(answer.headers["x-columns"])
    row, column = divmod(123, columns)
    tile = sheet[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
    assert np.abs(tile - truth[0][123, 0] * 255).mean() < 6


def test_neighbours_by_code_and_by_pixels_are_those_of_brute_force(asker, truth):
    x, codes, *_ = truth
    for name, rows in (("code", codes), ("pixels", x.reshape(COUNT, -1))):
        for i in (0, 123, COUNT - 1):
            distances = ((rows - rows[i]) ** 2).sum(1)
            distances[i] = np.inf
            assert asker.post("neighbours", index=i).json()[name] == distances.argsort()[:8].tolist()
    made = asker.post("decode", code=codes[7].tolist()).json()
    distances = ((as_bytes(x).reshape(COUNT, -1).astype(int) - pixels(made["image"]).reshape(-1)) ** 2).sum(1)
    found = asker.post("neighbours", code=codes[7].tolist()).json()
    assert found["code"][0] == 7 and found["pixels"] == distances.argsort(kind="stable")[:8].tolist()


def test_what_lies_at_a_place_a_point_and_a_code(asker, truth, bench):
    x, codes, out, *_ = truth
    point = asker.post("decode", index=5).json()
    assert close(pixels(point["image"]), as_bytes(out[5, 0])) and point["nearest"][0] == 5
    chart = flat(codes, MapKnobs())
    answer = asker.post("decode", x=0.3, y=-0.2).json()
    code = chart.code_at(np.array([[0.3, -0.2]], np.float32))
    np.testing.assert_allclose(answer["code"], code[0], atol=1e-2)
    with torch.no_grad():
        model = bench._model(asker.job)
        image = model.decode(torch.tensor([answer["code"]]))
        landed = chart.place(model.encode(image).numpy())[0]
    assert close(pixels(answer["image"]), as_bytes(image[0, 0].numpy()))
    np.testing.assert_allclose(answer["landed"], landed, atol=1e-2)
    assert answer["distance"] == pytest.approx(np.hypot(*(landed - [0.3, -0.2])) / 2, abs=1e-2)
    again = asker.post("decode", code=answer["code"]).json()
    assert again["image"] == answer["image"]


def test_the_grid_is_the_map_decoded(asker, truth, bench):
    answer = asker.get("grid", side=6)
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)).convert("L")).astype(float)
    assert sheet.shape == (96, 96) and answer.headers["x-tile"] == "1,16,16"
    extent = float(answer.headers["x-extent"])
    row, column = 1, 4
    x, y = (((i + 0.5) / 6 * 2 - 1) * extent for i in (column, row))
    exact = pixels(asker.post("decode", x=x, y=y).json()["image"]).astype(float)
    assert np.abs(sheet[16 * row : 16 * row + 16, 16 * column : 16 * column + 16] - exact).mean() < 8


@pytest.mark.parametrize("how", ["straight", "spherical"])
def test_a_walk_begins_and_ends_at_the_two_reconstructions(asker, truth, how):
    x, codes, out, *_ = truth
    ends = {"from": {"index": 2}, "to": {"index": 9}}
    answer = asker.post("walk", **ends, steps=5, how=how).json()
    strip, faded = pixels(answer["by_code"]), pixels(answer["by_pixels"])
    assert strip.shape == faded.shape == (16, 80) and answer["tile"] == [1, 16, 16]
    assert close(strip[:, :16], as_bytes(out[2, 0])) and close(strip[:, -16:], as_bytes(out[9, 0]))
    assert (faded[:, :16] == as_bytes(x[2, 0])).all() and (faded[:, -16:] == as_bytes(x[9, 0])).all()
    walked = floats(answer["codes"], 5, 8)
    np.testing.assert_allclose(walked[[0, -1]], codes[[2, 9]], atol=1e-5)
    places = floats(asker.get("map").json()["places"], COUNT, 2)
    np.testing.assert_allclose(np.array(answer["places"])[[0, -1]], places[[2, 9]], atol=1e-4)


def test_a_walk_from_a_picture_to_a_code(asker, truth):
    data = "data:image/png;base64," + base64.b64encode(picture(as_bytes(truth[0][4, 0]))).decode()
    answer = asker.post("walk", **{"from": {"image": data}, "to": {"code": [0.0] * 8}}, steps=3).json()
    assert close(pixels(answer["by_code"])[:, :16], as_bytes(truth[2][4, 0]))


def test_a_group(asker, truth):
    _, codes, _, labels, order = truth
    which = list(range(10, 60))
    answer = asker.post("group", indices=which + which[:3]).json()
    assert answer["count"] == 50
    assert answer["classes"] == np.bincount(labels[which], minlength=10).tolist()
    np.testing.assert_allclose(answer["mean_code"], codes[which].mean(0), rtol=1e-3, atol=1e-3)
    errors = unpack(asker.get("points.bin").content)["errors"]
    assert answer["worst"] == sorted(which, key=lambda i: -errors[i])[:8]
    assert set(answer["walk_indices"]) <= set(which) and pixels(answer["walk"]).shape == (16, 16 * 13)
    csv = asker.post("selection.csv", indices=which)
    assert csv.headers["content-type"].startswith("text/csv") and "attachment" in csv.headers["content-disposition"]
    lines = csv.text.splitlines()
    assert len(lines) == 51 and [int(line.split(",")[0]) for line in lines[1:]] == order[which].tolist()


def test_a_picture_of_the_data_set_is_placed_where_it_is(asker, truth):
    x, codes, out, *_ = truth
    answer = asker.client.post(
        f"/explore/{asker.job}/place", params={"count": COUNT}, content=picture(as_bytes(x[7, 0]))
    ).json()
    np.testing.assert_allclose(answer["code"], codes[7], atol=1e-4)
    assert answer["neighbours_code"][0] == answer["neighbours_pixels"][0] == 7
    assert len(answer["neighbours_code"]) == 10 and close(pixels(answer["reconstruction"]), as_bytes(out[7, 0]))
    assert answer["psnr"] == pytest.approx(-10 * np.log10(((x[7] - out[7]) ** 2).mean()), abs=0.01)
    place = floats(asker.get("map").json()["places"], COUNT, 2)[7]
    np.testing.assert_allclose([answer["x"], answer["y"]], place, atol=1e-4)
    paper = base64.b64encode(picture(255 - as_bytes(x[7, 0]))).decode()
    drawn = asker.post("place", image=paper).json()
    assert drawn["negative"] and drawn["neighbours_pixels"][0] == 7


def test_directions_are_the_principal_ones(asker, truth):
    from sklearn.decomposition import PCA

    answer = asker.get("directions").json()
    pca = PCA().fit(truth[1].astype(np.float64))
    np.testing.assert_allclose(answer["sd"], np.sqrt(pca.explained_variance_), rtol=1e-3)
    np.testing.assert_allclose(answer["share"], pca.explained_variance_ratio_, rtol=1e-3)
    ours = floats(answer["directions"], answer["count"], 8)
    np.testing.assert_allclose(np.abs((ours * pca.components_).sum(1)), 1, rtol=1e-3)
    assert len(answer["entry_low"]) == 8 and answer["low"][0] < 0 < answer["high"][0]


@pytest.mark.slow
def test_scores_of_code_map_pca_and_pixels(asker, truth):
    from sklearn.manifold import trustworthiness

    x, codes, _, labels, _ = truth
    answer = asker.get("scores").json()
    assert set(answer["rows"]) == {"code", "map", "pca", "pixels"} and answer["points"] == COUNT
    assert set(answer["meanings"]) == set(answer["rows"]["code"]) and answer["rows"]["map"]["precision"] is None
    flat_pixels = as_bytes(x).reshape(COUNT, -1).astype(np.float32)
    expected = trustworthiness(flat_pixels, codes, n_neighbors=10)
    assert answer["rows"]["code"]["trustworthiness"] == pytest.approx(expected, abs=1e-4)
    assert answer["rows"]["pixels"]["trustworthiness"] == pytest.approx(1)
    hit = (labels[nearest(codes, 10)[0]] == labels[:, None]).mean()
    assert answer["rows"]["code"]["hit"] == pytest.approx(hit, abs=1e-3)


def test_the_film_ends_on_the_map(asker, truth, bench):
    steps = asker.get("history").json()["steps"]
    film = unpack(asker.get("history.bin").content)
    assert film["steps"].tolist() == steps and steps[:5] == [0, 1, 2, 4, 8]
    assert film["places"].shape == (len(steps), 359, 2) and np.abs(film["places"]).max() <= 1.001
    assert steps[-1] == asker.get("").json()["step"]
    assert unpack(asker.get("history.bin", count=100).content)["places"].shape == (len(steps), 100, 2)
    answer = asker.get("map").json()
    there, end = floats(answer["places"], -1, 2)[:359], film["places"][-1]
    there = there - there.mean(0)
    np.testing.assert_allclose((end - end.mean(0)) / end.std(), there / there.std(), atol=0.05)


def test_exports(asker, truth):
    table = asker.get("export.csv").text.splitlines()
    assert len(table) == COUNT + 1
    with np.load(io.BytesIO(asker.get("export.npz").content), allow_pickle=False) as file:
        np.testing.assert_allclose(file["codes"], truth[1], atol=1e-5)
    page = asker.get("export.html")
    assert page.headers["content-type"].startswith("text/html") and "data:image/webp;base64," in page.text
    assert "--ap-c0" in page.text and "http" not in page.text  # its own colours, and nothing from elsewhere
