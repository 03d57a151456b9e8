"""The engine with toy jobs: no torch, no data, only generators."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest

from playground.events import Allowance, Trouble, Waiting
from playground.runner import Engine


@dataclass(frozen=True)
class Count:
    """What a toy job says: how many steps it took, of how many, and in how many turns."""

    step: int
    steps: float
    view: object = None


def toy(steps: float = float("inf"), seconds: float = 0.001, log: list | None = None):
    def opening():
        allowance = yield Count(0, steps, view=0)
        step = 0
        while step < steps:
            started, first = time.perf_counter(), step
            while step - first < allowance.steps and step < steps:
                time.sleep(seconds)
                step += 1
                if time.perf_counter() - started >= allowance.seconds:
                    break
            if log is not None:
                log.append(step)
            allowance = yield Count(step, steps, view=step if allowance.look else None)

    return opening


@pytest.fixture
def engine():
    engine = Engine()
    yield engine
    engine.close()


def until(engine: Engine, job: str, *statuses: str, seconds: float = 5):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if engine.snapshot(job).status in statuses:
            return engine.snapshot(job)
        time.sleep(0.005)
    raise AssertionError(f"{job} is {engine.snapshot(job)}, not {statuses}")


def test_a_paused_job_opens_ready_and_takes_exactly_the_steps_asked_for(engine):
    engine.start("a", "A", toy(), paused=True).result(5)
    assert until(engine, "a", "ready").event.step == 0
    for expected in (1, 2, 3):
        engine.step("a").result(5)
        assert until(engine, "a", "paused").event.step <= expected
        deadline = time.monotonic() + 5
        while engine.snapshot("a").event.step < expected and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.05)
        assert engine.snapshot("a").event.step == expected


def test_pause_holds_and_resume_goes_on(engine):
    engine.start("a", "A", toy())
    until(engine, "a", "running")
    time.sleep(0.1)
    engine.pause("a").result(5)
    held = until(engine, "a", "paused").event.step
    time.sleep(0.1)
    assert engine.snapshot("a").event.step == held > 0
    engine.resume("a").result(5)
    time.sleep(0.1)
    assert engine.snapshot("a").event.step > held


def test_stepping_a_running_job_pauses_it(engine):
    engine.start("a", "A", toy())
    until(engine, "a", "running")
    engine.step("a").result(5)
    until(engine, "a", "paused")


def test_a_finished_job_is_done_and_keeps_its_last_word(engine):
    engine.start("a", "A", toy(steps=7))
    assert until(engine, "a", "done").event.step == 7


def test_a_stopped_job_is_closed_and_keeps_its_last_word(engine):
    closed = []

    def opening():
        try:
            yield from toy()()
        finally:
            closed.append(True)

    engine.start("a", "A", opening)
    until(engine, "a", "running")
    engine.stop("a").result(5)
    assert engine.snapshot("a").status == "stopped" and closed
    with pytest.raises(KeyError):
        engine.pause("a").result(5)


@pytest.mark.slow
def test_eight_jobs_share_the_device_fairly(engine):
    jobs = [f"job{i}" for i in range(8)]
    for job in jobs:
        engine.start(job, job, toy())
    time.sleep(2.0)
    steps = [engine.snapshot(job).event.step for job in jobs]
    assert min(steps) > 0.5 * max(steps)


def test_a_command_takes_effect_within_100_ms_while_eight_jobs_run(engine):
    jobs = [f"job{i}" for i in range(8)]
    for job in jobs:
        engine.start(job, job, toy())
    for job in jobs:
        until(engine, job, "running")
    waits = []
    for job in jobs:
        started = time.perf_counter()
        engine.pause(job).result(5)
        waits.append(time.perf_counter() - started)
        assert engine.snapshot(job).status in ("ready", "paused")
        engine.resume(job).result(5)
    assert sorted(waits)[len(waits) // 2] < 0.1


def test_trouble_becomes_the_jobs_problem_and_hurts_no_other(engine):
    def opening():
        yield Count(0, 10)
        raise Trouble("The loss stopped being a number.")

    engine.start("bad", "bad", opening)
    engine.start("good", "good", toy())
    assert until(engine, "bad", "failed").problem == "The loss stopped being a number."
    step = until(engine, "good", "running").event.step
    time.sleep(0.1)
    assert engine.snapshot("good").event.step > step


def test_an_unforeseen_error_shows_a_sentence_and_no_traceback(engine):
    def opening():
        yield Count(0, 10)
        raise ZeroDivisionError("division by zero")

    engine.start("bad", "bad", opening)
    problem = until(engine, "bad", "failed").problem
    assert problem.endswith(".") and "Zero" not in problem


@pytest.mark.slow
def test_pace_limits_the_steps_a_second(engine):
    engine.start("a", "A", toy(seconds=0.0001), pace=20)
    until(engine, "a", "running")
    before = engine.snapshot("a").event.step
    time.sleep(1.0)
    assert 14 <= engine.snapshot("a").event.step - before <= 23
    engine.set_pace("a", None).result(5)
    before = engine.snapshot("a").event.step
    time.sleep(0.3)
    assert engine.snapshot("a").event.step - before > 100


@pytest.mark.slow
def test_views_are_made_only_for_watchers_and_about_ten_times_a_second(engine):
    looks = []

    def opening():
        allowance, step = (yield Count(0, 1e9, view=0)), 0
        while True:
            time.sleep(0.002)
            step += 1
            if allowance.look:
                looks.append(time.monotonic())
            allowance = yield Count(step, 1e9, view=step if allowance.look else None)

    engine.start("a", "A", opening)
    until(engine, "a", "running")
    time.sleep(0.3)
    assert not looks
    engine.watch("a")
    time.sleep(1.0)
    engine.unwatch("a")
    assert 6 <= len(looks) <= 12
    assert engine.snapshot("a").event.view is not None  # the last picture stays while nobody looks


def test_a_waiting_job_says_what_it_waits_for_and_blocks_nobody(engine):
    ready = []

    def opening():
        while not ready:
            yield Waiting("Downloading", 0.5)
        yield from toy()()

    engine.start("late", "late", opening, paused=True)
    engine.start("busy", "busy", toy())
    until(engine, "busy", "running")
    assert engine.snapshot("late").event == Waiting("Downloading", 0.5)
    assert engine.snapshot("late").status == "opening"
    ready.append(True)
    until(engine, "late", "ready")


def test_snapshots_are_replaced_and_their_version_grows(engine):
    engine.start("a", "A", toy())
    first = until(engine, "a", "running")
    deadline = time.monotonic() + 20
    while (later := engine.snapshot("a")) is first:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert later.version > first.version


def test_close_ends_running_jobs_and_lets_them_save():
    saved = []

    def opening():
        try:
            yield from toy()()
        finally:
            saved.append(True)

    engine = Engine()
    engine.start("a", "A", opening)
    until(engine, "a", "running")
    engine.close()
    engine.close()
    assert saved
    with pytest.raises(RuntimeError):
        engine.ask(lambda: None).result(1)


def test_allowance_of_one_step_is_the_default():
    assert Allowance().steps == 1


def test_it_ends_although_its_thread_closed_all_and_waits_again_before_it_could_know(monkeypatch):
    engine = Engine()
    ask = engine.ask

    def slowly(do):
        ended = ask(do)
        ended.result(5)
        time.sleep(0.05)  # the thread is back at its inbox, with nothing to wait for
        return ended

    monkeypatch.setattr(engine, "ask", slowly)
    closing = threading.Thread(target=engine.close, daemon=True)
    closing.start()
    closing.join(5)
    assert not closing.is_alive()
