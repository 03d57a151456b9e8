"""The Latent space page as a script: what can be chosen, what its address keeps, and what the component is told."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from pathlib import Path

import pytest

from playground.experiment import Experiment
from playground.lab import explore
from playground.lab.pieces import HERE, SCRIPTS, STYLES
from playground.owners import MACHINE
from playground.probes.maps import MapKnobs
from tests.test_lab import address, bench, job, opened, until  # noqa: F401  (fixtures)

VIEW = Path(__file__).resolve().parent.parent / "playground" / "lab" / "views" / "latent.py"
SMALL = {"architecture.code": "4", "architecture.width": "16"}


@pytest.fixture
def page(bench):
    """Opens the page at a link, as a new session."""

    return lambda **query: opened(VIEW, {**SMALL, **query})


class Visit:
    """What the page's session needs of a visit."""

    viewer, mine = MACHINE, True

    def __init__(self, bench, experiment, own):
        self.bench, self.experiment, self.job, self.status, self.done = bench, experiment, own, "ready", []

    def train(self):
        self.done.append("train")


def exploration(monkeypatch, visit, **query):
    """An Exploration outside Streamlit, with an address of its own."""
    state = type("State", (dict,), {"__getattr__": dict.__getitem__, "__setattr__": dict.__setitem__})()
    monkeypatch.setattr(explore.st, "session_state", state)
    monkeypatch.setattr(explore.st, "query_params", query)
    return explore.Exploration(visit)


def learnt(bench, experiment):
    """A run that took a step, paused."""
    name = bench.start(experiment, paused=True)
    until(lambda: bench.snapshot(name).status == "ready")
    bench.step(name).result(10)
    until(lambda: bench.snapshot(name).event.step == 1)
    return name


def test_the_address_keeps_the_experiment_its_run_and_the_map(page):
    test = page(**{"map.kind": "entries", "map.second": "3", "map.neighbours": "many"})
    held = address(test)
    assert held["architecture.code"] == "4" and held["run"] == job(test)
    assert held["map.kind"] == "entries" and held["map.second"] == "3" and "map.neighbours" not in held
    assert not test.session_state["problems"]  # the map's words are none of the experiment's
    assert test.session_state["map_problems"] == ["Neighbours: 'many' is not a number."]


def test_a_link_that_asks_for_too_many_codes_draws_the_most_there_may_be(page):
    test = page(**{"map.count": "50000"})
    assert test.session_state["map_problems"] == ["At most 10,000 codes are drawn."]
    assert test.session_state["map_knobs"].count == 10_000 and address(test)["map.count"] == "10000"


def test_a_link_to_the_principal_plane_shows_it_and_keeps_it(page, monkeypatch, bench):
    test = page(**{"map.kind": "pca"})
    assert test.session_state["map_chosen"] and address(test)["map.kind"] == "pca"
    look = exploration(monkeypatch, Visit(bench, test.session_state["experiment"], job(test)))
    assert not look.data()["linked"] and look.address == {}
    look.act({"do": "knobs", "knobs": {"kind": "pca", "count": 1000}, "chosen": False})
    assert look.address == {"count": "1000"}
    look.act({"do": "knobs", "knobs": {"kind": "pca"}, "chosen": True})
    assert look.address == {"kind": "pca"} and look.data()["linked"]


def test_a_model_that_is_gone_gives_the_visitors_own_run(page):
    test = page(model="never-heard-of")
    assert test.session_state["explored"] == "" and "model" not in address(test)
    assert test.session_state["not_found"].endswith(".")


@pytest.mark.slow
def test_a_link_to_another_run_shows_it(page, bench):
    first = page()
    other = learnt(bench, first.session_state["experiment"])
    second = page(model=other)
    assert second.session_state["explored"] == other and address(second)["model"] == other
    assert job(second) != other


def test_choices_begin_with_the_visitors_run(monkeypatch, bench, page):
    test = page()
    other = learnt(bench, test.session_state["experiment"])
    visit = Visit(bench, test.session_state["experiment"], job(test))
    choices = exploration(monkeypatch, visit).choices
    assert [(one["group"], one["name"]) for one in choices][:2] == [("Your run", visit.job), ("Other runs", other)]
    assert choices[0]["title"] == "Undercomplete 4, Handwritten digits"


def test_what_the_page_does(monkeypatch, bench, page):
    test = page()
    other = learnt(bench, test.session_state["experiment"])
    visit = Visit(bench, test.session_state["experiment"], job(test))
    look = exploration(monkeypatch, visit)
    look.act({"do": "choose", "name": other})
    assert look.name == other and not look.data()["own"] and look.data()["live"]
    look.act({"do": "choose", "name": "never-heard-of"})
    assert look.name == other
    look.act({"do": "choose", "name": visit.job})
    assert look.name == visit.job and look.data()["own"]
    look.act({"do": "knobs", "knobs": {"kind": "umap", "neighbours": 30, "seed": "x", "other": 1}})
    assert look.knobs == MapKnobs(kind="umap", neighbours=30)
    look.act({"do": "train"})
    assert visit.done == ["train"]


def test_every_knob_of_the_map_is_described():
    described = {one["name"]: one for one in explore.described()}
    assert set(described) == set(MapKnobs.__dataclass_fields__)
    assert all(one["help"] and (one["choices"] or one["stops"] or one["high"]) for one in described.values())


def test_every_script_and_style_is_there():
    for name, scripts in SCRIPTS.items():
        for file in (f"{name}.html", *(f"{s}.js" for s in scripts), *(f"{s}.css" for s in STYLES.get(name, (name,)))):
            assert (HERE / file).is_file(), file
    for file in HERE.iterdir():
        assert len(file.read_text().splitlines()) < 300, file


def without_a_code(bench):
    return learnt(bench, Experiment.from_query("task=inpaint&architecture=unet&architecture.width=4")[0])


@pytest.mark.slow
def test_models_without_a_code_are_not_offered(monkeypatch, bench, page):
    test = page()
    other, plain = without_a_code(bench), learnt(bench, test.session_state["experiment"])
    visit = Visit(bench, test.session_state["experiment"], job(test))
    look = exploration(monkeypatch, visit)
    assert {plain, visit.job} <= set(look.titles) and other not in look.titles
    look.act({"do": "choose", "name": other})
    assert look.name == visit.job and not look.nothing
    linked = exploration(monkeypatch, visit, model=other)
    assert linked.name == visit.job and "has no code" in linked.problems[0]


@pytest.mark.slow
def test_the_visitors_own_run_without_a_code_is_one_sentence(monkeypatch, bench, page, tmp_path):
    monkeypatch.setattr(bench.library, "shipped", tmp_path)
    test = page(task="inpaint", architecture="unet")
    visit = Visit(bench, test.session_state["experiment"], job(test))
    look = exploration(monkeypatch, visit)
    told = look.data()
    assert told["name"] == "" and not told["own"] and told["nothing"].endswith("train an autoencoder.")
    assert "Inpaint 4" in told["nothing"] and "choose another" not in told["nothing"] and "\n" not in told["nothing"]
    other = learnt(bench, Experiment())
    look = exploration(monkeypatch, visit)
    assert look.name == "" and "choose another model" in look.nothing
    look.act({"do": "choose", "name": other})
    assert look.name == other and not look.nothing and look.data()["name"] == other
