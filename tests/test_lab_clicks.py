"""Clicks that the browser sends while an earlier one is still at work: none is lost, and none takes another back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

from playground import look
from playground.lab import pieces
from playground.lab.whole import keep_clicks, whole
from tests.test_lab import ROOT, address, bench, buttons, job, page, until  # noqa: F401


@pytest.fixture
def ready(page, bench):  # noqa: F811
    keep_clicks()
    test = page()
    until(lambda: bench.snapshot(job(test)).status == "ready")
    return test.run()


def rerun_while(monkeypatch, owner, name: str, states) -> list:
    """When owner.name is called, the browser asks for another run, showing what it showed before; the calls."""
    do, calls = getattr(owner, name), []

    def meanwhile(*values, **named):
        done = do(*values, **named)
        if not calls:
            get_script_run_ctx().yield_check.__self__.request_rerun(RerunData(widget_states=states))
        calls.append(name)
        return done

    monkeypatch.setattr(owner, name, meanwhile)
    return calls


def test_reseed_is_not_lost_nor_taken_back_by_what_the_browser_sent_meanwhile(ready, bench, monkeypatch):  # noqa: F811
    before, shown = job(ready), ready._tree.get_widget_states()
    calls = rerun_while(monkeypatch, bench, "reseed", shown)
    test = buttons(ready)["Reseed"].click().run()
    assert not test.exception and calls == ["reseed"]
    assert job(test) != before and bench.snapshot(job(test)).title.training.seed == 1
    assert test.session_state["experiment"].training.seed == 1 and address(test)["training.seed"] == "1"
    assert bench.snapshot(before) is None
    test.run()
    assert bench.snapshot(job(test)).title.training.seed == 1


@pytest.mark.slow
def test_a_message_that_left_before_the_seed_came_does_not_bring_the_old_one_back(ready, bench):  # noqa: F811
    shown = ready._tree.get_widget_states()
    test = buttons(ready)["Reseed"].click().run()
    after = job(test)
    test._run(shown)
    assert job(test) == after and test.session_state["experiment"].training.seed == 1


@pytest.mark.slow
def test_a_structural_change_is_never_done_in_halves(ready, bench, monkeypatch):  # noqa: F811
    buttons(ready)["Step"].click().run()
    before = job(ready)
    until(lambda: bench.snapshot(before).event.step == 1)
    ready.select_slider(key="knob.architecture.dense.code").set_value(8)
    calls = rerun_while(monkeypatch, bench, "stop", ready._tree.get_widget_states())
    test = ready.run()
    assert not test.exception and calls == ["stop"]
    assert test.session_state["experiment"].architecture.code == 8
    assert job(test) != before and bench.snapshot(job(test)).title == test.session_state["experiment"]
    assert bench.snapshot(job(test)).earlier == (before,)


@pytest.mark.slow
def test_a_seed_can_be_set_after_a_reseed(ready):
    test = buttons(ready)["Reseed"].click().run()
    seed = next(one for one in test.number_input if one.label.startswith("Seed") and "training" in one.key)
    assert seed.value == 1
    test = seed.set_value(7).run()
    assert test.session_state["experiment"].training.seed == 7


@pytest.mark.parametrize("looks", (*range(1, 8), 10))
@pytest.mark.slow
def test_a_run_that_ends_while_the_page_is_drawn_is_told_whole(ready, bench, monkeypatch, looks):  # noqa: F811
    """After so many looks at the run it has failed. What the status line is told is what all the page shows, so that
    the line asks for the page again where that is the past."""
    told, look_up = [], bench.snapshot
    failed = replace(look_up(job(ready)), status="failed", problem="It ended.")
    drawn = dict.fromkeys(pieces.SCRIPTS, lambda **named: None) | {"status": lambda data, **named: told.append(data)}

    def seen(name):
        if name != failed.job:
            return look_up(name)
        seen.looks += 1
        return failed if seen.looks > looks else replace(failed, status="ready", problem="")

    seen.looks = 0
    monkeypatch.setattr(bench, "snapshot", seen)
    monkeypatch.setattr(pieces, "pieces", lambda: drawn)
    test = ready.run()
    assert not test.exception and len(told) == 1
    ended = any("It ended." in element.body for element in test.get("html"))
    assert (told[0]["status"] == "failed") == ended == ("Resume" in buttons(test))


def test_the_names_of_the_data_sets_stay_when_their_files_come(ready, tmp_path, monkeypatch):
    """Streamlit takes a list with other words for another control, and what was chosen in it would be forgotten."""
    before = ready.selectbox(key="knob.data").options
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"")
    for given in (str(tmp_path), ""):
        monkeypatch.setenv("PLAYGROUND_DATASETS", given)
        assert ready.run().selectbox(key="knob.data").options == before and "MNIST digits (download)" in before


def test_outside_of_a_script_nothing_needs_to_be_whole():
    with whole():
        assert get_script_run_ctx(suppress_warning=True) is None


def test_streamlit_does_not_begin_a_second_script_beside_the_first():
    from streamlit import config

    assert config.get_option("runner.fastReruns") is False
    assert (ROOT / ".streamlit" / "config.toml").read_text() == look.config()  # where it is written
