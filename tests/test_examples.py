"""Where a data set is not here: shipped models show their own reconstructions instead, and say so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import checkpoint
from playground.data import _torchvision, datasets
from playground.events import Trouble
from playground.examples import COUNT, FILE, read
from playground.explorer import Explorer
from playground.library import SHIPPED, Library
from playground.paint_routes import Paint
from playground.probes.maps import MapKnobs
from playground.retriever import Retriever
from playground.workbench import Workbench
from tests.plugins import until

MODEL, CODELESS = "undercomplete-mnist", "inpaint-mnist"
MODELS = sorted(path.parent.name for path in SHIPPED.glob(f"*/{FILE}"))


@pytest.fixture
def tries(monkeypatch, tmp_path):
    """No data set lies here and there is no network; what was tried to fetch."""
    tried = []

    def download(urls, target, md5, title, report, pause=1.0):
        tried.append(target.name)
        raise Trouble(f"{title} has to be downloaded, but there is no network or its server does not answer.")

    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PLAYGROUND_DATASETS", str(tmp_path / "empty"))
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(_torchvision, "download", download)
    return tried


@pytest.fixture
def bench(tries, tmp_path):
    bench = Workbench(tmp_path / "bench", "cpu")
    yield bench
    bench.close()


def entry(name):
    found = Library(SHIPPED / "none").find(name)
    assert found is not None
    return found


@cache
def images(data):
    try:
        return data.load()
    except Trouble as trouble:
        return str(trouble)


def test_every_model_with_a_code_whose_data_must_be_fetched_has_examples():
    fetched = [one for one in Library(SHIPPED / "none").shipped_models() if one.experiment.data.needs_download]
    assert MODELS == sorted(one.name for one in fetched if one.experiment.has_code)
    assert {one.experiment.data.name for one in fetched} == {entry(name).experiment.data.name for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.slow
def test_examples_are_what_the_model_makes_of_the_first_held_out_images(name):
    one = entry(name)
    made, path = read(one, "Said."), one.path.with_name(FILE)
    assert path.stat().st_size < 260_000 and made.stand_in == "Said."
    assert made.images.shape == (COUNT, *one.experiment.data.shape) and made.images.dtype == np.uint8
    assert sorted([*made.train, *made.held_out]) == [*range(COUNT)]
    assert set(made.labels) == set(range(10)) and len(made.classes) == 10
    source = images(one.experiment.data)
    if isinstance(source, str):
        pytest.skip(source)
    rows = source.held_out[:100]
    with torch.no_grad():
        back = checkpoint.load(one.path).model()(torch.from_numpy(source.images[rows]) / 255).clamp(0, 1)
    assert np.abs(back.numpy() * 255 - made.images[:100]).max() < 2  # half precision of the code and 8 bits
    assert (source.labels[rows] == made.labels[:100]).all()


@pytest.mark.parametrize("name, whose", [(MODEL, "the model's own reconstructions"), (CODELESS, "reconstructions by ")])
def test_images_stand_in_for_those_that_are_not_here(bench, tries, name, whose):
    told = bench.probe(name, lambda model, images: (images.source.stand_in, images.shape)).result(60)
    assert told[0].startswith("MNIST digits cannot be loaded here") and whose in told[0] and told[1] == (1, 28, 28)
    asked = len(tries)
    bench.probe(name, lambda model, images: None).result(60)
    assert asked and len(tries) == asked  # nobody waits for the network again


def test_the_map_shows_them_and_says_so(bench):
    async def go():
        explorer = Explorer(bench)
        space = await explorer.space(MODEL)
        return space, await explorer.map(space, MapKnobs())

    space, chart = asyncio.run(go())
    codes = space.codes
    assert len(codes.codes) == len(chart.places) == COUNT and codes.has_labels and "own reconstructions" in (
        space.resident.source.stand_in)
    assert codes.errors.mean() < 0.005  # the model knows what it made: of the images themselves it is three times that
    assert codes.thumbs.std() > 50
    assert codes.held_out.all()  # none of them was learnt from


@pytest.mark.slow
def test_like_ones_are_found_among_them(bench):
    async def go():
        asker = Retriever(bench)
        ready = await asker.ready("retrieve-mnist", asker.against("retrieve-mnist"))
        return ready, await asker.find(ready, 7), await asker.precision(ready)

    ready, found, worth = asyncio.run(go())
    assert len(ready.among) == COUNT and 7 not in found.rows
    assert len(ready.among.problems) == 1 and "cannot be loaded here" in ready.among.problems[0]
    assert worth["code"] > 0.6 and worth["pixels"] > 0.6  # by chance one in ten would be of the class
    assert not bench.library.runs.parent.joinpath("indexes").exists()  # nothing of them is kept


def test_the_first_look_at_a_model_keeps_its_figures_and_learns_nothing(bench):
    made = entry(MODEL)
    job = bench.show(made.experiment)
    event = until(bench, job, "done").event
    assert event.metrics == made.metrics and event.held_out == made.history[-1].held_out
    assert event.step == event.steps == made.step
    assert len(event.history) == len(made.history) and event.view.output.shape[0] == 8 and min(event.view.grades) > 15
    assert "own reconstructions" in event.still.stand_in
    bench.retune(job, {"training.epochs": made.experiment.training.epochs + 1})
    bench.resume(job).result(20)
    failed = until(bench, job, "failed")
    assert "Nothing can be learnt from them" in failed.problem and failed.event.step == made.step
    assert bench.jobs() == ()


def test_a_run_on_such_data_is_told_that_they_cannot_be_fetched(bench):
    made = replace(entry(MODEL).experiment, training=replace(entry(MODEL).experiment.training, seed=5))
    assert "no network" in until(bench, bench.start(made), "failed").problem


def test_examples_to_paint_on(bench):
    with TestClient(Starlette(routes=Paint(lambda: bench).routes())) as client:
        for _ in range(200):
            strip = client.get("/paint/pictures", params={"data": "mnist", "count": 5}).json()
            if "waiting" not in strip:
                break
        assert [one["label"] for one in strip["pictures"]] and strip["total"] == 512
        brought = client.post("/paint/picture", params={"data": "mnist", "index": 3}).json()
        assert "reconstructions by" in brought["note"] and (brought["height"], brought["width"]) == (28, 28)


def test_without_any_examples_the_reason_is_told(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench.library, "shipped", tmp_path)
    with pytest.raises(Trouble, match="no network"):
        bench.supply.look(datasets["mnist"]()).result(60)
    with pytest.raises(Trouble, match="no network"):
        bench.supply.look(datasets["mnist"]()).result(60)
