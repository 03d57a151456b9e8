"""Runs through the workbench: commands, failures, saving, and what a kill leaves behind."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Event

import pytest
import torch

from playground.checkpoint import load
from playground.data import datasets
from playground.device import choose_device
from playground.events import Trouble
from playground.experiment import Experiment, Training
from playground.trainer import Session
from playground.variants import variants
from playground.workbench import Workbench
from tests.plugins import experiment, resident, stepped, until


def test_a_run_to_its_end_has_metrics_and_is_saved(bench, tmp_path):
    job = bench.start(experiment(epochs=2))
    event = until(bench, job, "done").event
    assert event.step == event.steps == 2 * event.still.steps_per_epoch
    assert set(event.metrics) == {"held_out", "psnr", "ssim"} and event.view is not None
    saved = load(bench.library.path(job))
    assert (saved.step, saved.about["status"]) == (event.step, "done")


def test_metrics_are_the_closed_forms(bench):
    job = bench.start(experiment(epochs=1))
    metrics = until(bench, job, "done").event.metrics
    images = resident(experiment().data)
    x = images.held_out.float() / 255
    with torch.no_grad():
        out = load(bench.library.path(job)).model()(x)
    errors = (out - x).square().flatten(1)
    assert metrics["held_out"] == pytest.approx(errors.sum(1).mean().item(), rel=1e-5)
    assert metrics["psnr"] == pytest.approx(-10 * torch.log10(errors.mean()).item(), rel=1e-5)


def test_step_adds_exactly_one_step(bench):
    job = bench.start(experiment(), paused=True)
    until(bench, job, "ready")
    for expected in (1, 2, 3):
        bench.step(job).result(5)
        stepped(bench, job, expected)
        time.sleep(0.05)
        assert until(bench, job, "paused").event.step == expected


def test_reset_returns_to_the_first_loss_exactly_and_keeps_the_old_run(bench):
    job = bench.start(experiment("sparse", epochs=1000), paused=True)
    first = until(bench, job, "ready").event
    bench.resume(job).result(5)
    stepped(bench, job, 20)
    again = bench.reset(job)
    event = until(bench, again, "ready").event
    assert (event.terms, event.held_out) == (first.terms, first.held_out)
    assert bench.snapshot(again).earlier == (job,)
    assert until(bench, job, "stopped").event.step >= 20
    other = bench.reseed(again)
    assert until(bench, other, "ready").event.terms != first.terms
    assert bench.snapshot(other).title.training.seed == 1
    assert bench.snapshot(again) is None  # it never took a step


def test_a_live_knob_acts_on_the_running_job_and_marks_the_curve(bench):
    job = bench.start(experiment("sparse", epochs=1000))
    stepped(bench, job, 5)
    bench.retune(job, {"variant.rho": 0.2, "training.rate": 1e-4}).result(5)
    now = bench.snapshot(job).event.step
    event = stepped(bench, job, now + 20)
    assert [text for _, text in event.marks] == ["ρ = 0.2, η = 0.0001"]
    assert bench.snapshot(job).title.variant.rho == 0.2
    with pytest.raises(ValueError):
        bench.retune(job, {"architecture.code": 3})


def test_a_retuned_penalty_is_the_new_weight_times_the_same_norm():
    made = experiment("sparse")
    images = resident(made.data)
    terms = []
    for beta in (1.0, 3.0):
        session = Session(made, images, "CPU")
        session.retune(made.retuned({"variant.beta": beta}))
        session.advance()
        terms.append(session.report().terms["sparsity"])
    assert terms[1] == pytest.approx(3 * terms[0], rel=1e-5)


@pytest.mark.slow
def test_a_diverging_run_stops_itself_keeps_good_weights_and_can_go_on(bench):
    made = experiment(epochs=1000, rate=10.0)
    made = replace(made, architecture=replace(made.architecture, output="linear", activation="linear"))
    job = bench.start(made)
    deadline = time.monotonic() + 30  # good weights are copied every two seconds, the first ones are of step 0
    while not bench._engine.ask(lambda: getattr(getattr(bench._sessions.get(job), "_good", None), "step", 0)).result(5):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    blow_up(bench, job)
    problem = until(bench, job, "failed").problem
    assert "learning rate (now 10)" in problem and problem.endswith(".")
    saved = load(bench.library.path(job))
    assert saved.step > 0 and f"step {saved.step:,} are kept" in problem
    assert all(tensor.isfinite().all() for tensor in saved.tensors.values())
    bench.retune(job, {"training.rate": 1e-3}).result(5)
    bench.resume(job).result(5)
    event = stepped(bench, job, saved.step + 30)
    assert event.terms["reconstruction"] == event.terms["reconstruction"]
    assert until(bench, job, "running").problem == ""


def blow_up(bench: Workbench, job: str) -> None:
    """Make the next steps overflow: Adam's own steps are bounded, so a weight is set to 1e30."""
    stepped(bench, job, 3)

    def do():
        with torch.no_grad():
            next(bench._sessions[job].model.parameters()).fill_(1e30)

    bench._engine.ask(do).result(5)


