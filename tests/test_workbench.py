"""Runs through the workbench: commands, failures, saving, and what a kill leaves behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from playground.checkpoint import load
from playground.data import datasets
from playground.events import Allowance, Trouble
from playground.experiment import Experiment, Training
from playground.trainer import Session, train
from playground.variants import variants
from playground.workbench import Workbench, choose_device
from tests.plugins import experiment, resident

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bench(tmp_path):
    bench = Workbench(tmp_path, "cpu")
    yield bench
    bench.close()


def until(bench: Workbench, job: str, *statuses: str, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (snapshot := bench.snapshot(job)).status in statuses:
            return snapshot
        time.sleep(0.01)
    raise AssertionError(f"{bench.snapshot(job)} is not {statuses}")


def stepped(bench: Workbench, job: str, steps: int, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if getattr(bench.snapshot(job).event, "step", 0) >= steps:
            return bench.snapshot(job).event
        time.sleep(0.01)
    raise AssertionError(f"{bench.snapshot(job)} did not reach step {steps}")


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


def test_a_diverging_run_stops_itself_keeps_good_weights_and_can_go_on(bench):
    made = experiment(epochs=1000, rate=10.0)
    made = replace(made, architecture=replace(made.architecture, output="linear", activation="linear"))
    job = bench.start(made)
    time.sleep(1.5)  # good weights are copied once a second
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


def test_runs_are_listed_after_a_restart_and_open_where_they_were(tmp_path):
    bench = Workbench(tmp_path, "cpu")
    job = bench.start(experiment(epochs=1000))
    stepped(bench, job, 10)
    bench.pause(job).result(5)
    before = until(bench, job, "paused").event
    bench.close()
    bench = Workbench(tmp_path, "cpu")
    assert [snapshot.job for snapshot in bench.jobs()] == [job]
    assert bench.snapshot(job).status == "paused"
    bench.watch(job)
    deadline = time.monotonic() + 10
    while not bench.snapshot(job).event and time.monotonic() < deadline:
        time.sleep(0.01)
    event = stepped(bench, job, before.step)
    assert (event.step, event.held_out, event.history) == (before.step, before.held_out, before.history)
    assert (event.view.output == before.view.output).all()
    bench.close()


CHILD = """
import sys, time
from pathlib import Path
from playground.experiment import Experiment
from playground.workbench import Workbench
bench = Workbench(Path(sys.argv[1]), "cpu")
job = bench.start(Experiment.from_query(sys.argv[2])[0])
while True:
    time.sleep(0.05)
    print(job, getattr(bench.snapshot(job).event, "step", 0), time.time(), flush=True)
"""


def test_a_killed_process_loses_at_most_ten_seconds_and_its_run_goes_on(tmp_path):
    made = experiment("sparse", epochs=10_000)
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), made.to_query()],
                             stdout=subprocess.PIPE, text=True, cwd=ROOT)
    seen = []
    for line in child.stdout:
        job, step, at = line.split()
        seen.append((int(step), float(at)))
        running_since = next((t for s, t in seen if s > 0), None)
        if running_since and float(at) - running_since > 8:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    last_step, killed_at = seen[-1]
    saved = load(tmp_path / "runs" / f"{job}.safetensors")
    lost_since = min(at for step, at in seen if step >= saved.step)
    assert killed_at - lost_since <= 10
    bench = Workbench(tmp_path, "cpu")
    try:
        event = stepped(bench, job, saved.step + 1)
        assert until(bench, job, "running").title == made
        rows = {row.step: row for row in event.history}
    finally:
        bench.close()
    straight = Session(made, resident(made.data), "CPU")
    run = train(straight)
    next(run)
    run.send(Allowance(seconds=120, steps=min(saved.step, 400)))
    shared = [row for row in straight.history.rows if row.step in rows]
    assert len(shared) > 3
    assert all(rows[row.step].held_out == pytest.approx(row.held_out, rel=1e-4) for row in shared)


def test_a_run_is_never_written_in_halves(bench, monkeypatch):
    job = bench.start(experiment(epochs=1000))
    stepped(bench, job, 3)
    bench.pause(job).result(5)
    bench.stop(job).result(5)
    whole = bench.library.path(job).read_bytes()
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError("disk full")))
    bench.resume(job).result(5)
    stepped(bench, job, 6)
    bench.stop(job).result(5)
    assert bench.library.path(job).read_bytes() == whole


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


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "x" * 100, "a.b"])
def test_a_runs_name_leads_nowhere_else(bench, name):
    assert bench.snapshot(name) is None
    with pytest.raises(Trouble):
        bench.library.path(name)


def test_a_damaged_run_is_passed_over(bench):
    bench.library.runs.mkdir(parents=True, exist_ok=True)
    (bench.library.runs / "broken.safetensors").write_bytes(b"not a model")
    assert bench.jobs() == ()
    assert bench.snapshot("broken") is None


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
