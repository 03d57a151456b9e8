"""Owners: a browser's key is a secret, lists hold one's own runs, another's run is looked at and never steered."""

from __future__ import annotations

import re
import time

import httpx
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground import gate as module
from playground.caps import caps
from playground.checkpoint import load
from playground.coder import Coder
from playground.gate import COOKIE, KEY, TRIES, Gate, Keys, gate, new_key
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


@pytest.fixture
def taught(monkeypatch):
    monkeypatch.setenv("PLAYGROUND_TEACHER", "correct horse")
    monkeypatch.setattr(module, "gate", made := Gate())
    return made


def cookies(key: str) -> dict[str, str]:
    return {COOKIE: key}


def learnt(bench, owner: str = "") -> str:
    name = bench.start(experiment(epochs=1), owner=owner)
    until(bench, name, "done")
    return name


# Keys ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def site():
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("here"))], middleware=[Middleware(Keys)])
    with TestClient(app) as client:
        yield client


def test_a_browser_gets_a_key_that_scripts_cannot_read_and_keeps_it(site):
    said = site.get("/", headers=PAGE).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(said.split("; ")) and "Secure" not in said
    key = site.cookies[COOKIE]
    assert KEY.fullmatch(key)
    assert f"{COOKIE}={key};" in site.get("/", headers=PAGE).headers["set-cookie"]


def test_keys_are_never_alike(site):
    keys = set()
    for _ in range(50):
        site.cookies.clear()
        site.get("/", headers=PAGE)
        keys.add(site.cookies[COOKIE])
    assert len(keys) == 50


def test_behind_tls_the_key_travels_by_tls_only(site):
    said = site.get("/", headers={**PAGE, "x-forwarded-proto": "https"}).headers["set-cookie"]
    assert said.endswith("; Secure")


def test_programs_get_no_key_and_what_is_no_key_is_replaced(site):
    assert "set-cookie" not in site.get("/").headers
    for odd in ("short", "x" * 44, "../../etc", "a b"):
        said = site.get("/", headers={**PAGE, "cookie": f'other=1; {COOKIE}="{odd}"'}).headers["set-cookie"]
        assert odd not in said and KEY.fullmatch(re.match(rf"{COOKIE}=([^;]*)", said)[1])


# Who sees what ------------------------------------------------------------------------------------------------------


def test_who_owns_what():
    anna, ben = Viewer(owner_of(ANNA), local=False), Viewer(owner_of(BEN), local=True)
    assert anna.owns(owner_of(ANNA)) and not anna.owns(owner_of(BEN)) and not anna.owns("")
    assert ben.owns("") and not ben.owns(owner_of(ANNA))
    assert not Viewer(NOBODY, local=False).owns(NOBODY)
    teacher = Viewer(owner_of(BEN), teacher=True, local=False)
    assert all(teacher.owns(owner) for owner in ("", NOBODY, owner_of(ANNA)))
    assert ANNA not in owner_of(ANNA) and owner_of(ANNA) != owner_of(BEN)


@pytest.mark.parametrize(("asked", "host", "is_shared"), [
    ("auto", "127.0.0.1", False), ("auto", "::1", False), ("auto", "localhost", False), ("auto", "0.0.0.0", True),
    ("auto", "192.168.1.2", True), ("auto", "::", True), ("yes", "127.0.0.1", True), ("no", "0.0.0.0", False),
])  # fmt: skip
def test_a_server_is_shared_where_others_reach_it_or_the_settings_say_so(monkeypatch, asked, host, is_shared):
    monkeypatch.setenv("PLAYGROUND_CAP_SHARED", asked)
    caps.cache_clear()
    try:
        made = Gate()
        made.listens(host)
        assert made.shared is is_shared
        assert made.viewer({}).owns("") is not is_shared
        assert made.viewer({}).owner == (NOBODY if is_shared else "")
    finally:
        monkeypatch.undo()
        caps.cache_clear()


def test_the_machines_own_runs_are_nobodys_business_where_there_is_a_teacher(taught):
    assert not taught.viewer({}).owns("") and not taught.viewer(cookies(ANNA)).owns("")


def test_the_teacher_sees_all_after_the_password_and_nobody_else_does(taught):
    ben = taught.viewer(cookies(BEN))
    assert taught.teach(ben, "wrong").startswith("This is not") and not taught.viewer(cookies(BEN)).teacher
    assert taught.teach(taught.viewer({}), "correct horse")  # who has no key cannot be recognised again
    assert taught.teach(ben, "correct horse") == ""
    assert taught.viewer(cookies(BEN)).owns(owner_of(ANNA)) and not taught.viewer(cookies(ANNA)).owns(owner_of(BEN))
    taught.leave(ben)
    assert not taught.viewer(cookies(BEN)).teacher


def test_without_a_password_nobody_is_a_teacher():
    made = Gate()
    assert made.teach(made.viewer(cookies(ANNA)), "") and not made.viewer(cookies(ANNA)).teacher


def test_passwords_cannot_be_guessed_quickly(taught, monkeypatch):
    ben = taught.viewer(cookies(BEN))
    for attempt in range(TRIES):
        assert taught.teach(ben, str(attempt)).startswith("This is not")
    assert "Too many" in taught.teach(ben, "correct horse") and not taught.viewer(cookies(BEN)).teacher
    later = time.monotonic() + module.WHILE + 1
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    assert taught.teach(ben, "correct horse") == ""


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


def test_the_owner_goes_on_after_a_reload(lab, visitors, annas):  # noqa: F811
    again = opened_as(visitors, ANNA, run=job(annas))
    assert job(again) == job(annas)
    buttons(again)["Pause"].click().run()
    assert until(lab, job(again), "paused") and job(again) == job(annas)


def test_httpx_is_no_browser(site):
    assert "text/html" not in httpx.Client().headers["accept"] and COOKIE not in site.cookies


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
