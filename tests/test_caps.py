"""Caps: read once, from a file that the environment overrides; what cannot be is one sentence; the page shows them."""

from __future__ import annotations

import html
import subprocess
import sys
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import playground
from playground import caps as module
from playground.caps import FILE, Caps, caps, said, told
from playground.data.own import import_images
from playground.events import Trouble
from playground.experiment import Experiment, parameters
from playground.home import home
from playground.images import to_png
from playground.knobs import knobs
from playground.lab.about import about_page

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """settings(text, **overrides): the caps of a file with that text under those overrides."""

    def made(text: str = "", **overrides: str) -> Caps:
        (tmp_path / "caps.toml").write_text(text)
        monkeypatch.setenv("PLAYGROUND_CAPS", str(tmp_path / "caps.toml"))
        for name, value in overrides.items():
            monkeypatch.setenv(f"PLAYGROUND_CAP_{name.upper()}", value)
        caps.cache_clear()
        return caps()

    yield made
    monkeypatch.undo()
    caps.cache_clear()


def test_the_shipped_file_holds_every_cap_at_its_default(settings):
    assert FILE.read_text() == module.text()
    assert settings(FILE.read_text()) == settings("") == Caps()


def test_the_file_overrides_the_defaults_and_the_environment_the_file(settings):
    assert settings("parameters = 5_000\ntrainings = 7") == Caps(parameters=5000, trainings=7)
    assert settings("parameters = 5_000\ntrainings = 7", trainings="2") == Caps(parameters=5000, trainings=2)


@pytest.mark.parametrize(
    ("text", "overrides", "words"),
    [
        ("trainings = 0", {}, ["caps.toml", "trainings", "outside 1 to"]),
        ("trainings = 2.5", {}, ["trainings", "not a whole number"]),
        ("training = []", {}, ["training", "not a number"]),
        ("trainigs = 2", {}, ["no cap called 'trainigs'", "trainings"]),
        ("[trainings]", {}, ["trainings", "not a number"]),
        ("trainings = ", {}, ["caps.toml", "not TOML"]),
        ("", {"trainings": "many"}, ["PLAYGROUND_CAP_", "trainings", "'many' is not a number"]),
        ('embed = "*"', {}, ["caps.toml", "embed", "'*' is no site such as https://a.example"]),
        ('embed = ["https://a.example"]', {}, ["embed", "is no site"]),
        ("", {"origins": "https://a.example javascript:x"}, ["PLAYGROUND_CAP_", "origins: 'javascript:x' is no"]),
        ("", {"origins": "https://a.example; script-src *"}, ["'https://a.example;' is no site"]),
        ("", {"nothing": "1"}, ["PLAYGROUND_CAP_", "no cap called 'nothing'"]),
    ],
)
def test_what_cannot_be_is_one_sentence_that_says_where(settings, text, overrides, words):
    with pytest.raises(Trouble) as caught:
        settings(text, **overrides)
    sentence = str(caught.value)
    assert all(word in sentence for word in words) and sentence.endswith(".") and "\n" not in sentence


def test_a_file_that_was_named_must_be_there(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("PLAYGROUND_CAPS", str(tmp_path / "none.toml"))
    caps.cache_clear()
    with pytest.raises(Trouble, match="none.toml cannot be read"):
        caps()


@pytest.mark.slow
def test_a_wrong_cap_ends_the_server_before_it_begins(tmp_path):
    done = subprocess.run([sys.executable, str(ROOT / "app.py"), "--port", "1"], cwd=tmp_path, timeout=60,
                          capture_output=True, text=True,
                          env={"PLAYGROUND_CAP_PIXELS": "few", "PLAYGROUND_HOME": str(tmp_path), "PATH": ""})
    (sentence,) = done.stderr.strip().splitlines()
    assert done.returncode == 1 and "pixels: 'few' is not a number" in sentence


def test_a_cap_is_a_cap(settings):
    most = parameters(Experiment()) - 1
    settings(f"parameters = {most}")
    query = "architecture.width=256"
    made, problems = Experiment.from_query(query)
    assert any(f"{most:,} allowed" in problem for problem in problems)


def test_a_cap_is_a_cap_for_large_images_too():
    """The plain network of large images is large itself: then the images become smaller, whosever they are."""
    made, problems = Experiment.from_query("data=own&data.pictures=cats&data.size=256")
    assert parameters(made) <= Caps.parameters
    assert any("allowed, so its knobs and the images' size are at their defaults" in problem for problem in problems)
    assert made.data.pictures == "cats" and Experiment.from_query(made.to_query()) == (made, [])


@pytest.mark.parametrize("name", [field.name for field in fields(Caps)])
def test_every_cap_says_what_it_is(name):
    setting = knobs(Caps)[name]
    assert setting.help.endswith(".") and (setting.choices or setting.low is not None or name in module.SITES)
    assert said(setting, asdict(Caps())[name])


def test_values_in_words():
    shown = {"pixels": "12 megapixels", "file": "20 MB", "training": "15 min", "parameters": "20,000,000"}
    assert {name: told(name) for name in shown} == shown


def test_the_page_shows_every_cap_at_its_value_of_today(settings):
    settings("pixels = 7_000_000", trainings="5")
    page = html.unescape(about_page("<a GPU>"))
    for name, setting in knobs(Caps).items():
        assert f'<th scope="row">{setting.help[:-1]}</th><td>{told(name)}</td>' in page
    assert "<td>7 megapixels</td>" in page and "<td>5</td>" in page
    assert "<td><a GPU></td>" in page and "&lt;a GPU&gt;" in about_page("<a GPU>")
    assert playground.__version__ in page and version("torch") in page and str(home()) not in page


def test_more_epochs_than_allowed_are_no_more(settings):
    settings("epochs = 200")
    made, problems = Experiment.from_query("training.epochs=201")
    assert made.training.epochs == 200
    assert problems == ["training.epochs: 201 are more than the 200 allowed, so it is 200"]
    assert Experiment.from_query("training.epochs=200") == (made, [])


def test_lower_caps_leave_what_is_saved_readable(settings):
    made = Experiment.from_query("architecture.width=256&training.epochs=1000")[0]
    settings("epochs = 100\nparameters = 1_000")
    assert Experiment.from_json(made.to_json()) == made


def test_a_set_of_ones_own_has_no_more_pictures_than_allowed(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    settings("images = 3")
    pictures = [(f"{i}.png", to_png(np.full((1, 8, 8), i, np.uint8))) for i in range(5)]
    done = import_images(pictures, "mine")
    assert done.count == 3 and done.problems == ["A set has at most 3 pictures here: the rest was left out."]
