"""The Train page as a script: controls from knobs, what starts a new run, links, and the look that is written once."""

import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest

from playground import server
from playground.experiment import PARTS, Experiment
from playground.knobs import knobs, matters
from playground.lab import messages
from playground.lab.controls import short
from playground.lab.formulas import mathml, terms
from playground.workbench import Workbench

AppTest = pytest.importorskip("streamlit.testing.v1").AppTest
ROOT = Path(__file__).resolve().parent.parent
MAIN = ROOT / "playground" / "lab" / "main.py"
SMALL = "architecture.code=4&architecture.width=16"


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A workbench of the test's own, which the page's script gets from the server module."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    bench = Workbench(tmp_path, "cpu")
    monkeypatch.setattr(server, "_made", [bench])
    yield bench
    bench.close()


def opened(script: Path, query: dict[str, str]):
    """A page's script at a link, run once as a new session."""
    test = AppTest.from_file(str(script), default_timeout=60)
    for key, value in query.items():
        test.query_params[key] = value
    test.run()
    assert not test.exception, test.exception
    return test


@pytest.fixture
def page(bench):
    """Opens the page at a link, as a new session."""
    return lambda query=SMALL: opened(MAIN, dict(parse_qsl(query)))


def address(test) -> dict[str, str]:
    return {key: value[0] if isinstance(value, list) else value for key, value in test.query_params.items()}


