"""Training from the Studio: runs of one visitor, their progress in words, their end by hand or by the limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

from playground import care
from playground.caps import Caps, caps
from playground.events import Snapshot, Stepped, Trouble, Waiting
from playground.experiment import Experiment
from playground.gate import gate
from playground.workbench import Workbench

ENDED = ("stopped", "failed", "done")
NOBODY = "There is no run or model of that name."
TOLD_EVERY = 0.5  # seconds between two reports


def experiment(settings: Mapping[str, Any], more: str = "") -> Experiment:
    """The experiment of dotted settings, {"variant": "sparse", "variant.rho": 0.05}, and of a link's query beside them.

    None leaves a setting at its default; Trouble names everything that there is not or that is out of range.
    """
    pairs = [(name, _text(value)) for name, value in settings.items() if value is not None]
    made, problems = Experiment.from_query("&".join(filter(None, (urlencode(pairs), more.partition("?")[2] or more))))
    if problems:
        raise Trouble(f"{'; '.join(problems)}.")
    return made


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Trainings:
    """The runs that the Studio's visitors train, on the engine that all pages share."""

    def __init__(self, workbench: Workbench, limits: Caps | None = None):
        self.workbench, self.limits = workbench, limits or caps()
        self._jobs: dict[str, list[str]] = {}  # by visitor, those that may still be learning
        self._tasks: set[asyncio.Task] = set()

    async def start(self, visitor: str, experiment: Experiment, owner: str = "") -> str:
        """Begin an owner's run; returns its name. Trouble where this visitor trains as many as one may."""
        learning = self._learning_of(visitor)
        job = self._begin(experiment, owner)
        self._note(visitor, [*learning, job])
        return job

    async def resume(self, visitor: str, job: str) -> None:
        """Let a run go on that was stopped or paused, by whomever, or saved by a server before this one.

        Nothing happens where it goes on already. Trouble for a name that there is not, for a run that has taken all its
        steps, and where this visitor trains as many as one may.
        """
        snapshot = self.workbench.snapshot(job)
        if snapshot is None:
            raise Trouble(NOBODY)
        if snapshot.status == "done":
            raise Trouble("This run has taken all its steps: train a new one with more epochs.")
        if snapshot.status == "running":
            return
        learning = self._learning_of(visitor, job)
        await self._go_on(job, snapshot.title)
        self._note(visitor, [*learning, job])

    def _learning_of(self, visitor: str, besides: str = "") -> list[str]:
        """What a visitor trains besides a run; Trouble where it is as much as one may."""
        learning = [job for job in self._jobs.get(visitor, ()) if job != besides and self.learning(job)]
        in_lab = care.learning(self.workbench, visitor, besides) if gate.shared else 0  # a browser is known by its key
        if max(len(learning), in_lab) >= self.limits.trainings:
            raise Trouble(f"One visitor may train {self.limits.trainings} runs at a time here: stop one first.")
        return learning

    def _note(self, visitor: str, learning: list[str]) -> None:
        self._jobs[visitor] = learning
        self._jobs = {who: jobs for who, jobs in self._jobs.items() if any(map(self.learning, jobs))}

    def _begin(self, experiment: Experiment, owner: str) -> str:
        job = self.workbench.start(experiment, owner=owner)
        self._aside(self._end_later(job))
        return job

    async def _go_on(self, job: str, experiment: Experiment) -> None:
        await asyncio.wrap_future(self.workbench.resume(job))
        self._aside(self._end_later(job))

    def _aside(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def learning(self, job: str) -> bool:
        snapshot = self.workbench.snapshot(job)
        return snapshot is not None and snapshot.status not in ENDED

    async def stop(self, job: str) -> None:
        """End a run and keep it; nothing happens where it has ended. Trouble for a name that there is not."""
        if self.workbench.snapshot(job) is None:
            raise Trouble(NOBODY)
        try:
            await asyncio.wrap_future(self.workbench.stop(job))
        except KeyError:
            pass  # it ended meanwhile

    async def follow(self, job: str) -> AsyncIterator[dict[str, Any]]:
        """Reports of a run until it ends."""
        while (snapshot := self.workbench.snapshot(job)) is not None:
            self.workbench.heed(job)
            yield report(snapshot)
            if snapshot.status in ENDED:
                return
            await asyncio.sleep(TOLD_EVERY)

    async def _end_later(self, job: str) -> None:
        """Stop what is still learning when its time is over."""
        end = asyncio.get_running_loop().time() + self.limits.training
        while self.learning(job):
            if asyncio.get_running_loop().time() > end:
                return await self.stop(job)
            await asyncio.sleep(1.0)


def report(snapshot: Snapshot) -> dict[str, Any]:
    """A run's progress as plain values: job, status, what it waits for, steps, losses, images a second, its link."""
    event = snapshot.event
    told: dict[str, Any] = {"job": snapshot.job, "status": snapshot.status}
    if isinstance(event, Waiting):
        told |= {"waiting": event.reason, "fraction": event.fraction}
    if isinstance(event, Stepped):
        told |= {
            "step": event.step, "steps": event.steps, "losses": event.terms, "held_out": event.held_out,
            "images_per_second": round(event.rate, 1), "metrics": event.metrics,
        }  # fmt: skip
    if snapshot.problem:
        told["problem"] = snapshot.problem
    return {**told, "link": f"/?{snapshot.title.to_query()}"}
