"""The Paint page as a script: which models and pictures it offers, what its address keeps, what it is told."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from pathlib import Path

import pytest

from playground.data import datasets
from playground.experiment import Experiment
from playground.lab import painting
from playground.lab.painting import DEFAULTS, NOISES, read
from playground.paint_work import NOISES as ANSWERED
from tests.test_lab import address, bench, job, opened  # noqa: F401  (fixtures)
from tests.test_lab_latent import SMALL, Visit, learnt

VIEW = Path(__file__).resolve().parent.parent / "playground" / "lab" / "views" / "paint.py"


@pytest.fixture
def page(bench):
    """Opens the page at a link, as a new session."""

    return lambda **query: opened(VIEW, {**SMALL, **query})


def page_of(monkeypatch, visit, **query):
    """A Painting outside Streamlit, with an address of its own."""
    state = type("State", (dict,), {"__getattr__": dict.__getitem__, "__setattr__": dict.__setitem__})()
    monkeypatch.setattr(painting.st, "session_state", state)
    monkeypatch.setattr(painting.st, "query_params", query)
    return painting.Painting(visit)


def test_the_address_keeps_the_run_and_what_is_painted_on(page):
    test = page(**{"paint.way": "noise", "paint.data": "shapes", "paint.index": "3", "paint.level": "lots"})
    held = address(test)
    assert held["architecture.code"] == "4" and held["run"] == job(test)
    assert (held["paint.way"], held["paint.data"], held["paint.index"]) == ("noise", "shapes", "3")
    assert "paint.level" not in held and not test.session_state["problems"]
    assert "level" in test.session_state["painting_problems"][0]


def test_what_is_read_comes_back_and_what_cannot_be_is_told():
    asked = {
        "way": "noise",
        "model": "m",
        "use": "denoise",
        "data": "digits",
        "index": 4,
        "kind": "speckle",
        "level": 0.5,
    }
    assert read({name: str(value) for name, value in asked.items()}) == (asked, [])
    settings, problems = read({"way": "guess", "index": "-3", "level": "nan", "colour": "red", "kind": "loud"})
    assert settings == DEFAULTS and len(problems) == 5 and all(one.endswith(".") for one in problems)


def test_a_model_is_used_in_its_own_way_whatever_else_a_link_says():
    ways = {use: read({"use": use, "model": "m", "way": "noise"})[0]["way"] for use in painting.USES}
    assert {use for use, way in ways.items() if way == "noise"} == {"denoise", "reconstruct"}
    assert read({"use": "denoise", "model": "m"})[0]["way"] == "noise"


def test_every_noise_that_is_offered_is_answered():
    assert set(NOISES) == set(ANSWERED)


@pytest.mark.slow
def test_a_run_that_learnt_can_project_and_classical_fills_are_always_there(monkeypatch, bench, page):
    test = page()
    experiment = test.session_state["experiment"]
    visit = Visit(bench, experiment, learnt(bench, experiment))
    choices = page_of(monkeypatch, visit).choices()
    own = [one["use"] for one in choices if one["own"]]
    assert own == ["project", "reconstruct"] and choices[0]["own"]
    assert [one["name"] for one in choices if one["use"] == "classical"] == ["telea", "biharmonic"]


@pytest.mark.slow
def test_every_set_with_pictures_is_offered(monkeypatch, bench, page):
    test = page()
    visit = Visit(bench, test.session_state["experiment"], job(test))
    told = page_of(monkeypatch, visit).data()
    offered = {one["name"] for one in told["datasets"]}
    assert offered == set(datasets) - {"plane", "own"}
    assert [one["like"] for one in told["datasets"] if one["name"] == "digits"] == [visit.job]
    assert told["start"]["data"] in offered and not told["start"]["linked"]


def test_a_model_that_is_gone_is_told_and_what_is_set_is_kept(monkeypatch, bench, page):
    test = page()
    visit = Visit(bench, test.session_state["experiment"], job(test))
    shown = page_of(monkeypatch, visit, **{"paint.model": "gone", "paint.use": "inpaint", "paint.data": "digits"})
    told = shown.data()
    assert told["start"]["model"] == "" and "not here any more" in told["problems"][0] and told["start"]["linked"]
    shown.act({"do": "set", "model": "telea", "use": "classical", "data": "shapes", "index": 2, "at": 5, "level": 0.3})
    assert shown.settings == {**DEFAULTS, "model": "telea", "use": "classical", "data": "shapes", "index": 2}
    assert not shown.data()["problems"]


@pytest.mark.slow
def test_where_no_model_fills_a_ready_experiment_is_offered(monkeypatch, bench, page):
    test = page(data="shapes")
    visit = Visit(bench, test.session_state["experiment"], job(test))
    links = page_of(monkeypatch, visit).data()["train"]
    fill, problems = Experiment.from_query(links["inpaint"].removeprefix("/?"))
    assert not problems and fill.data == visit.experiment.data
    assert (fill.task.name, fill.architecture.name, fill.training.loss) == ("inpaint", "unet", "bce")
    clean, problems = Experiment.from_query(links["denoise"].removeprefix("/?"))
    assert not problems and clean.variant.name == "denoising" and clean.data == visit.experiment.data
    points = Visit(bench, Experiment.from_query("data=plane")[0], visit.job)
    assert "plane" not in page_of(monkeypatch, points).data()["train"]["inpaint"]


@pytest.mark.slow
def test_a_model_trained_to_fill_comes_first_and_needs_no_code(monkeypatch, bench, page):
    test = page()
    made = Experiment.from_query("task=inpaint&architecture=unet&architecture.width=4")[0]
    visit = Visit(bench, made, learnt(bench, made))
    told = page_of(monkeypatch, visit).data()
    first = told["choices"][0]
    assert (first["name"], first["use"], first["own"]) == (visit.job, "inpaint", True)
    assert [one["use"] for one in told["choices"] if one["own"]] == ["inpaint"] and told["start"]["data"] == "digits"
    assert test.session_state["experiment"]
