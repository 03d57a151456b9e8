"""Restyling: what counts is the filter's result, windows have no seams, and any picture comes back painted."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from playground import checkpoint
from playground.__main__ import main
from playground.data.photos import photograph
from playground.events import Trouble
from playground.experiment import Experiment
from playground.images import read_image
from playground.library import SHIPPED
from playground.painterly import painted
from playground.probes.chain import backwards
from playground.restorer import Restorer
from playground.tasks import tasks
from playground.trainer import Session
from playground.variants import variants
from playground.workbench import Workbench
from tests.plugins import experiment, resident, until

VARIANT = variants["undercomplete"]()


def photos(count: int = 4, side: int = 24) -> torch.Tensor:
    """Parts of a photograph, (count, 3, side, side) in [0, 1]."""
    whole = photograph("coffee")
    parts = [whole[:, 40 * i : 40 * i + side, 200 : 200 + side] for i in range(1, count + 1)]
    return torch.from_numpy(np.stack(parts)).float() / 255


def task(**knobs):
    return tasks["restyle"](**knobs)


# What counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style, brush", [("oil", 3), ("ink", 4)])
def test_the_truth_is_what_the_filter_makes(style, brush):
    x = photos()
    truth = task(style=style, brush=brush).truth(x)
    for one, its in zip(x, truth):
        filtered = painted(one.mul(255).round().byte().numpy(), style, brush)
        assert (its.mul(255).round().byte().numpy() == filtered).all()


def test_answers_are_graded_against_the_filters_result():
    made, x = task(), photos()
    truth = made.truth(x)
    assert made.grades(truth, x, x).tolist() == pytest.approx([100.0] * 4)
    expected = [peak_signal_noise_ratio(t.numpy(), one.numpy(), data_range=1) for t, one in zip(truth, x)]
    assert made.grades(x, x, x).tolist() == pytest.approx(expected, abs=1e-3)
    meter = made.meter()
    meter.update(x[:2], x[:2], x[:2])
    meter.update(x[2:], x[2:], x[2:])
    found = meter.figures()
    assert found["psnr"] == pytest.approx(-10 * np.log10((truth - x).square().mean().item()), abs=1e-3)
    similar = [structural_similarity(t.numpy(), one.numpy(), channel_axis=0, data_range=1, win_size=7)
               for t, one in zip(truth[:2], x[:2])]
    assert found["ssim"] == pytest.approx(np.mean(similar), abs=1e-4)


@pytest.mark.parametrize("loss, norm", [("mse", torch.square), ("l1", torch.abs)])
def test_the_objective_is_the_distance_to_the_filters_result(loss, norm):
    made, x = experiment("restyle", "usual", "photos", loss=loss), photos(side=16)
    model, rng = made.build((3, 16, 16)), torch.Generator()
    ((side, terms),) = made.task.losses(model, x, x, VARIANT, rng)
    distance = norm(model(x) - made.task.truth(x)).flatten(1).sum(1)
    assert side == "autoencoder" and torch.allclose(terms["reconstruction"], distance)
    assert torch.allclose(made.task.error(model, model.encode(x), x, x), distance)
    terms["reconstruction"].mean().backward()
    assert any(weights.grad.abs().max() > 0 for weights in model.parameters())


def test_the_train_page_shows_the_filters_result_as_the_truth():
    made = experiment("restyle", "usual", "photos")
    still = Session(made, resident(made.data), "CPU").live.still
    assert all((painted(x) == y).all() for x, y in zip(still.shown, still.truth))
    plain = experiment("denoise", "usual", "photos")
    assert Session(plain, resident(plain.data), "CPU").live.still.truth is None


def test_the_chain_rule_begins_at_the_distance_to_the_filters_result():
    made, x = experiment("restyle", "usual", "photos"), photos(side=16)
    model = made.build((3, 16, 16))
    found = backwards(model, made, x, torch.Generator())
    expected = (model(x) - made.task.truth(x)).square().flatten(1).sum(1).mean()
    assert found.loss == pytest.approx(expected.item(), rel=1e-5) and expected > 0


def test_what_has_no_use_is_said():
    for query, part in (("task=restyle", "architecture"), ("task=restyle&architecture=residual&data=plane", "data")):
        made, problems = Experiment.from_query(query)
        assert made.architecture.name == "residual" and len(problems) == 1 and problems[0].startswith(f"{part}: ")
    assert Experiment.from_query("task=restyle&architecture=unet&data=photos")[1] == []


# Through the restorer ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Workbench(tmp_path_factory.mktemp("restyle"), "cpu")
    yield made
    made.close()


@pytest.fixture(scope="module")
def models(bench):
    """A trained residual network and a U-Net, both small."""
    runs = [experiment("restyle", name, "photos", epochs=epochs, rate=1e-2)
            for name, epochs in (("residual", 20), ("unet", 1))]
    jobs = [bench.start(one) for one in runs]
    for job in jobs:
        until(bench, job, "done", seconds=120)
    return jobs


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([0, 1]))
def test_in_pieces_it_is_as_in_one_go(bench, models, height, width, which):
    name, restorer = models[which], Restorer(bench)
    x = np.random.default_rng(height).random((1, 3, height, width), np.float32)

    async def both():
        model, _ = await restorer.model(name, "restyle")
        pieces = await restorer.windows(name, model, lambda part: model(part).clamp(0, 1)).over(x, lambda done: None)
        return pieces, await restorer.ask_device(name, lambda: model(torch.from_numpy(x)).clamp(0, 1).detach().numpy())

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("playground.windows.SIDE", 16)
        pieces, whole = asyncio.run(both())
        picture = np.round(x[0] * 255).astype(np.uint8)
        restored = asyncio.run(restorer.restyle(name, picture))
    assert np.abs(pieces - whole).max() < 1e-3
    assert restored.image.shape == picture.shape and restored.image.dtype == np.uint8


@pytest.mark.slow
def test_a_little_training_comes_closer_than_the_photograph(bench, models):
    for picture in (photograph("cat")[:, 100:164, 60:150], photograph("camera")[:, 200:260, 200:300]):
        truth = painted(picture)
        restored = asyncio.run(Restorer(bench).restyle(models[0], picture, truth))
        assert restored.psnr > peak_signal_noise_ratio(truth, picture) + 0.5 and 0 < restored.ssim < 1
        assert ("grey" in restored.note) == (len(picture) == 1)
    chosen = {one.name: one for one in Restorer(bench).choices("restyle")}
    assert {*models} <= {*chosen} and chosen[models[0]].title.startswith("Restyle, oil")


def test_what_cannot_be_painted_is_one_sentence(bench, models):
    restorer, picture = Restorer(bench), np.zeros((3, 8, 8), np.uint8)
    for do, words in (
        (lambda: restorer.restyle(models[0], picture, picture[:, :4]), "another size"),
        (lambda: restorer.restyle(models[0], np.zeros((1, 4000, 4000), np.uint8)), "million"),
        (lambda: restorer.restyle("upscale-photos-2", picture), "not trained to restyle"),
        (lambda: restorer.denoise(models[0], picture), "not trained to denoise"),
    ):
        with pytest.raises(Trouble, match=words):
            asyncio.run(do())


# The command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """A network that paints a little darker than what it is given, as a file."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = experiment("restyle", "usual", "photos")
    state = Session(made, resident(made.data), "CPU").state("done")
    last = max(name for name in state.tensors if name.startswith("model.decoder") and name.endswith("bias"))
    state.tensors[last].fill_(-20 / 255)
    checkpoint.save(tmp_path / "model.safetensors", state)
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_any_colour_mode_and_size_with_its_transparency(file, mode):
    rng = np.random.default_rng(0)
    bands = [Image.fromarray(rng.integers(60, 256, (21, 37), np.uint8)) for _ in mode]
    Image.merge(mode, bands).save("in.png")
    assert main(["restyle", "--model", str(file), "in.png", "out.png"]) == 0
    with Image.open("out.png") as written:
        assert written.mode == mode and written.size == (37, 21)
        colours = len(mode) - ("A" in mode)
        made = np.asarray(written).reshape(21, 37, -1)
    given_it = np.stack([np.asarray(band) for band in bands], -1)
    assert np.abs(made[..., :colours] + 20.0 - given_it[..., :colours]).max() <= 1
    assert (made[..., colours:] == given_it[..., colours:]).all()


