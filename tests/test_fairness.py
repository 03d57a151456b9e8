"""Fairness of the engine's turns, by a clock that only toy jobs move: equal jobs get equal parts of the device."""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import dataclass

import pytest

from playground import runner
from playground.runner import Engine

LONG = 20.0  # seconds of the toys' clock
PICTURES = 0.004  # seconds that a look takes


class Clock:
    """Stands in for the module `time`: it moves when a job works, and not by itself."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@dataclass(frozen=True)
class Count:
    step: int
    steps: float = math.inf
    view: object = None


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(runner, "time", clock)
    return clock


def played(clock: Clock, step: float, count: int = 10, watched: tuple[int, ...] = (), meddle=None) -> Counter:
    """Steps that each of `count` jobs took until the clock said LONG. meddle(engine, i) is called after i's turns."""
    taken: Counter[int] = Counter(dict.fromkeys(range(count), 0))
    engine, ready = Engine(), threading.Event()

    def toy(i: int):
        allowance = yield Count(0)
        while clock.now < LONG:
            began = clock.now
            for _ in range(int(min(allowance.steps, 1e6))):
                clock.now += step
                taken[i] += 1
                if clock.now - began >= allowance.seconds:
                    break
            clock.now += PICTURES * allowance.look
            if meddle is not None and allowance.steps:
                meddle(engine, i)
            allowance = yield Count(taken[i])

    try:
        engine.ask(ready.wait)  # nobody plays before all are there
        for i in range(count):
            engine.start(str(i), str(i), lambda i=i: toy(i))
            for _ in range(i in watched):
                engine.watch(str(i))
        ended = threading.Event()
        ready.set()
        while any(engine.snapshot(str(i)).status != "done" for i in range(count)):
            assert not ended.wait(0.01)
    finally:
        engine.close()
    return taken


def fair(taken: Counter) -> float:
    return min(taken.values()) / (sum(taken.values()) / len(taken))


@pytest.mark.parametrize("step", [0.0004, 0.003, 0.05])
def test_ten_equal_jobs_get_equal_parts(clock, step):
    taken = played(clock, step)
    assert fair(taken) > 0.95 and sum(taken.values()) * step == pytest.approx(LONG, rel=0.05)


def test_those_that_are_watched_get_as_much_as_the_others(clock):
    assert fair(played(clock, 0.003, watched=(0, 1, 2))) > 0.95


def test_nobody_gets_more_by_pressing_resume_at_every_turn(clock):
    def impatient(engine: Engine, i: int) -> None:
        if i == 0:
            engine.resume("0")

    assert fair(played(clock, 0.003, meddle=impatient)) > 0.95


def test_others_who_come_and_go_all_the_time_take_their_own_part_only(clock):
    def restless(engine: Engine, i: int) -> None:
        if i >= 5:
            engine.pause(str(i))
            engine.resume(str(i))

    taken = played(clock, 0.003, meddle=restless)
    calm = {i: taken[i] for i in range(5)}
    assert min(calm.values()) > 0.8 * sum(taken.values()) / len(taken)
