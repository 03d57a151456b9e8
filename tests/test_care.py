"""Care: on a shared server a run that nobody looks at pauses after a while, and in the end a visitor's is deleted."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from functools import partial

import pytest

from playground import care as care_of
from playground.caps import Caps
from playground.care import Care, weight
from playground.checkpoint import load
from playground.studio.training import Trainings
from playground.workbench import HEEDED, Workbench
from tests.plugins import experiment, stepped, until

DAY = 86400.0


class Clock:
    """A time that is turned by hand."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self) -> float:
        return time.time() + self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def care(bench, clock):
    bench.guests = True
    return Care(bench, Caps(grace=600, keep=DAY), True, clock, clock)


def learning(bench, owner: str = "anna") -> str:
    job = bench.start(experiment(epochs=10_000), owner=owner)
    stepped(bench, job, 2)
    return job


def learnt(bench, owner: str = "anna") -> str:
    job = bench.start(experiment(epochs=1), owner=owner)
    until(bench, job, "done")
    return job


def look(care: Care, bench) -> None:
    care.look()
    for _ in range(2):  # what it asked for is done, and what that asked for
        bench._engine.ask(lambda: None).result(30)


@pytest.mark.slow
def test_what_nobody_looks_at_pauses_after_the_grace_time_and_goes_on_when_told(bench, care, clock):
    left, watched = learning(bench), learning(bench)
    bench.watch(watched)
    for seconds, expected in ((0, "running"), (599, "running"), (601, "paused")):
        clock.seconds = seconds
        look(care, bench)
        assert bench.snapshot(left).status == expected and bench.snapshot(watched).status == "running"
    step = bench.snapshot(left).event.step
    bench.resume(left).result(10)
    stepped(bench, left, step + 1)
    look(care, bench)
    assert bench.snapshot(left).status == "running"  # whoever told it to has a grace time of their own
    clock.seconds = 1300
    look(care, bench)
    assert bench.snapshot(left).status == "paused"


def test_a_look_in_between_begins_the_time_anew(bench, care, clock):
    job = learning(bench)
    for seconds in (0, 500, 1000, 1500):
        clock.seconds = seconds
        bench.watch(job)
        look(care, bench)
        bench.unwatch(job)
    clock.seconds = 2000
    look(care, bench)
    assert bench.snapshot(job).status == "running"


def test_who_follows_a_run_by_a_program_counts_as_looking(bench, monkeypatch):
    job = learning(bench)
    assert not bench.attended(job)

    async def follow() -> None:
        async for _ in Trainings(bench).follow(job):
            break

    asyncio.run(follow())
    assert bench.attended(job)
    later = time.monotonic() + HEEDED
    monkeypatch.setattr("playground.workbench.time.monotonic", lambda: later)
    assert not bench.attended(job)


