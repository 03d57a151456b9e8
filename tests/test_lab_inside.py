"""The Inside page as a script: what its address keeps, and what the component is told and does."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from pathlib import Path

import pytest

from playground.lab import explore, inside
from tests.test_lab import address, bench, job, opened  # noqa: F401  (fixtures)
from tests.test_lab_latent import SMALL, Visit, learnt

VIEW = Path(__file__).resolve().parent.parent / "playground" / "lab" / "views" / "inside.py"


@pytest.fixture
def page(bench):
    """Opens the page at a link, as a new session."""
    return lambda **query: opened(VIEW, {**SMALL, **query})


def inspection(monkeypatch, visit, **query):
    """An Inspection outside Streamlit, with an address of its own."""
    state = type("State", (dict,), {"__getattr__": dict.__getitem__, "__setattr__": dict.__setitem__})()
    for module in (explore, inside):
        monkeypatch.setattr(module.st, "session_state", state)
        monkeypatch.setattr(module.st, "query_params", query)
    return inside.Inspection(visit)


def test_the_address_keeps_the_experiment_its_run_and_the_tab(page):
    test = page(inside="chain")
    held = address(test)
    assert held["architecture.code"] == "4" and held["run"] == job(test) and held["inside"] == "chain"
    assert not test.session_state["problems"]  # the page's word is none of the experiment's


def test_a_tab_that_there_is_not_is_left_out(page):
    assert "inside" not in address(page(inside="never-heard-of"))


def test_what_the_page_does(monkeypatch, bench, page):
    test = page()
    other = learnt(bench, test.session_state["experiment"])
    look = inspection(monkeypatch, Visit(bench, test.session_state["experiment"], job(test)))
    assert look.data()["name"] == job(test) and look.data()["own"] and look.data()["tab"] == ""
    look.act({"do": "tab", "name": "sparse"})
    assert look.data()["tab"] == "sparse"
    look.act({"do": "tab", "name": "never-heard-of"})
    assert look.data()["tab"] == ""
    look.act({"do": "choose", "name": other})
    assert look.data()["name"] == other and look.data()["live"] and not look.data()["own"]
