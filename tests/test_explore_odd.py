"""The explorer over HTTP where something is odd: bad questions, small codes, runs that go on, fits that end."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import io
import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.batches import to_unit
from playground.explore_routes import Explore
from playground.inside_routes import Inside
from playground.probes import codes as probing
from playground.probes import maps, restoring
from tests.explored import COUNT, Asker, as_bytes, asker, bench, client, floats, picture, pixels, truth  # noqa: F401  (fixtures)
from tests.plugins import experiment, resident, stepped, until


@pytest.mark.parametrize("path, question, words", [
    ("decode", {"x": "left", "y": 0}, "number"),
    ("decode", {"x": float("nan"), "y": 0}, "number"),
    ("decode", {}, "number"),
    ("decode", {"index": COUNT}, "399"),
    ("decode", {"index": -1}, "whole number"),
    ("decode", {"code": [1, 2]}, "8 finite"),
    ("decode", {"code": "abc"}, "list"),
    ("decode", {"code": [None] * 8}, "finite"),
    ("decode", {"x": 0, "y": 0, "map": 3}, "map"),
    ("decode", {"x": 0, "y": 0, "digest": "0" * 16}, "learnt on"),
    ("walk", {"from": {"index": 1}}, "two ends"),
    ("walk", {"from": {"index": 1}, "to": {"index": 2}, "steps": 1000}, "64"),
    ("walk", {"from": {"index": 1}, "to": {"index": 2}, "how": "drunk"}, "spherical"),
    ("walk", {"from": {"image": "data:,"}, "to": {"index": 2}}, "image"),
    ("group", {"indices": []}, "at least one"),
    ("group", {"indices": [0, "1"]}, "whole numbers"),
    ("selection.csv", {"indices": [10**9]}, "399"),
    ("place", {"image": 3}, "data address"),
    ("place", {"image": "data:image/png;base64,bm9wZQ=="}, "not a PNG"),
    ("map/cancel", {"job": "x"}, "not being fitted"),
])  # fmt: skip
def test_a_bad_question_is_one_sentence(asker, path, question, words):
    text = json.dumps({"map": {"count": COUNT}, **question})  # NaN too, which some clients send
    answer = asker.client.post(
        f"/explore/{asker.job}/{path}", content=text, headers={"content-type": "application/json"}
    )
    assert words in asker.problem(answer)


def test_bad_addresses_are_one_sentence_too(asker):
    nobody = Asker(asker.client, "nobody")
    assert "no run or model" in nobody.problem(nobody.get(), 404)
    assert "two entries" in asker.problem(asker.get("map", kind="plane"))
    assert "no entry" in asker.problem(asker.get("map", kind="entries", second=8))
    assert "side" in asker.problem(asker.get("grid", side=1000))
    assert "csv, npz or html" in asker.problem(asker.get("export.exe"))
    assert "JSON" in asker.problem(asker.client.post(f"/explore/{asker.job}/decode", content=b"{"))
    note = asker.get("map", count=50_000, kind="globe").json()["note"]
    assert "10,000" in note and "globe" in note


def test_earlier_weights_stay_while_the_run_goes_on(bench, client):
    job = bench.start(experiment(epochs=1000), paused=True)
    until(bench, job, "ready")
    asker = Asker(client, job)
    before = asker.get().json()["digest"]
    old = asker.post("decode", index=3, digest=before).json()
    bench.resume(job).result(5)
    stepped(bench, job, 30)
    after = asker.get().json()["digest"]
    assert after != before
    assert asker.post("decode", index=3, digest=before).json()["image"] == old["image"]
    assert asker.post("decode", index=3).json()["image"] != old["image"]  # the weights asked for last
    film = asker.get("history").json()["steps"]
    assert film[:3] == [0, 1, 2]
    bench.stop(job).result(5)


def test_a_network_that_diverged_is_one_sentence(bench, client):
    job = bench.start(experiment(), paused=True)
    until(bench, job, "ready")

    def spoil():
        with torch.no_grad():
            next(bench._sessions[job].model.parameters()).fill_(float("nan"))

    bench._engine.ask(spoil).result(5)
    asker = Asker(client, job)
    assert asker.get().status_code == 200
    for path in ("map", "grid", "directions", "scores", "history", "export.csv"):
        assert "not numbers" in asker.problem(asker.get(path))
    assert "not numbers" in asker.problem(asker.get("map", kind="umap"))


@pytest.mark.parametrize("data, code", [("digits", 1), ("digits", 2), ("plane", 1), ("plane", 2)])
def test_small_codes_and_points_of_the_plane(bench, client, data, code):
    made = experiment(data=data)
    job = bench.start(replace(made, architecture=replace(made.architecture, code=code)), paused=True)
    until(bench, job, "ready")
    asker = Asker(client, job)
    about = asker.get().json()
    assert "plane" in about["kinds"]
    for path in ("points.bin", "thumbnails", "map", "grid", "directions", "history.bin"):
        answer = asker.get(path, side=4) if path == "grid" else asker.get(path)
        assert answer.status_code == 200, answer.text
    assert len(asker.post("neighbours", index=0).json()["code"]) == 8
    answer = asker.get("map", kind="plane").json()
    assert np.isfinite(floats(answer["places"], about["m"], 2)).all()
    assert asker.post("decode", x=0.1, y=0.1).status_code == 200
    if data == "plane":
        place = client.post(f"/explore/{job}/place", content=picture(np.zeros((9, 9), np.uint8)))
        assert "points" in asker.problem(place)


@pytest.mark.slow
def test_a_umap_is_fitted_aside_told_of_and_can_be_cancelled(asker, truth):
    knobs = {"kind": "umap", "neighbours": 8, "count": COUNT}
    seen, deadline = set(), time.monotonic() + 120
    while (answer := asker.get("map", **knobs).json())["status"] == "fitting":
        seen.add(answer["fraction"])
        early = asker.post("decode", x=0, y=0, map=knobs)
        assert early.status_code == 200 or "still being fitted" in asker.problem(early)
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert max(seen) <= 1 and np.isfinite(floats(answer["places"], COUNT, 2)).all() and not answer["exact"]
    same = asker.get("map", **knobs, first=3, way="inverse").json()  # these do not move a point: nothing is fitted anew
    assert same["status"] == "ready" and same["places"] == answer["places"]
    point = asker.post("decode", x=0.2, y=0.1, map=knobs).json()
    assert 0 <= point["distance"] < 1 and len(point["code"]) == 8
    other = {**knobs, "seed": 9}
    job = asker.get("map", **other).json()["job"]
    assert asker.post("map/cancel", job=job).json() == {"cancelled": True}
    assert asker.problem(asker.post("map/cancel", job=job))


@pytest.mark.slow
def test_denoising_arrows_on_the_umap_of_the_latent_space_page(bench):
    """A noisy and a restored code lie among the places of the codes nearest to them, on the map that is shown there."""
    explore = Explore(lambda: bench)
    inside = Inside(lambda: bench, explore.explorer)
    job = bench.start(experiment("denoising", data="glyphs", epochs=2))
    until(bench, job, "done")
    with TestClient(Starlette(routes=[*explore.routes(), *inside.routes()])) as client:
        question = {"map": "umap", "kind": "masking", "level": 0.4}
        while "fitting" in (told := client.get(f"/inspect/{job}/arrows", params=question).json()):
            assert 0 <= told["fitting"]["fraction"] <= 1 and told["fitting"]["job"]
            time.sleep(0.05)
        shown = client.get(f"/explore/{job}/map", params={"kind": "umap"}).json()
    places = floats(shown["places"], 200, 2)  # all 200 images, the held-out ones first
    np.testing.assert_allclose(told["places"], places[: len(told["places"])], atol=1e-3)
    images, model = resident(bench.experiment(job).data), bench._model(job)
    codes = probing.codes_of(model, images, 0, 200)
    x = to_unit(images.held_out[: len(told["start"])])
    for key, moved in zip(("start", "end"), restoring.code_arrows(model, x, "masking", 0.4)):
        far = np.linalg.norm(codes[None] - moved[:, None], axis=2)
        near = far.argsort(1)[:, :6]
        weight = 1 / (np.take_along_axis(far, near, 1) / np.sort(far, 1)[:, 5:6] + 1e-3) ** 3
        by_hand = (places[near] * weight[..., None]).sum(1) / weight.sum(1, keepdims=True)
        np.testing.assert_allclose(told[key], by_hand, atol=2e-3)
    assert told["map"] == "umap" and told["start"] != told["end"]


def test_points_of_the_plane_arrive_without_loss(bench, client):
    made = experiment(data="plane")
    job = bench.start(replace(made, architecture=replace(made.architecture, code=2)), paused=True)
    until(bench, job, "ready")
    asker = Asker(client, job)
    source = resident(made.data).source
    order = np.concatenate([source.held_out, source.train])[:COUNT]
    points = as_bytes(source.images[order].reshape(len(order), 2))

    def tiles(path: str, columns: int, **knobs) -> np.ndarray:
        answer = asker.get(path, **knobs)
        assert answer.headers["content-type"] == "image/png"
        sheet = np.asarray(Image.open(io.BytesIO(answer.content)).convert("L"))
        return sheet.reshape(len(sheet), columns, 2).reshape(-1, 2)

    assert (tiles("thumbnails", 100)[: len(points)] == points).all()
    grid = tiles("grid", 6, side=6)
    for cell in (0, 9, 35):
        x, y = maps.grid_places(6)[cell].tolist()
        exact = pixels(asker.post("decode", x=x, y=y).json()["image"]).reshape(2)
        assert np.abs(grid[cell].astype(int) - exact).max() <= 1


def test_heights_of_a_code_of_one_number_mean_nothing(bench, client):
    made = experiment()
    job = bench.start(replace(made, architecture=replace(made.architecture, code=1)), paused=True)
    until(bench, job, "ready")
    asker = Asker(client, job)
    places = floats(asker.get("map", kind="plane").json()["places"], COUNT, 2)
    knobs = {"count": COUNT, "kind": "plane"}
    told = asker.post("decode", index=7, map=knobs).json()
    assert told["landed"][1] == told["place"][1] == pytest.approx(places[7, 1])
    assert told["distance"] == pytest.approx(abs(told["landed"][0] - told["place"][0]) / 2)
    ends = {"from": {"index": 7}, "to": {"index": 8}}
    walked = np.array(asker.post("walk", **ends, steps=5, map=knobs).json()["places"])
    np.testing.assert_allclose(walked[[0, -1]], places[[7, 8]], atol=1e-5)
    np.testing.assert_allclose(np.diff(walked[:, 1], 2), 0, atol=1e-5)


def test_a_server_that_stops_ends_its_fits():
    from playground.explorer import Explorer, Fit
    from playground.probes.fitting import Cancelled, Progress

    explorer = Explorer(None)  # type: ignore[arg-type]
    explorer._fits["a"] = Fit("job", Progress())
    explorer.close()
    with pytest.raises(Cancelled):
        explorer._fits["a"].progress.reach(0.5)
