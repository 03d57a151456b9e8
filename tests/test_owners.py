"""Owners: a browser's key is a secret, lists hold one's own runs, another's run is looked at and never steered."""

from __future__ import annotations

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.caps import caps
from playground.checkpoint import load
from playground.coder import Coder
from playground.gate import COOKIE, gate, new_key
from playground.inside_routes import Inside
from playground.owners import MACHINE, NOBODY, Viewer, owner_of
from playground.studio.saying import viewer
from playground.studio.train_tab import Train
from playground.studio.training import Trainings
from playground.workbench import Workbench
from tests.plugins import experiment, until
from tests.test_lab import MAIN, buttons, job, opened
from tests.test_lab import bench as lab  # noqa: F401  (a fixture)

ANNA, BEN = new_key(), new_key()
PAGE = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def shared(monkeypatch):
    """This process's gate, as of a server that others can reach."""
    monkeypatch.setattr(gate, "shared", True)


def cookies(key: str) -> dict[str, str]:
    return {COOKIE: key}


def learnt(bench, owner: str = "") -> str:
    name = bench.start(experiment(epochs=1), owner=owner)
    until(bench, name, "done")
    return name


# Runs ---------------------------------------------------------------------------------------------------------------


def test_an_owner_is_kept_through_reset_saving_and_the_next_process(bench, tmp_path):
    run = learnt(bench, owner_of(ANNA))
    again = bench.reset(run)
    assert bench.snapshot(again).owner == bench.snapshot(bench.reseed(again)).owner == owner_of(ANNA)
    about = load(bench.library.path(run)).about
    assert about["owner"] == owner_of(ANNA) and ANNA not in str(about)
    other = learnt(bench)
    bench.close()
    later = Workbench(tmp_path, "cpu")
    try:
        assert {one.job: one.owner for one in later.jobs()} == {run: owner_of(ANNA), other: ""}
        later.watch(run)
        assert until(later, run, "done").owner == owner_of(ANNA)
    finally:
        later.close()


def test_models_are_ones_own_and_one_known_by_name(bench):
    annas, bens, machines = learnt(bench, owner_of(ANNA)), learnt(bench, owner_of(BEN)), learnt(bench)

    def found(**who) -> set[str]:
        return {one.name for one in Coder(bench).choices(**who) if not one.shipped}

    assert found(viewer=Viewer(owner_of(ANNA), local=False)) == {annas}
    assert found(viewer=Viewer(owner_of(BEN))) == {bens, machines}
    assert found(viewer=Viewer(owner_of(BEN), local=False), known=annas) == {bens, annas}
    assert found(viewer=MACHINE) == {machines}
    assert found(viewer=Viewer(NOBODY, teacher=True, local=False)) == {annas, bens, machines}


def test_the_studio_lists_ones_own_and_those_known_by_name_can_be_steered(bench, shared):
    class Asked:
        client = None

        def __init__(self, key):
            self.request = self
            self.cookies = cookies(key)

    class Actions:
        trainings = Trainings(bench)

    annas = learnt(bench, viewer(Asked(ANNA)).owner)
    tab = Train(Actions, lab=True)
    assert [name for _, name in tab.runs(viewer(Asked(ANNA)))] == ["", annas]
    assert [name for _, name in tab.runs(viewer(Asked(BEN)))] == [""]
    assert [name for _, name in tab.runs(viewer(None))] == [""]
    assert [name for _, name in tab.runs(viewer(Asked(BEN)), annas)] == ["", annas]


@pytest.mark.slow
def test_the_curve_over_code_sizes_holds_ones_own_runs(bench, shared):
    annas, bens = learnt(bench, owner_of(ANNA)), learnt(bench, owner_of(BEN))
    app = Starlette(routes=Inside(lambda: bench).routes())
    for key, expected in ((BEN, {annas, bens}), (ANNA, {annas})):  # the one looked at is always there
        with TestClient(app, cookies=cookies(key)) as client:
            told = client.get(f"/inspect/{annas}/sizes").json()["runs"]
        assert {one["name"] for one in told if one["status"] != "shipped"} == expected