def test_standard_streams_hold_the_picture_alone(file, monkeypatch, capsysbinary):
    source, target = io.BytesIO(), SimpleNamespace(buffer=None)
    Image.fromarray(np.full((9, 14, 3), 120, np.uint8)).save(source, "PNG")
    target.buffer = io.BytesIO(source.getvalue())
    monkeypatch.setattr(sys, "stdin", target)
    assert main(["restyle", "--model", str(file), "-", "-"]) == 0
    assert (read_image(capsysbinary.readouterr().out) == 100).all()


def test_a_model_of_another_task_is_refused(file, capsys):
    Image.new("RGB", (9, 9)).save("in.png")
    assert main(["restyle", "--model", "denoise-photos", "in.png", "out.png"]) == 2
    said = capsys.readouterr().err.strip()
    assert "not trained to restyle" in said and "\n" not in said and not Path("out.png").exists()


# The shipped model ---------------------------------------------------------------------------------------------------


def test_the_shipped_model_comes_closest_to_the_filter():
    said = json.loads((SHIPPED / "restyle-photos" / "config.json").read_text(encoding="utf-8"))["figures"]
    model = said.pop("model")
    assert set(said) == {"median of 7 × 7 pixels", "bilateral filter", "photograph itself"}
    assert all(model["psnr"] > other["psnr"] + 2 and model["ssim"] > other["ssim"] for other in said.values())


def test_without_a_model_the_shipped_one_paints(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    picture = photograph("astronaut")[:, :150, 100:301]
    Image.fromarray(picture.transpose(1, 2, 0)).save("in.png")
    assert main(["restyle", "in.png", "out.png"]) == 0
    truth, made = painted(picture), read_image(Path("out.png"))
    assert peak_signal_noise_ratio(truth, made) > peak_signal_noise_ratio(truth, picture) + 5