def until(true, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def job(test) -> str:
    return test.session_state["job"]


def buttons(test) -> dict:
    return {button.label: button for button in test.button}


# Controls -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("variant", [*PARTS["variant"], "sparse&variant.kind=l1", "sparse&variant.kind=top-k"])
def test_every_knob_of_every_variant_has_a_control(page, variant):
    test = page(f"{SMALL}&variant={variant}")
    keys = {element.key for kind in ("select_slider", "selectbox", "number_input", "toggle", "slider", "text_input",
                                     "button_group") for element in test.get(kind) if element.key}
    experiment = test.session_state["experiment"]
    for part in PARTS:
        value = getattr(experiment, part)
        for name in knobs(value):
            assert (f"knob.{part}.{value.name}.{name}" in keys) == matters(value, name)


def test_symbols_stand_in_the_labels(page):
    labels = [slider.label for slider in page(f"{SMALL}&variant=sparse").select_slider]
    assert "Target ρ" in labels and "Weight β" in labels


def test_buttons_have_their_exact_names(page, bench):
    test = page()
    until(lambda: bench.snapshot(job(test)).status == "ready")
    test.run()
    named = buttons(test)
    assert {"Train", "Step", "Stop", "Reset", "Reseed"} <= set(named)
    assert named["Stop"].disabled and named["Reset"].disabled and not named["Train"].disabled


@pytest.mark.slow
def test_train_pause_resume_and_stop(page, bench):
    test = page(f"{SMALL}&training.epochs=10000")
    until(lambda: bench.snapshot(job(test)).status == "ready")
    buttons(test.run())["Train"].click().run()
    assert bench.snapshot(job(test)).status == "running" and "Pause" in buttons(test)
    buttons(test)["Pause"].click().run()
    assert bench.snapshot(job(test)).status == "paused" and "Resume" in buttons(test)
    buttons(test)["Resume"].click().run()
    buttons(test)["Stop"].click().run()
    assert bench.snapshot(job(test)).status == "stopped"


@pytest.mark.slow
def test_step_takes_exactly_one(page, bench):
    test = page()
    until(lambda: bench.snapshot(job(test)).status == "ready")
    for expected in (1, 2):
        buttons(test.run())["Step"].click().run()
        until(lambda expected=expected: bench.snapshot(job(test)).event.step == expected)
    assert bench.snapshot(job(test)).status == "paused"


def test_reset_keeps_the_weights_and_reseed_changes_them(page, bench):
    test = page()
    until(lambda: bench.snapshot(job(test)).status == "ready")
    first, terms_at_first = job(test), bench.snapshot(job(test)).event.terms
    buttons(test.run())["Step"].click().run()
    until(lambda: bench.snapshot(first).event.step == 1)
    buttons(test.run())["Reset"].click().run()
    until(lambda: bench.snapshot(job(test)).status == "ready")
    assert job(test) != first and bench.snapshot(job(test)).event.terms == terms_at_first
    assert bench.snapshot(job(test)).earlier == (first,)
    buttons(test.run())["Reseed"].click().run()
    until(lambda: bench.snapshot(job(test)).status == "ready")
    assert bench.snapshot(job(test)).event.terms != terms_at_first
    assert [one.value for one in test.number_input if one.key.startswith("knob.training.adam.seed")] == [1]
    assert address(test)["training.seed"] == "1"


# Changes ------------------------------------------------------------------------------------------------------------


def test_a_structural_change_makes_a_new_run_and_forgets_the_unstarted_one(page, bench):
    test = page()
    before = job(test)
    test.select_slider(key="knob.architecture.dense.code").set_value(8).run()
    assert job(test) != before and test.session_state["experiment"].architecture.code == 8
    until(lambda: bench.snapshot(before) is None)


@pytest.mark.slow
def test_a_structural_change_stops_and_keeps_a_run_that_learnt(page, bench):
    test = page(f"{SMALL}&training.epochs=10000")
    until(lambda: bench.snapshot(job(test)).status == "ready")
    buttons(test.run())["Train"].click().run()
    before = job(test)
    until(lambda: bench.snapshot(before).event.step > 0)
    test.select_slider(key="knob.architecture.dense.code").set_value(8).run()
    until(lambda: bench.snapshot(before).status == "stopped")
    assert bench.snapshot(job(test)).earlier == (before,)


def test_a_live_knob_turns_on_the_same_run(page, bench):
    test = page(f"{SMALL}&variant=sparse")
    until(lambda: bench.snapshot(job(test)).status == "ready")
    before = job(test)
    buttons(test.run())["Step"].click().run()
    test.select_slider(key="knob.variant.sparse.beta").set_value(3.0).run()
    assert job(test) == before and bench.snapshot(before).title.variant.beta == 3.0
    assert address(test)["variant.beta"] == "3.0"
    buttons(test)["Step"].click().run()
    until(lambda: bench.snapshot(before).event.marks)
    assert bench.snapshot(before).event.marks == ((1, "β = 3.0"),)


def test_changing_the_variant_and_back_loses_nothing(page):
    test = page(f"{SMALL}&variant=sparse&variant.rho=0.2")
    test.button_group(key="knob.variant").set_value("denoising").run()
    assert test.session_state["experiment"].variant.name == "denoising"
    assert test.session_state["experiment"].architecture.code == 4
    test.button_group(key="knob.variant").set_value("sparse").run()
    assert test.session_state["experiment"].variant.rho == 0.2


def test_a_change_of_architecture_keeps_what_both_have(page):
    test = page(SMALL)
    test.button_group(key="knob.architecture").set_value("convolutional").run()
    assert not test.exception
    assert test.session_state["experiment"].architecture.code == 4
    assert test.select_slider(key="knob.architecture.convolutional.code").value == 4


def test_a_network_that_is_too_large_is_refused_in_a_sentence(page):
    test = page("architecture.code=1024&architecture.depth=1&data=photos&data.size=96")
    before = job(test)
    test.select_slider(key="knob.architecture.dense.depth").set_value(2).run()
    test.select_slider(key="knob.architecture.dense.width").set_value(2048).run()
    said = " ".join(element.body for element in test.get("html"))
    assert "parameters, more than" in said and 'role="alert"' in said
    assert not test.exception and job(test) and before


# Links --------------------------------------------------------------------------------------------------------------


def test_the_address_holds_the_experiment_and_its_run(page, bench):
    test = page(f"{SMALL}&variant=sparse&variant.rho=0.1")
    held = address(test)
    run = held.pop("run")
    assert run == job(test)
    assert Experiment.from_query(urlencode(held)) == (test.session_state["experiment"], [])


@pytest.mark.slow
def test_a_link_to_a_run_shows_that_run(page, bench):
    first = page(f"{SMALL}&variant=sparse")
    second = page(urlencode(address(first)))
    assert job(second) == job(first)
    assert second.session_state["experiment"] == first.session_state["experiment"]


def test_a_link_whose_run_is_not_here_shows_the_experiment(page):
    test = page(f"{SMALL}&run=never-heard-of")
    assert job(test) != "never-heard-of" and not test.session_state["problems"]


@pytest.mark.slow
def test_whoever_comes_back_finds_what_was_shown(page, bench):
    """Runs without a step are forgotten after a while: a shipped model is shown again, one that was reset is ready."""

    def forgotten_and_back(status: str) -> None:
        old = job(test)
        until(lambda: bench.snapshot(old).status == status)
        bench.discard(old)
        until(lambda: bench.snapshot(old) is None)
        test.run()
        assert job(test) != old
        until(lambda: bench.snapshot(job(test)).status == status)

    test = page("")
    forgotten_and_back("done")
    test.run()
    buttons(test)["Reset"].click().run()
    forgotten_and_back("ready")


def test_a_bad_link_is_told_once_and_keeps_the_defaults(page):
    test = page("variant=sparse&variant.rho=7&architecture.code=many&colour=blue")
    said = " ".join(element.body for element in test.get("html"))
    assert 'role="note"' in said and "variant.rho" in said and "architecture.code" in said and "colour" in said
    assert test.session_state["experiment"].variant == PARTS["variant"]["sparse"]()


@pytest.mark.slow
def test_a_value_between_the_stops_is_kept(page):
    test = page(f"{SMALL}&variant=sparse&variant.rho=0.07")
    assert test.select_slider(key="knob.variant.sparse.rho").value == 0.07


def test_hide_leaves_controls_out(page):
    test = page(f"{SMALL}&variant=sparse&hide=rho,depth,more,step,data")
    sliders = {slider.key for slider in test.select_slider}
    assert "knob.variant.sparse.rho" not in sliders and "knob.architecture.dense.depth" not in sliders
    assert "knob.variant.sparse.beta" in sliders
    assert "Step" not in buttons(test) and not test.get("expander")
    assert address(test)["hide"] == "data,depth,more,rho,step"
    said, made = {one.value for one in test.caption}, test.session_state["experiment"]
    assert made.data.note not in said and made.variant.motto in said


# Words and look -----------------------------------------------------------------------------------------------------


def test_every_term_of_every_variant_is_a_formula():
    for name in PARTS["variant"]:
        experiment, _ = Experiment.from_query(f"variant={name}")
        for term in terms(experiment):
            assert term["math"].startswith("<math") and "\\" not in term["math"] and term["words"]


def test_formulas_have_real_accents_and_whole_words():
    made = mathml(r"\sum_l \mathrm{KL}(\rho \,\|\, {\hat{\rho}}_l)")
    assert "<mi>KL</mi>" in made and "&#x002C6;" in made and "<munder>" in made


def test_visible_help_is_one_clause():
    assert short("Numbers kept per image. Smaller: blurrier.") == "Numbers kept per image"
    assert short("Step size: 1.5 is much") == "Step size"


def test_an_earlier_run_is_named_by_what_differs():
    present, _ = Experiment.from_query("variant=sparse")
    other, _ = Experiment.from_query("variant=sparse&variant.rho=0.2")
    assert messages.compared_name(present, other) == "Sparse 16, rho 0.2"
    assert messages.compared_name(present, present) == "Sparse 16, before"
    other, _ = Experiment.from_query("variant=sparse&architecture=convolutional")
    assert messages.compared_name(present, other) == "Sparse 16, convolutional"
    assert messages.compared_name(present, Experiment()) == "Undercomplete 16"
