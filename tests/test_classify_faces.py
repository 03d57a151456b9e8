"""Classifying by command and by endpoint: files in, JSON and pictures out, and what is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playground import checkpoint
from playground.__main__ import main
from playground.trainer import Session
from tests.plugins import experiment, resident
from tests.studio import pixels, refused

MADE = experiment("classify", "usual")


def held_out(number: int) -> np.ndarray:
    return resident(MADE.data).held_out[number, 0].numpy()


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path, session = tmp_path_factory.mktemp("model") / "classifier.safetensors", Session(MADE, resident(MADE.data), "")
    for _ in range(30):
        session.advance()
    checkpoint.save(path, session.state("done"))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Image.fromarray(held_out(0)).save("in.png")
    return tmp_path


def test_the_command_writes_every_classs_probability_as_json(folder, model):
    assert main(["classify", "--model", str(model), "in.png", "out.json"]) == 0
    told = json.loads(Path("out.json").read_text())
    assert sorted(told["scores"]) == [str(i) for i in range(10)] and sum(told["scores"].values()) == pytest.approx(1)
    assert told["class"] == max(told["scores"], key=told["scores"].get) == next(iter(told["scores"]))
    network = checkpoint.load(model).model()
    import torch

    with torch.no_grad():
        wanted = network(torch.from_numpy(held_out(0)).float()[None, None] / 255)[0]
    assert [told["scores"][str(i)] for i in range(10)] == pytest.approx(wanted.tolist(), abs=1e-5)


def test_a_picture_out_has_the_class_below(folder, model):
    assert main(["classify", "--model", str(model), "in.png", "out.png"]) == 0
    with Image.open("out.png") as picture:
        assert picture.mode == "RGB" and picture.height > picture.width >= 120
    assert main(["classify", "--model", str(model), "in.png", "out.txt"]) == 2


@pytest.mark.parametrize(("command", "known"), [
    ("classify", "7"), ("segment", "star"), ("detect", "boxes"),
])
def test_without_a_model_the_shipped_one_answers(folder, capsys, command, known):
    assert main([command, "in.png", "out.json"]) == 0
    told = json.loads(Path("out.json").read_text())
    assert known in {*told, *told["scores"]}
    assert main([command, "--help"]) == 0
    assert f"the shipped {command}-" in " ".join(capsys.readouterr().out.split())


def test_other_models_are_refused(folder, capsys):
    assert main(["classify", "--model", "undercomplete-digits-2", "in.png", "out.json"]) != 0
    assert "not trained to classify" in capsys.readouterr().err and not Path("out.json").exists()


@pytest.fixture(scope="module")
def classifier(client) -> dict:
    run = client.submit(task="classify", architecture="convolutional", code=8, epochs=2,
                        more="architecture.width=4&task.labels=0", api_name="/train")  # fmt: skip
    return run.result(timeout=120)


def test_it_is_trained_and_asked_by_name(client, classifier, bring):
    assert classifier["status"] == "done" and [*classifier["losses"]] == ["classes", "reconstruction"]
    assert classifier["job"] in [one["name"] for one in client.predict(way="classify", api_name="/models")]
    picture, facts = client.predict(model=classifier["job"], image=bring(held_out(1)), api_name="/classify")
    assert facts["class"] == next(iter(facts["scores"])) and len(facts["scores"]) == 10
    assert pixels(picture).shape[2] == 3


def test_the_endpoint_refuses_in_a_sentence(client, learnt, bring):
    image = bring(held_out(0))
    job = learnt[0]["job"]
    refused(lambda: client.predict(model=job, image=image, api_name="/classify"), "not trained to classify")
    refused(lambda: client.predict(model="nosuch", image=image, api_name="/classify"), "no run or model")
    refused(lambda: client.predict(task="classify", data="photos", api_name="/train"), "no labels")
    refused(lambda: client.predict(task="classify", architecture="unet", api_name="/train"), "no code")