# The Lab ------------------------------------------------------------------------------------------------------------

LINK = {"architecture.code": "4", "architecture.width": "16", "training.epochs": "10000"}


@pytest.fixture
def visitors(lab, monkeypatch):  # noqa: F811
    """as_(key) makes the pages' next scripts those of a browser with that key."""

    def as_(key: str) -> None:
        monkeypatch.setattr(type(st.context), "cookies", property(lambda self: cookies(key)))

    return as_


def opened_as(visitors, key: str, **query):
    visitors(key)
    return opened(MAIN, {**LINK, **query})


@pytest.fixture
def annas(lab, visitors):  # noqa: F811
    """Anna's page, on which a run is learning."""
    test = opened_as(visitors, ANNA)
    until(lab, job(test), "ready")
    buttons(test.run())["Train"].click().run()
    until(lab, job(test), "running")
    return test


@pytest.mark.slow
def test_another_looks_at_a_link_and_nothing_that_he_does_reaches_the_run(lab, visitors, annas):  # noqa: F811
    run = job(annas)
    ben = opened_as(visitors, BEN, run=run)
    assert job(ben) == run and any("somebody else" in one.body for one in ben.get("html"))
    assert "Train" in buttons(ben) and buttons(ben)["Stop"].disabled
    for name in ("Reset", "Reseed", "Step", "Train"):
        page = opened_as(visitors, BEN, run=run)
        buttons(page)[name].click().run()
        mine = job(page)
        assert mine != run and lab.snapshot(mine).owner == owner_of(BEN) and not page.exception
        seeds = [lab.snapshot(one).title.training.seed for one in (run, mine)]
        assert seeds == [0, name == "Reseed"]
        assert lab.snapshot(run).status == "running" and lab.snapshot(run).owner == owner_of(ANNA)
    assert until(lab, mine, "running").title == lab.snapshot(run).title


@pytest.mark.slow
def test_a_knob_turned_at_anothers_run_turns_ones_own(lab, visitors, annas):  # noqa: F811
    run = job(annas)
    ben = opened_as(visitors, BEN, run=run)
    (rate,) = [one for one in ben.select_slider if one.label.startswith("Learning rate")]
    rate.set_value(3e-3).run()
    mine = job(ben)
    assert mine != run and lab.snapshot(mine).title.training.rate == 3e-3
    assert lab.snapshot(run).title.training.rate == 1e-3 and lab.snapshot(run).status == "running"
    (speed,) = [one for one in opened_as(visitors, BEN, run=run).select_slider if one.label == "Speed"]
    speed.set_value("1 step/s").run()
    assert lab.snapshot(run).pace is None


@pytest.mark.slow
def test_the_owner_goes_on_after_a_reload(lab, visitors, annas):  # noqa: F811
    again = opened_as(visitors, ANNA, run=job(annas))
    assert job(again) == job(annas)
    buttons(again)["Pause"].click().run()
    assert until(lab, job(again), "paused") and job(again) == job(annas)


@pytest.mark.slow
def test_the_lab_lets_a_visitor_train_as_many_runs_as_one_may_and_says_why_no_more(lab, visitors, shared):  # noqa: F811
    pages = []
    for seed in range(caps().trainings + 1):
        page = opened_as(visitors, ANNA, **{"training.seed": str(seed)})
        until(lab, job(page), "ready")
        pages.append(buttons(page.run())["Train"].click().run())
    *learning, last = pages
    assert all(lab.snapshot(job(page)).status == "running" for page in learning)
    assert lab.snapshot(job(last)).status == "ready"
    assert any("as many as one visitor may" in one.body for one in last.get("html"))
    other = opened_as(visitors, BEN)
    until(lab, job(other), "ready")
    assert lab.snapshot(job(buttons(other.run())["Train"].click().run())).status == "running"  # caps are each one's own
    visitors(ANNA)
    buttons(learning[0])["Pause"].click().run()
    buttons(last.run())["Train"].click().run()
    assert lab.snapshot(job(last)).status == "running"
    assert not any("as many as one visitor may" in one.body for one in last.get("html"))
