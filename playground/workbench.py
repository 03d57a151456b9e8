"""Workbench: the one object that every face holds; commands go in, snapshots come out."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from playground.answering import Answering
from playground.batches import Resident
from playground.checkpoint import Checkpoint, load
from playground.device import choose_device, describe, give_cores_to
from playground.events import Snapshot, Stepped, Trouble
from playground.examples import shown, stand_in
from playground.experiment import Experiment
from playground.home import home
from playground.library import Entry, Library
from playground.networks import Networks
from playground.runner import Engine, Events
from playground.supply import Supply
from playground.trainer import Session, train

HEEDED = 5.0  # seconds that a run counts as followed after somebody asked for it
SAVE_EVERY = 7.0  # seconds: with a slice and the write itself, a kill loses less than ten


class Workbench(Answering):
    """Experiments, jobs, models and data of one process. device: "cuda", "mps" or "cpu"; by default the best there is.

    Runs are saved under `home`/runs as they go; those that ran when the last process died go on by themselves.
    """

    def __init__(self, home_folder: Path | None = None, device: str | None = None):
        self._device = choose_device(device)
        self.device = describe(self._device)
        self.library = Library(Path(home_folder or home()) / "runs")
        self._engine = Engine()
        give_cores_to(self._engine.ask)
        self._sessions: dict[str, Session] = {}  # touched on the device thread only
        self._networks = Networks(self._device)  # of runs that are not open, for questions; likewise
        self.supply = Supply(self._device, self._engine.aside, partial(stand_in, self.library))
        self._experiments: dict[str, Experiment] = {}
        self._shown: dict[str, str] = {}  # runs that show a shipped model, and that model's name
        self.guests = False  # whether runs begun from now on are of guests, whose runs are not kept for ever
        self._guests: set[str] = set()
        self._heeded: dict[str, float] = {}  # when somebody last asked how a run is going, without watching it
        for entry in reversed(self.library.saved()):
            if entry.status == "running":
                self._take_up(entry)

    # Runs -----------------------------------------------------------------------------------------------------------

    def start(self, experiment: Experiment, paused: bool = False, pace: float | None = None,
              earlier: tuple[str, ...] = (), owner: str = "") -> str:
        """Queue an owner's new run; returns its name, which nobody can guess. `paused` leaves it ready at step 0."""
        job = self._new(owner)
        self._experiments[job] = experiment
        self._engine.start(job, experiment, partial(self._play, job, None), paused, pace, earlier, owner)
        return job

    def show(self, experiment: Experiment, owner: str = "") -> str | None:
        """A finished run, this experiment's shipped model's, kept on disk once it took a step; None where none is."""
        if (entry := self.library.shipped_like(experiment)) is None:
            return None
        job = self._new(owner)
        self._experiments[job], self._shown[job] = experiment, entry.name
        self._engine.start(job, experiment, partial(self._play, job, job), owner=owner)
        return job

    def pause(self, job: str) -> Future:
        return self._command(self._engine.pause, job)

    def resume(self, job: str) -> Future:
        """Go on; a run that was stopped or that failed goes on from the weights that were kept."""
        if self._ended(job):
            self._reopen_ended(job, paused=False)
        return self._command(self._engine.resume, job)

    def step(self, job: str) -> Future:
        if self._ended(job):
            self._reopen_ended(job, paused=True)
        return self._command(self._engine.step, job)

    def stop(self, job: str) -> Future:
        return self._command(self._engine.stop, job)

    def set_pace(self, job: str, steps_per_second: float | None) -> Future:
        return self._command(self._engine.set_pace, job, steps_per_second)

    def retune(self, job: str, changes: dict[str, Any]) -> Future:
        """Turn live knobs, by dotted name, from the next slice on; ValueError at once where one cannot be turned."""
        experiment = self.experiment(job).retuned(changes)
        self._reopen_saved(job)
        self._experiments[job] = experiment

        def do() -> None:
            if job in self._sessions:
                self._sessions[job].retune(experiment)
            self._engine.publish(job, title=experiment)

        return self._engine.ask(do)

    def reset(self, job: str, pace: float | None = None) -> str:
        """End the run, keep it, and make a new one, ready, with the same first weights; returns its name."""
        return self._again(job, self.experiment(job), pace)

    def reseed(self, job: str, pace: float | None = None) -> str:
        """As reset, but with new first weights: the next seed."""
        return self._again(job, self.experiment(job).reseeded(), pace)

    def _again(self, job: str, experiment: Experiment, pace: float | None) -> str:
        snapshot = self.snapshot(job)
        took_steps = getattr(snapshot and snapshot.event, "step", 0) > 0 or self.library.entry(job) is not None
        if took_steps and self._engine.snapshot(job) is not None and not self._ended(job):
            self.stop(job)
        earlier = ((job,) if took_steps else ()) + (snapshot.earlier if snapshot else ())
        new = self.start(experiment, True, pace, earlier[:5], snapshot.owner if snapshot else "")
        if not took_steps:
            self.discard(job)
        return new

    def discard(self, job: str) -> None:
        """Forget a job that never took a step; others are kept."""
        snapshot = self._engine.snapshot(job)
        if snapshot is not None and (getattr(snapshot.event, "step", 0) == 0 or job in self._shown):
            self._shown.pop(job, None)
            self._engine.forget(job)

    # Watching -------------------------------------------------------------------------------------------------------

    def snapshot(self, job: str) -> Snapshot | None:
        """What a screen may know of a job, saved runs of earlier processes included; None when there is none."""
        if (known := self._engine.snapshot(job)) is not None:
            return known
        return None if (entry := self.library.entry(job)) is None else entry.snapshot()

    def jobs(self) -> tuple[Snapshot, ...]:
        """All runs, newest first: this process's, but for those that only show, then the saved ones of earlier ones."""
        here = tuple(one for one in reversed(self._engine.snapshots()) if one.job not in self._shown)
        names = {snapshot.job for snapshot in here}
        return here + tuple(entry.snapshot() for entry in self.library.saved() if entry.name not in names)

    def watch(self, job: str) -> None:
        """Somebody looks at the job: it brings pictures about ten times a second; a saved run is opened, paused."""
        self._reopen_saved(job)
        self._engine.watch(job)

    def unwatch(self, job: str) -> None:
        self._engine.unwatch(job)

    def heed(self, job: str) -> None:
        """Somebody follows the job otherwise than by watching it."""
        self._heeded[job] = time.monotonic()

    def attended(self, job: str) -> bool:
        """Whether somebody watches the job, or follows it."""
        return self._engine.watched(job) or time.monotonic() - self._heeded.get(job, -HEEDED) < HEEDED

    def open_runs(self) -> tuple[Snapshot, ...]:
        """The runs that this process holds in memory, oldest first, those that only show included."""
        return self._engine.snapshots()

    def put_away(self, job: str) -> Future:
        """Close a run that rests, if it can be saved; it is opened again when somebody looks."""
        self._heeded.pop(job, None)

        def do() -> None:
            saved = job not in self._sessions or self._save(job, self._sessions[job], "")
            if saved and self.library.path(job).exists():
                self._networks.forget(job)
                self._engine.forget(job)

        return self._engine.ask(do)

    def delete(self, job: str) -> Future:
        """Close a run and delete what was saved of it."""
        self._heeded.pop(job, None)
        self._engine.forget(job)
        self._engine.ask(lambda: self._networks.forget(job))
        return self._engine.ask(lambda: self.library.delete(job))

    def tidy(self) -> None:
        """Forget jobs that took no step and that nobody watches: visitors who left without training."""
        for snapshot in self._engine.snapshots():
            if (snapshot.status == "ready" or snapshot.job in self._shown) and not self._engine.watched(snapshot.job):
                self.discard(snapshot.job)

    def close(self) -> None:
        """Save what runs, so that it goes on at the next start, and end the threads."""
        self._engine.close()

    # Inside ---------------------------------------------------------------------------------------------------------

    def _new(self, owner: str) -> str:
        """A name for a new run, which nobody can guess."""
        job = secrets.token_urlsafe(12)
        if self.guests and owner:
            self._guests.add(job)
        return job

    def _command(self, verb: Callable[..., Future], job: str, *values: Any) -> Future:
        self._reopen_saved(job)
        return verb(job, *values)

    def _reopen_saved(self, job: str) -> None:
        """Open a run of an earlier process, paused where it was; nothing to do for one of this process."""
        if self._engine.snapshot(job) is None and (entry := self.library.entry(job)) is not None:
            self._reopen(entry, paused=True)

    def _take_up(self, entry: Entry) -> None:
        """Go on with a run that was learning when the last process ended."""
        self._reopen(entry, paused=False)

    def _ended(self, job: str) -> bool:
        return (known := self._engine.snapshot(job)) is not None and known.status in ("stopped", "failed", "done")

    def _reopen(self, entry: Entry, paused: bool) -> None:
        job, made = entry.name, entry.experiment
        if entry.guest:
            self._guests.add(job)
        self._experiments[job] = made
        self._engine.start(job, made, partial(self._play, job, job), paused, None, entry.earlier, entry.owner)

    def _reopen_ended(self, job: str, paused: bool) -> None:
        if (ended := self._engine.snapshot(job)) is not None:
            self._engine.start(job, self._experiments[job], partial(self._play, job, job), paused, ended.pace,
                               ended.earlier, ended.owner)

    def _play(self, job: str, saved: str | None) -> Events:
        """A run from opening to end, saved as it goes; the generator that the engine plays."""
        data, model = self._experiments[job].data, self._shown.get(job, "")
        images = self.supply.look(data, model) if model else self.supply.load(data)
        self._engine.aside(self._experiments[job].task.warm)
        while not images.done():
            yield self.supply.progress(data)
        resident = images.result()
        if self._experiments[job].training.batch < 1 or not len(resident.train):
            raise Trouble("This data set has no images to train on.")
        session = self._open(job, resident, saved)
        status, last, first, standing = "", time.monotonic(), session.step, resident.source.stand_in
        try:
            events, allowance = shown(session, self.library.find(model)) if standing else train(session), None
            while True:
                event = events.send(allowance)
                allowance = yield event
                if session.step > first:
                    self._shown.pop(job, None)
                if allowance is not None and allowance.steps > 0 and time.monotonic() - last > SAVE_EVERY:
                    self._save(job, session, "running")
                    last = time.monotonic()
        except StopIteration:
            status = "done"
        except Trouble:
            status = "failed"
            raise
        finally:
            self._sessions.pop(job, None)
            if session.step and job not in self._shown and self._save(job, session, status):
                self._lighten(job)

    def _lighten(self, job: str) -> None:
        """Leave to the file what a run that has ended is seldom asked for: the film of its codes."""
        if (ended := self._engine.snapshot(job)) is not None and isinstance(ended.event, Stepped):
            self._engine.publish(job, event=replace(ended.event, film=()))

    def _open(self, job: str, resident: Resident, saved: str | None) -> Session:
        """The session of a run, from its first weights or from its file, on the device."""
        state: Checkpoint | None = None
        if saved is not None and self.library.path(saved).exists():
            state = self.library.load(saved)
        elif (shipped := self.library.find(self._shown.get(job, ""))) is not None:
            state = load(shipped.path)
        try:
            session = Session(self._experiments[job], resident, self.device, state)
        except torch.OutOfMemoryError:
            raise Trouble("The device's memory is full: choose a smaller width, code or image size.") from None
        self._sessions[job] = session
        return session

    def _save(self, job: str, session: Session, status: str) -> bool:
        """Write the run to its file; without a status of its own, as what the engine takes it for. Whether it could."""
        snapshot = self._engine.snapshot(job)
        state = session.saved(status or (snapshot.status if snapshot else "stopped"))
        state.about.update(earlier=list(snapshot.earlier) if snapshot else [], guest=job in self._guests,
                           owner=snapshot.owner if snapshot else "")
        try:
            self.library.save(job, state)
            return True
        except OSError as error:
            logging.getLogger(__name__).warning("run %s could not be saved: %s", job, error)
            return False
