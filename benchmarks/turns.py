"""Turns: contestants in processes of their own, one at work at a time, so that none bears another's threads."""

from __future__ import annotations

import multiprocessing
import statistics
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

Trains = Callable[[float], float]  # seconds -> images a second over about so many seconds


class Contestant:
    """A process that makes something that trains by `make(*values)`, and sleeps but for its turns.

    make is a module's function and returns (trains, said): what takes the turns, and plain values to know of it.
    """

    def __init__(self, make: Callable[..., tuple[Trains, Any]], *values: Any):
        spawn = multiprocessing.get_context("spawn")
        self._pipe, there = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(there, make, values), daemon=True)
        self._process.start()
        there.close()
        self.said = self._pipe.recv()

    def __call__(self, seconds: float) -> float:
        self._pipe.send(seconds)
        return self._pipe.recv()

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join(20)


def _work(pipe: Connection, make: Callable[..., tuple[Trains, Any]], values: tuple) -> None:
    trains, said = make(*values)
    pipe.send(said)
    while (seconds := pipe.recv()) is not None:
        pipe.send(trains(seconds))


def measure(contestants: dict[str, Trains], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Images a second of each in each round; within a round they take turns, so that a busy machine hits all alike."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds):
        order = list(contestants) if turn % 2 == 0 else list(reversed(contestants))
        for name in order:
            found[name].append(contestants[name](seconds))
            print(f"round {turn + 1}/{rounds}  {name}: {found[name][-1]:,.0f} images/s", file=sys.stderr, flush=True)
    return found


def ratios(found: dict[str, list[float]], yardstick: str) -> dict[str, float]:
    """The median over the rounds of each one's images a second divided by the yardstick's in the same round."""
    return {name: statistics.median(ours / theirs for ours, theirs in zip(rates, found[yardstick]))
            for name, rates in found.items()}
