"""Saving: what a run leaves on disk, after a restart, a kill, a full disk."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from playground import workbench
from playground.checkpoint import load
from playground.events import Allowance, Trouble
from playground.trainer import Session, train
from playground.workbench import Workbench
from tests.plugins import experiment, resident, stepped, until

ROOT = Path(__file__).resolve().parent.parent


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


def test_commands_reach_saved_runs_that_nobody_has_opened(tmp_path):
    bench = Workbench(tmp_path, "cpu")
    job = bench.start(experiment("sparse", epochs=1000))
    stepped(bench, job, 5)
    bench.close()  # it was running: a second process would go on with it
    saved = load(bench.library.path(job))
    saved.about["status"] = "paused"
    bench.library.save(job, saved)
    bench = Workbench(tmp_path, "cpu")
    again = bench.reset(job)
    assert until(bench, again, "ready").earlier == (job,)
    bench.retune(job, {"variant.rho": 0.3}).result(10)
    assert bench.snapshot(job).title.variant.rho == 0.3
    bench.close()


CHILD = """
import sys, time
from pathlib import Path
from playground.experiment import Experiment
from playground import workbench
workbench.SAVE_EVERY = 1.0
bench = workbench.Workbench(Path(sys.argv[1]), "cpu")
job = bench.start(Experiment.from_query(sys.argv[2])[0])
while True:
    time.sleep(0.05)
    print(job, getattr(bench.snapshot(job).event, "step", 0), time.time(), flush=True)
"""


@pytest.mark.slow
def test_a_killed_process_loses_at_most_ten_seconds_and_its_run_goes_on(tmp_path):
    made = experiment("sparse", epochs=10_000)
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), made.to_query()],
                             stdout=subprocess.PIPE, text=True, cwd=ROOT)
    seen = []
    for line in child.stdout:
        job, step, at = line.split()
        seen.append((int(step), float(at)))
        running_since = next((t for s, t in seen if s > 0), None)
        if running_since and float(at) - running_since > 6:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    last_step, killed_at = seen[-1]
    saved = load(tmp_path / "runs" / f"{job}.safetensors")
    lost_since = min(at for step, at in seen if step >= saved.step)
    assert killed_at - lost_since <= 1 + 3 and workbench.SAVE_EVERY + 3 <= 10  # a slice and the write take the rest
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
