"""Arriving: what a link that says little opens, a lesson's number or a run's name alone, in a new session."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from playground.experiment import Experiment
from playground.lessons import lessons
from tests.test_lab import SMALL, address, bench, job, page  # noqa: F401  (fixtures)

KEPT = {"": "knob.speed", "latent-space": "explored", "paint": "painting", "classify": "classify.model",
        "upscale": "upscale.model"}  # page -> what only it keeps in a session
each = pytest.mark.parametrize("one", lessons(), ids=lambda one: str(one.number))


@each
@pytest.mark.slow
def test_a_lessons_number_alone_opens_its_page_with_its_experiment(page, one):
    test = page(f"lesson={one.number}&hide=step")
    assert test.session_state["experiment"] == one.experiment and not test.session_state["problems"]
    told = address(test)
    assert {**told, **dict(parse_qsl(urlsplit(one.link).query)), "hide": "step"} == told
    assert [page for page, key in KEPT.items() if key in test.session_state] == [one.page]
    assert any(one.question in element.body for element in test.get("html"))


def test_a_lesson_and_anything_more_counts_as_it_says(page):
    for more in ("architecture.code=3", "variant=sparse", "run=never-heard-of"):
        test = page(f"lesson=4&{more}")
        experiment, problems = Experiment.from_query(more if "run" not in more else "")
        assert test.session_state["experiment"] == experiment and not problems and address(test)["lesson"] == "4"


def test_a_lesson_opens_anew_in_a_new_session_only(page):
    test = page("lesson=4")
    test.select_slider(key="knob.architecture.dense.code").set_value(8).run()
    assert test.session_state["experiment"].architecture.code == 8 == int(address(test)["architecture.code"])


@pytest.mark.parametrize("more", ["", "&hide=step", "&lesson=7&hide=step"])
@pytest.mark.slow
def test_the_name_of_a_run_alone_shows_that_run_with_its_own_experiment(page, more):
    first = page(f"{SMALL}&variant=sparse")
    second = page(f"run={job(first)}{more}")
    assert job(second) == job(first) and not second.session_state["problems"]
    assert second.session_state["experiment"] == first.session_state["experiment"] != Experiment()
    assert address(second) == address(first) | dict(parse_qsl(more))


@pytest.mark.slow
def test_a_run_of_another_experiment_than_the_link_says_is_not_shown(page):
    first = page(f"{SMALL}&variant=sparse")
    second = page(f"{SMALL}&run={job(first)}")
    assert job(second) != job(first) and second.session_state["experiment"].variant.name == "undercomplete"
