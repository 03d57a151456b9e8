"""Training slice by slice: what a slice saves, who goes on with it, and that a crash or a restart loses little."""

from __future__ import annotations

import asyncio
import time

import pytest

from playground.caps import Caps
from playground.checkpoint import load
from playground.studio import zero
from playground.studio.zero import Hosting, SlicedTrainings, run_slice, stopping
from tests.plugins import experiment
from tests.standins.spaces import GPU

MADE = experiment(epochs=10_000)


@pytest.fixture(autouse=True)
def lent(tmp_path, monkeypatch):
    """Short slices, and a log of the calls that the stand-in for the host's package writes."""
    monkeypatch.setattr(zero, "SLICE", 0.3)
    monkeypatch.setenv("SPACES_LOG", str(tmp_path / "calls"))
    monkeypatch.setenv("PLAYGROUND_DEVICE", "cpu")


def saved(tmp_path, job):
    return load(tmp_path / "runs" / f"{job}.safetensors", weights=False)


async def until(true, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.02)


def served(tmp_path, work, limits: Caps | None = None):
    """work(bench, trainings) as a server does it that then crashes: nothing is told to end."""
    bench = Hosting(tmp_path, "cpu")
    trainings = SlicedTrainings(bench, GPU, *([limits] if limits else []))

    async def main():
        try:
            return await work(bench, trainings)
        finally:
            for task in tuple(trainings._tasks):
                task.cancel()
            await asyncio.sleep(0)

    try:
        return asyncio.run(main())
    finally:
        bench.close()


@pytest.mark.slow
def test_a_slice_saves_what_is_to_follow(tmp_path):
    runs, job = str(tmp_path / "runs"), "abc"
    *_, (status, event) = run_slice(runs, job, MADE.to_json(), 0.2)
    assert status == saved(tmp_path, job).about["status"] == "running" and event.step == saved(tmp_path, job).step > 0
    *_, (status, later) = run_slice(runs, job, MADE.to_json(), 0.2, last=True)
    assert status == saved(tmp_path, job).about["status"] == "stopped" and later.step > event.step
    stopping(runs, job).write_text("stopped")
    *_, (status, same) = run_slice(runs, job, MADE.to_json(), 5)
    assert status == "stopped" and same.step == later.step
    stopping(runs, job).unlink()
    short = experiment(epochs=1)
    *_, (status, end) = run_slice(runs, "short", short.to_json(), 30)
    assert status == saved(tmp_path, "short").about["status"] == "done" and end.step == end.steps


def test_a_crash_within_a_slice_loses_the_last_seconds_only(tmp_path, monkeypatch):
    monkeypatch.setattr(zero, "SAVE_EVERY", 0.1)
    slice = run_slice(str(tmp_path / "runs"), "abc", MADE.to_json(), 60)
    end = time.monotonic() + 10
    while not (tmp_path / "runs" / "abc.safetensors").exists():
        next(slice)
        assert time.monotonic() < end
    assert saved(tmp_path, "abc").step > 0 and saved(tmp_path, "abc").about["status"] == "running"


@pytest.mark.slow
def test_what_a_crashed_server_trained_is_taken_up_by_the_next_ones_slices(tmp_path):
    async def train(bench, trainings):
        job = await trainings.start("one", MADE)
        await until(lambda: getattr(bench.snapshot(job).event, "step", 0) > 5)
        await until(lambda: (tmp_path / "runs" / f"{job}.safetensors").exists())
        return job

    job = served(tmp_path, train)
    before = saved(tmp_path, job)
    assert before.about["status"] == "running" and before.step > 0

    async def go_on(bench, trainings):
        assert bench.left == {job: MADE} and bench.snapshot(job).status == "opening"
        assert job not in bench._sessions  # this process plays nothing itself
        trainings.take_up()
        await until(lambda: getattr(bench.snapshot(job).event, "step", 0) > before.step)
        assert bench.snapshot(job).status == "running"
        await trainings.stop(job)
        await until(lambda: bench.snapshot(job).status == "stopped")

    served(tmp_path, go_on)
    assert saved(tmp_path, job).about["status"] == "stopped" and saved(tmp_path, job).step > before.step

    async def rest(bench, trainings):
        assert bench.left == {}  # what was stopped stays so, until somebody resumes it
        trainings.take_up()
        step = saved(tmp_path, job).step
        await trainings.resume("one", job)
        await until(lambda: getattr(bench.snapshot(job).event, "step", 0) > step)
        await trainings.resume("one", job)  # it goes on already
        assert len(trainings._playing) == 1
        trainings.close()
        await until(lambda: not trainings._playing)

    served(tmp_path, rest)
    assert saved(tmp_path, job).about["status"] == "running"  # the server's end is not the run's


@pytest.mark.slow
def test_a_runs_time_is_over_for_good(tmp_path):
    async def train(bench, trainings):
        job = await trainings.start("one", MADE)
        await until(lambda: bench.snapshot(job).status == "stopped")
        return job

    assert saved(tmp_path, served(tmp_path, train, Caps(training=0.5))).about["status"] == "stopped"


@pytest.mark.slow
def test_questions_are_answered_by_the_newest_slice(tmp_path):
    async def train(bench, trainings):
        job = await trainings.start("one", MADE)
        await until(lambda: (tmp_path / "runs" / f"{job}.safetensors").exists() and saved(tmp_path, job).step > 0)
        first = await asyncio.wrap_future(bench.ask(job, lambda model: next(model.parameters()).clone()))
        step = saved(tmp_path, job).step
        await until(lambda: bench.snapshot(job).event.step > step + 5)
        await trainings.stop(job)
        await until(lambda: bench.snapshot(job).status == "stopped")
        last = await asyncio.wrap_future(bench.ask(job, lambda model: next(model.parameters()).clone()))
        assert (first != last).any()

    served(tmp_path, train)


def test_hardware_that_is_not_given_is_one_sentence_and_can_be_asked_again(tmp_path):
    asked = []

    def scarce(duration):
        def decorate(do):
            def call(*values):
                asked.append(values)
                if len(asked) == 1:
                    raise RuntimeError("no quota")
                yield from do(*values)

            return call

        return decorate

    async def train(bench, trainings):
        job = await trainings.start("one", MADE)
        await until(lambda: bench.snapshot(job).status == "failed")
        problem = bench.snapshot(job).problem
        assert problem.startswith("The GPU was not given") and "\n" not in problem
        await trainings.resume("one", job)
        await until(lambda: getattr(bench.snapshot(job).event, "step", 0) > 0)
        await trainings.stop(job)
        await until(lambda: bench.snapshot(job).status == "stopped")

    bench = Hosting(tmp_path, "cpu")
    try:
        asyncio.run(train(bench, SlicedTrainings(bench, scarce)))
    finally:
        bench.close()