def aged(bench, job: str, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(bench.library.path(job), (then, then))


@pytest.mark.slow
def test_visitors_runs_are_deleted_after_a_day_and_nothing_else(bench, care, clock):
    old, young, machines, watched, going = (learnt(bench), learnt(bench), learnt(bench, ""), learnt(bench),
                                            learning(bench))
    bench.pause(going).result(10)
    bench.resume(going).result(10)
    bench._engine.ask(lambda: bench._save(going, bench._sessions[going], "running")).result(10)
    bench.watch(watched)
    bench.watch(going)
    for job in (old, machines, watched, going):
        aged(bench, job, 1.1)
    look(care, bench)
    assert {one.name for one in bench.library.saved()} == {young, machines, watched, going}
    assert bench.snapshot(old) is None and bench.snapshot(going).status == "running"


def test_a_paused_run_that_was_forgotten_is_closed_and_deleted(bench, care, clock):
    job = learning(bench)
    bench._engine.ask(lambda: bench._save(job, bench._sessions[job], "running")).result(10)
    bench.pause(job).result(10)
    aged(bench, job, 1.1)
    look(care, bench)
    assert bench.snapshot(job) is None and not bench.library.path(job).exists() and job not in bench._sessions


def test_what_was_begun_on_ones_own_laptop_is_kept_when_the_server_is_shared_later(bench, tmp_path, clock):
    mine = learnt(bench)
    assert load(bench.library.path(mine)).about["guest"] is False
    bench.close()
    later = Workbench(tmp_path, "cpu")
    try:
        later.guests = True
        later.retune(mine, {"training.epochs": 2}).result(10)
        later.resume(mine).result(10)
        until(later, mine, "done")
        aged(later, mine, 100)
        look(Care(later, Caps(), True, clock, clock), later)
        assert later.library.path(mine).exists()
        guests = learnt(later)
        assert load(later.library.path(guests)).about["guest"] is True
    finally:
        later.close()


# Memory -------------------------------------------------------------------------------------------------------------


def test_what_rested_longest_is_closed_to_disk_and_opened_again_as_it_was(bench, clock):
    oldest, newer, watched = learning(bench), learning(bench), learning(bench)
    for job in (oldest, newer, watched):
        bench.pause(job).result(10)
    bench.watch(watched)
    held = sum(map(weight, bench.open_runs()))
    roomy, tight = (Care(bench, replace(Caps(), memory=memory), False, clock) for memory in (held, held - 1))
    look(roomy, bench)
    assert {oldest, newer, watched} == {snapshot.job for snapshot in bench.open_runs()}
    tight._busy = {oldest: 1.0, newer: 2.0}
    before = bench.snapshot(oldest).event
    weights = bench.ask(oldest, total).result(10)
    look(tight, bench)
    assert {newer, watched} == {snapshot.job for snapshot in bench.open_runs()}
    saved = bench.snapshot(oldest)
    assert saved.status == "paused" and saved.owner == "anna" and oldest in {one.job for one in bench.jobs()}
    bench.watch(oldest)
    event = until(bench, oldest, "paused").event
    assert (event.step, event.history) == (before.step, before.history)
    assert bench.ask(oldest, total).result(10) == weights


@pytest.mark.slow
def test_what_nobody_came_back_to_is_closed_to_disk_where_others_share_the_memory(bench, care, clock):
    left, ended, watched, busy = learning(bench), learnt(bench), learning(bench), learning(bench)
    for job in (left, watched):
        bench.pause(job).result(10)
    bench.watch(watched)
    step, rest = bench.snapshot(left).event.step, care.limits.rest
    own = Care(bench, Caps(), False, clock, clock)
    for seconds, open_then in ((0, {left, ended, watched, busy}), (rest - 1, {left, ended, watched, busy}),
                               (rest + 1, {watched, busy})):
        clock.seconds = seconds
        look(own, bench)
        look(care, bench)
        assert {one.job for one in bench.open_runs()} == open_then
    for job, status in ((left, "paused"), (ended, "done")):
        bench.watch(job)
        until(bench, job, status)
    assert bench.snapshot(left).event.step == step
    look(care, bench)
    assert {left, ended} <= {one.job for one in bench.open_runs()}  # somebody looks again
    bench.resume(left).result(10)
    stepped(bench, left, step + 1)


def test_on_ones_own_machine_what_rests_stays_in_memory(bench, clock):
    job, own = learnt(bench), Care(bench, Caps(), False, clock, clock)
    for seconds in (0, DAY):
        clock.seconds = seconds
        look(own, bench)
    assert job in {one.job for one in bench.open_runs()}


def total(model) -> float:
    return sum(float(weights.detach().double().sum()) for weights in model.parameters())


def test_a_run_that_cannot_be_saved_stays_open(bench, clock, monkeypatch):
    job = learning(bench)
    bench.pause(job).result(10)

    def full(*values):
        raise OSError("No space left on device")

    monkeypatch.setattr(bench.library, "save", full)
    look(Care(bench, Caps(memory=1_000_000), False, clock), bench)
    bench.put_away(job).result(10)
    assert bench.snapshot(job).event.step > 0 and job in bench._sessions


def test_a_run_that_cannot_be_saved_is_not_tried_again_at_every_look(bench, care, clock, monkeypatch):
    job, tried = learning(bench), []
    bench.pause(job).result(10)
    monkeypatch.setattr(bench, "put_away", tried.append)
    rest = care.limits.rest
    for seconds, times in ((0, 0), (rest + 1, 1), (rest + 11, 1), (2 * rest, 1), (2 * rest + 2, 2)):
        clock.seconds = seconds
        look(care, bench)
        assert tried == times * [job]


def test_what_learns_is_never_closed_however_little_memory_there_is(bench, clock):
    job = learning(bench)
    look(Care(bench, Caps(memory=1_000_000), False, clock), bench)
    assert bench.snapshot(job).status == "running"


# Caps ---------------------------------------------------------------------------------------------------------------


def test_runs_that_learn_are_counted_for_each_owner(bench):
    job, _ = learning(bench), learning(bench, "ben")
    other = learning(bench)
    count = partial(care_of.learning, bench)
    assert (count("anna"), count("anna", other), count("ben")) == (2, 1, 1)
    bench.pause(job).result(10)
    assert count("anna") == 1