def test_out_of_memory_ends_that_job_alone(bench, monkeypatch):
    healthy = bench.start(experiment(epochs=1000))
    stepped(bench, healthy, 2)
    greedy = variants["contractive"]

    def too_much(self, model, x, rng):
        raise torch.OutOfMemoryError("CUDA out of memory")
        yield

    job = bench.start(experiment("contractive"), paused=True)
    until(bench, job, "ready")
    monkeypatch.setattr(greedy, "losses", too_much)
    bench.resume(job).result(5)
    assert "memory is full" in until(bench, job, "failed").problem
    step = bench.snapshot(healthy).event.step
    stepped(bench, healthy, step + 5)


def test_data_that_cannot_be_loaded_is_one_sentence_and_can_be_tried_again(bench, monkeypatch):
    digits, real = datasets["digits"], datasets["digits"].load

    def unreachable(self, report=None):
        raise Trouble("There is no network, so MNIST cannot be downloaded.")

    monkeypatch.setattr(digits, "load", unreachable)
    job = bench.start(experiment())
    assert until(bench, job, "failed").problem == "There is no network, so MNIST cannot be downloaded."
    monkeypatch.setattr(digits, "load", real)
    bench.resume(job)
    until(bench, job, "running", "done")


def test_visitors_who_left_without_training_are_forgotten(bench):
    job = bench.start(experiment(), paused=True)
    until(bench, job, "ready")
    bench.watch(job)
    bench.tidy()
    assert bench.snapshot(job).status == "ready"
    bench.unwatch(job)
    bench.tidy()
    deadline = time.monotonic() + 5
    while bench.snapshot(job) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bench.snapshot(job) is None


def test_a_question_is_answered_from_the_model_as_it_is_now(bench):
    job = bench.start(experiment(epochs=1000), paused=True)
    until(bench, job, "ready")

    def last_bias(model, images):
        assert images.shape == (1, 16, 16)
        return model.decoder[-1].linear.bias[100].item()

    before = bench.probe(job, last_bias).result(5)
    bench.resume(job).result(5)
    stepped(bench, job, 5)
    assert bench.probe(job, last_bias).result(5) != before
    bench.stop(job).result(5)
    saved = load(bench.library.path(job)).tensors["model.decoder.1.linear.bias"]
    assert bench.probe(job, last_bias).result(5) == saved[100].item()
    with pytest.raises(Trouble, match="no run or model"):
        bench.probe("nobody", last_bias).result(5)


def test_a_question_to_a_run_whose_data_still_loads_is_one_sentence(bench, monkeypatch):
    arrived, real = Event(), datasets["digits"].load

    def slow(self, report=None):
        assert arrived.wait(30)
        return real(self)

    monkeypatch.setattr(datasets["digits"], "load", slow)
    job = bench.start(experiment())
    with pytest.raises(Trouble, match="only just beginning"):
        bench.ask(job, lambda model: model.training).result(5)
    arrived.set()
    stepped(bench, job, 1)
    assert bench.ask(job, lambda model: model.has_code).result(5)


def test_an_unknown_device_is_one_sentence():
    with pytest.raises(Trouble, match="tpu"):
        choose_device("tpu")
    assert choose_device("cpu").type == "cpu"


def test_history_is_bounded_and_thinned_alike_for_every_slice():
    from playground.events import Row
    from playground.history import MOST_ROWS, History

    history = History(interval=8)
    for step in range(1, 100_000):
        if history.due(step):
            history.add(Row(step, {}, 0.0))
    assert len(history.rows) <= MOST_ROWS
    steps = [row.step for row in history.rows]
    assert steps[:4] == [1, 2, 4, 8 * history.stride] and steps == sorted(set(steps))
    assert all(step % (8 * history.stride) == 0 for step in steps[3:])


def test_training_and_experiments_are_hashable():
    assert len({Experiment(), Experiment(), Experiment(training=Training(seed=1))}) == 2
