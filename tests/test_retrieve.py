"""Retrieval by a model's codes: from data sets, folders and one's own pictures; the index used again; bad input."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
import torch

from playground import retriever as retrieving
from playground.data.own import import_images
from playground.events import Trouble
from playground.experiment import Experiment
from playground.images import to_png
from playground.index import indexes
from playground.probes.search import Bits, Codes, packed, precision
from playground.retriever import Retriever
from tests.plugins import experiment, stepped, until


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# A model, a data set, a folder ---------------------------------------------------------------------------------------


@pytest.fixture
def learnt(bench):
    """learnt(**more): the name of a small run that is done, as tests.plugins.experiment makes them."""

    def run(kind: str = "undercomplete", **training) -> str:
        job = bench.start(experiment(kind, "dense", **({"epochs": 3} | training)))
        until(bench, job, "done")
        return job

    return run


def ask(coroutine):
    return asyncio.run(coroutine)


@pytest.mark.parametrize("kind", ["undercomplete", "retrieve"])
@pytest.mark.slow
def test_held_out_images_find_their_like_by_the_models_own_codes(bench, learnt, kind):
    name = learnt(kind, epochs=10)
    asker = Retriever(bench)
    ready = ask(asker.ready(name, asker.against(name)))
    found = ask(asker.find(ready, 3, 5))
    resident = bench.probe(name, lambda model, resident: resident).result(10)
    train, held_out = resident.source.images[resident.source.train], resident.source.images[resident.source.held_out]
    assert len(ready.among) == len(train) and ready.bits == (kind == "retrieve")

    def coded(images):
        return bench.ask(name, lambda model: model.encode(torch.from_numpy(images).float() / 255).detach()).result(9)

    codes, query = coded(train), coded(held_out[3:4])
    apart = ((codes > 0.5) != (query > 0.5)).sum(1).float() if ready.bits else torch.cdist(codes, query)[:, 0]
    np.testing.assert_allclose(found.distances, apart.sort().values[:5], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(apart[found.rows], found.distances, rtol=1e-4, atol=1e-5)
    told = ready.among.told(int(found.rows[0]))
    assert (resident.source.images[told["index"]] == train[found.rows[0]]).all()
    assert ready.sizes == {"code": 1 if ready.bits else 32, "pixels": 256}
    values = ask(asker.precision(ready))
    assert values["pixels"] > 0.8 and 0.1 < values["code"] < 1
    rows = Codes(codes.numpy()) if not ready.bits else Bits(packed(codes.numpy()))
    asked = coded(held_out[: retrieving.ASKED]).numpy()
    wanted = precision(rows, packed(asked) if ready.bits else asked, resident.held_out_labels[: retrieving.ASKED],
                       resident.source.labels[resident.source.train])
    assert values["code"] == pytest.approx(wanted, abs=1e-3)


def test_the_index_is_used_again_and_made_anew_where_it_does_not_fit(bench, learnt, monkeypatch):
    name, encodings = learnt(), []
    encode = Retriever._codes

    async def counted(self, *values):
        encodings.append(values[0])
        return await encode(self, *values)

    def fresh():
        indexes.cache_clear()  # as in the next process
        asker = Retriever(bench)
        return ask(asker.ready(name, asker.against(name)))

    monkeypatch.setattr(Retriever, "_codes", counted)
    first, again = fresh(), fresh()
    assert len(encodings) == 1 and first.built > 0 and again.built == 0
    np.testing.assert_array_equal(first.codes.nearest(first.codes._among[:3], 4)[0],
                                  again.codes.nearest(again.codes._among[:3], 4)[0])
    (path,) = (bench.library.runs.parent / "indexes").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    fresh()
    assert len(encodings) == 2
    fresh()
    assert len(encodings) == 2  # and it is whole again
    bench.ask(name, lambda model: next(model.parameters()).data.add_(0.5)).result(9)  # it learnt on
    asker = Retriever(bench)
    ask(asker.ready(name, asker.against(name)))
    assert len(encodings) == 3 and len(list(path.parent.iterdir())) == 1


def test_training_goes_on_while_codes_are_made_and_they_are_of_one_moment(bench):
    job = bench.start(experiment(epochs=10_000))
    before = stepped(bench, job, 20).step
    asker = Retriever(bench)
    ready = ask(asker.ready(job, asker.against(job)))
    assert stepped(bench, job, before + 20).step > before
    with torch.no_grad():
        codes = ready.model.encode(torch.from_numpy(ready.among.images).float() / 255).numpy()
    found = ask(asker.find(ready, 0))
    wanted = Codes(codes).nearest(ready.model.encode(torch.from_numpy(ready.among.asking.images[:1]).float() / 255), 10)
    assert (found.rows == wanted[0][0]).all() and bench.snapshot(job).status == "running"
    bench.stop(job).result(5)


def test_pictures_that_are_sent_leave_nothing_behind(bench, learnt):
    name, asker = learnt(), Retriever(bench)
    ready = ask(asker.ready(name, [(f"{i}.png", picture(i % 2, i)) for i in range(5)]))
    assert ask(asker.find(ready, rng().integers(0, 256, (1, 9, 9), np.uint8))).rows.shape == (5,)
    assert not (bench.library.runs.parent / "indexes").exists()


def picture(label: int, seed: int = 0) -> bytes:
    """A disc or a bar, somewhere."""
    y, x = np.mgrid[:24, :24]
    top, left = rng(seed).integers(6, 18, 2)
    drawn = (y - top) ** 2 + (x - left) ** 2 < 16 if label else abs(x - left) < 3
    return to_png(np.where(drawn, 230, 10).astype(np.uint8)[None])


@pytest.fixture
def folder(tmp_path):
    """Ten discs, ten bars, a text and half a picture."""
    made = tmp_path / "pictures"
    for label, name in enumerate(("bars", "discs")):
        (made / name).mkdir(parents=True)
        for i in range(10):
            (made / name / f"{i}.png").write_bytes(picture(label, i))
    (made / "notes.txt").write_text("no picture")
    (made / "half.png").write_bytes(picture(0)[:60])
    return made


def test_a_folder_is_searched_by_files_and_read_once(bench, learnt, folder, monkeypatch):
    from playground import among

    name, read = learnt(), []
    asker, image = Retriever(bench), among.read_image
    monkeypatch.setattr(among, "read_image", lambda data, file: (read.append(file), image(data, file))[1])
    given = image(picture(1, 3), "discs/3.png")
    ready = ask(asker.ready(name, folder))
    assert len(ready.among) == 20 and len(read) == 22
    assert len(ready.among.problems) == 2 and all(
        any(file in sentence for sentence in ready.among.problems) for file in ("notes.txt", "half.png"))
    for by in ("code", "pixels"):
        found = ask(asker.find(ready, given, 3, by))
        assert ready.among.told(int(found.rows[0])) == {"file": "discs/3.png", "label": "discs"}
        assert found.distances[0] == pytest.approx(0, abs=1e-4) and (np.diff(found.distances) >= 0).all()
    indexes.cache_clear()
    again = ask(Retriever(bench).ready(name, folder))
    assert again.built == 0 and len(read) == 22 and again.among.problems == ready.among.problems
    (folder / "discs" / "new.png").write_bytes(picture(1, 99))
    more = ask(Retriever(bench).ready(name, folder))
    assert len(more.among) == 21 and more.built > 0


def test_precision_of_a_folder_is_of_its_own_pictures_and_each_is_no_neighbour_of_its_own(bench, learnt, folder):
    ready = ask(Retriever(bench).ready(learnt(), folder))
    pixels = ready.among.images.reshape(20, -1).astype(float)
    away = np.square(pixels[:, None] - pixels).sum(-1)
    np.fill_diagonal(away, np.inf)
    same = ready.among.labels[away.argsort(1)[:, :10]] == ready.among.labels[:, None]
    found = ask(Retriever(bench).precision(ready))
    assert found["pixels"] == pytest.approx(same.mean(), abs=0.02) and 0 < found["code"] <= 0.9
    assert ready.among.no_precision == ""


def test_without_labels_a_sentence_says_why_there_is_no_precision(bench, learnt, folder):
    name, asker = learnt(), Retriever(bench)
    ready = ask(asker.ready(name, folder / "discs"))
    assert set(ask(asker.precision(ready)).values()) == {None}
    assert ready.among.no_precision.endswith("have no labels, so there is no precision: put them in one folder per "
                                             "class.")
    import_images([(f"{i}.png", picture(0, i)) for i in range(30)], "flat")
    flat = ask(asker.ready(name, asker.against(name, "own:flat")))
    assert flat.among.no_precision == ready.among.no_precision
    assert replace(flat.among, name="pixels").no_precision.endswith("have no labels, so there is no precision.")
    assert ask(asker.ready(name, asker.against(name))).among.no_precision == ""


def test_bad_folders_are_a_sentence(bench, learnt, tmp_path):
    name, asker = learnt(), Retriever(bench)
    empty, texts, one = tmp_path / "empty", tmp_path / "texts", tmp_path / "one"
    for made in (empty, texts, one):
        made.mkdir()
    (texts / "notes.txt").write_text("no picture")
    for place, words in ((empty, "empty"), (texts, "notes.txt"), (tmp_path / "nowhere", "no folder")):
        with pytest.raises(Trouble, match=words):
            ask(asker.ready(name, place))
    (one / "only.png").write_bytes(picture(1))
    ready = ask(asker.ready(name, one))
    found = ask(asker.find(ready, rng().integers(0, 256, (3, 9, 50), np.uint8)))
    assert found.rows.tolist() == [0] and ask(asker.precision(ready)) == {"code": None, "pixels": None}


@pytest.mark.slow
def test_questions_that_cannot_be_answered_are_a_sentence(bench, learnt):
    name, asker = learnt(), Retriever(bench)
    ready = ask(asker.ready(name, asker.against(name)))
    for question, more in ((10**6, {}), (-1, {}), (np.zeros((2, 5, 5), np.uint8), {}), (0, {"count": 0}),
                           (0, {"by": "smell"})):
        with pytest.raises(Trouble):
            ask(asker.find(ready, question, **more))
    for said in ("nothing", "own:nobody", "own", "plane"):
        with pytest.raises(Trouble):
            asker.against(name, said)
    unet = bench.start(replace(experiment("inpaint", "unet"), training=experiment(epochs=1).training))
    until(bench, unet, "done")
    with pytest.raises(Trouble, match="no code"):
        ask(asker.ready(unet, asker.against(unet)))
    assert unet not in {one.name for one in asker.choices("retrieve")}
    assert name in {one.name for one in asker.choices("retrieve")}


@pytest.mark.slow
def test_ones_own_set_is_searched_whole_and_nobody_finds_itself(bench, learnt):
    import_images([(f"{'discs' if i % 2 else 'bars'}/{i}.png", picture(i % 2, i)) for i in range(30)], "retrieved")
    name, asker = learnt(), Retriever(bench)
    ready = ask(asker.ready(name, asker.against(name, "own:retrieved")))
    assert len(ready.among) == 30 and ready.among.shape == (1, 16, 16)
    for number, itself in enumerate(ready.among.asking.rows):
        for by in ("code", "pixels"):
            found = ask(asker.find(ready, number, 29, by))
            assert sorted(found.rows) == sorted({*range(30)} - {itself})
    other = ask(asker.ready(name, asker.against(name, "glyphs")))  # images of another size are fitted
    assert len(ask(asker.find(other, 0)).rows) == 10


def test_an_image_on_the_opposite_ground_is_turned_over(bench, learnt):
    name, asker = learnt(), Retriever(bench)
    ready = ask(asker.ready(name, asker.against(name)))
    dark = ready.among.asking.images[0]
    assert (asker.shown(ready, 255 - dark) == asker.shown(ready, dark)).all()
    assert (ask(asker.find(ready, 255 - dark)).rows == ask(asker.find(ready, dark)).rows).all()


# Semantic hashing ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_noise_in_training_makes_codes_nearly_binary():
    from tests.test_conformance import session

    def lost(noise: float) -> float:
        """How many times the held-out error grows where each entry is rounded to a bit."""
        made, _ = Experiment.from_query(f"task=retrieve&task.noise={noise}&architecture.code=16&training.epochs=25"
                                         "&training.rate=0.003")
        run = session(made)
        while run.step < run.steps:
            run.advance()
        with torch.no_grad():
            code = run.model.encode(run.held_out)
            assert ((code > 0.5) == (run.model.before(run.held_out) > 0)).all()
            errors = [run.model.reconstruction_error(one, run.held_out).mean() for one in (code.round(), code)]
        return float(errors[0] / errors[1])

    few, many = lost(4.0), lost(0.0)
    assert few < 1.15 and many > 1.4, (few, many)
