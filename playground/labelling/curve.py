"""Curve: how right a classifier is by how many labels it was given, each way of learning a line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from playground.data import Dataset
from playground.experiment import Experiment
from playground.tasks.classify import WAYS, Classify
from playground.trainer import Session

if TYPE_CHECKING:
    from playground.batches import Resident
    from playground.workbench import Workbench

TURN = 0.1  # seconds on the device at a time, so that runs beside go on


@dataclass(frozen=True)
class Point:
    """One run: labels of each class (0: all), and the share of held-out images it named rightly, 0 to 1."""

    way: str
    labels: int
    accuracy: float


def runs(query: str, labels: Iterable[int], ways: Iterable[str] = WAYS) -> list[Experiment]:
    """The experiments of a curve, few labels first; query: the link of one of them, strictly read."""
    made, problems = Experiment.from_query(query)
    if problems or not isinstance(made.task, Classify):
        raise ValueError(f"{query!r} is no experiment to classify: {'; '.join(problems)}")
    ways = tuple(ways)
    return [replace(made, task=replace(made.task, way=way, labels=count)) for count in labels for way in ways]


async def curve(bench: Workbench, name: str, data: Dataset, experiments: list[Experiment],
                report: Callable[[float, list[Point]], None]) -> list[Point]:
    """Train each experiment to its end, in turns on the device, and tell what is known; nothing of it is kept.

    name: any model of the bench, as whose question the work waits for its turns. report(share, points) hears of the
    progress; Trouble where a run diverges or the data cannot be loaded.
    """
    resident = await asyncio.wrap_future(bench.supply.load(data))
    points: list[Point] = []
    for i, made in enumerate(experiments):
        session = await _asked(bench, name, partial(Session, made, resident, bench.device))
        while await _asked(bench, name, partial(_turn, session)):
            report((i + session.step / session.steps) / len(experiments), points)
        points.append(point(session))
        report((i + 1) / len(experiments), points)
    return points


async def _asked(bench: Workbench, name: str, do: Callable):
    return await asyncio.wrap_future(bench.ask(name, lambda model: do()))


def _turn(session: Session) -> bool:
    """Take steps for a while; whether there is more to do. The last turn measures."""
    ends = time.monotonic() + TURN
    while session.step < session.steps and time.monotonic() < ends:
        session.advance()
    session.present()
    if session.step < session.steps:
        return True
    for _ in session.measure():
        pass
    return False


def trained(made: Experiment, resident: Resident, device: str) -> Point:
    """One run from its first step to its last, at once: for those who have the device to themselves."""
    session = Session(made, resident, device)
    while _turn(session):
        pass
    return point(session)


def point(session: Session) -> Point:
    """What a run that is over is worth."""
    task = session.experiment.task
    assert isinstance(task, Classify)
    return Point(task.way, task.labels, session.metrics["accuracy"])
