"""First contact: the first page shows a trained model; it costs no disk, is in no list, and goes on like any run."""

from __future__ import annotations

import base64
import time
from dataclasses import replace

import numpy as np
import pytest

from playground.events import Frame, View
from playground.experiment import Experiment
from playground.lab import messages
from playground.workbench import Workbench
from tests.plugins import experiment, stepped, until


@pytest.fixture
def bench(tmp_path):
    made = Workbench(tmp_path, "cpu")
    yield made
    made.close()


def files(bench) -> list:
    return list(bench.library.runs.glob("*"))


def test_a_shipped_model_is_shown_with_its_curve_pictures_and_figures(bench):
    job = bench.show(Experiment())
    event = until(bench, job, "done").event
    (entry,) = [one for one in bench.library.shipped_models() if one.experiment == Experiment()]
    assert event.step == event.steps == entry.step
    assert [row.held_out for row in event.history] == [row.held_out for row in entry.history]
    assert event.terms == entry.history[-1].terms
    assert event.metrics["psnr"] == pytest.approx(entry.metrics["psnr"], abs=0.01)
    assert event.view.output.shape[0] == 8 and min(event.view.grades) > 15 and len(event.film) > 5


def test_a_film_ends_where_the_codes_lie_and_moves_no_more_than_it_must():
    rng = np.random.default_rng(0)
    last = rng.normal(0, 3, (40, 2)).astype(np.float32) + 5
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])  # a principal plane's axes may come in any turn and of any sign
    frames = tuple(Frame(step, (grown * (last - 5) @ turn * sign + 1).astype(np.float16))
                   for step, grown, sign in ((0, 0.1, (1, 1)), (7, 0.5, (-1, 1)), (20, 1.0, (1, -1))))
    seen = View(20, None, np.zeros(0), last, (0.6, 0.3), np.zeros(3, np.float32), ())
    told = messages.film(frames, seen)
    places = np.frombuffer(base64.b64decode(told["places"]), np.int16).reshape(3, 40, 2) / 32000 * told["reach"]
    assert told["steps"] == [0, 7, 20] and np.abs(places - last).max() < 0.05
    assert messages.film(frames, replace(seen, codes=last[:39])) == {"steps": []}  # it is of other images
    assert messages.film((), seen) == {"steps": []}


def test_it_leaves_no_file_and_is_no_run_in_lists(bench):
    job = bench.show(Experiment())
    until(bench, job, "done")
    assert files(bench) == [] and job not in {one.job for one in bench.jobs()}
    bench.tidy()
    deadline = time.monotonic() + 10
    while bench.snapshot(job) is not None:  # it is forgotten by the engine's own thread
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_stays_while_somebody_watches(bench):
    job = bench.show(Experiment())
    until(bench, job, "done")
    bench.watch(job)
    bench.tidy()
    assert bench.snapshot(job).status == "done"


def test_its_network_answers_questions(bench):
    job = bench.show(Experiment())
    until(bench, job, "done")
    ours, shipped = (bench.ask(name, lambda model: sum(float(p.detach().sum()) for p in model.parameters())).result(20)
                     for name in (job, "undercomplete-digits"))
    assert ours == shipped


def test_with_more_epochs_it_learns_on_and_is_a_run_like_any_other(bench):
    job = bench.show(Experiment())
    steps = until(bench, job, "done").event.step
    more = Experiment().training.epochs + 1
    bench.retune(job, {"training.epochs": more}).result(10)
    bench.resume(job).result(10)
    stepped(bench, job, steps + 1)
    until(bench, job, "done")
    assert [path.stem for path in files(bench)] == [job] and job in {one.job for one in bench.jobs()}
    bench.tidy()
    assert bench.snapshot(job).event.step > steps


def test_train_begins_anew_from_the_first_weights_with_the_shown_curve_behind(bench):
    shown = bench.show(Experiment())
    until(bench, shown, "done")
    job = bench.reset(shown)
    snapshot = until(bench, job, "ready")
    assert snapshot.event.step == 0 and snapshot.earlier == (shown,)


def test_what_is_not_shipped_is_not_shown(bench):
    assert bench.show(experiment()) is None
    assert bench.show(replace(Experiment(), training=replace(Experiment().training, seed=1))) is None
