"""Engine: one thread owns the device and plays every running job in turn, a slice of time each; others wait aside."""

from __future__ import annotations

import atexit
import logging
import math
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from playground.events import Allowance, Snapshot, Trouble, Waiting

SLICE = 0.02  # seconds a job plays before the next one's turn
ROUND = 0.08  # seconds that all slices of one round may take, pictures aside: ten runs still move five times a second
LOOK_EVERY = 0.095  # seconds between two pictures of a watched job: ten a second with a little slack
FAVOUR = 0.5  # seconds between two turns out of turn of one job, by a command: whoever hammers gets no more than others
WAIT = 0.05  # seconds until a job that waits for something is asked again

Events = Generator[Any, Allowance | None, None]


@dataclass
class Job:
    """A job's generator and what it may still do. credit: steps until it pauses; due: when its next turn may come.

    looked, favoured: when it last brought pictures, and had a turn out of turn.
    """

    events: Events
    credit: float
    pace: float | None = None
    opened: bool = False
    due: float = 0.0
    looked: float = 0.0
    favoured: float = -math.inf


class Engine:
    """Commands come from any thread and are carried out on the device thread between two slices.

    Each returns a Future that is done when the command has taken effect; a KeyError in it means that no job has
    that name or that it has ended. Snapshots are replaced, never changed, and can be read from any thread.
    """

    def __init__(self):
        self._inbox: queue.SimpleQueue[tuple[Callable[[], Any], Future]] = queue.SimpleQueue()
        self._jobs: dict[str, Job] = {}
        self._turns: deque[str] = deque()
        self._snapshots: dict[str, Snapshot] = {}
        self._watchers: Counter[str] = Counter()
        self._watching = threading.Lock()
        self._aside = ThreadPoolExecutor(2, thread_name_prefix="aside")
        self._open = True
        self._thread = threading.Thread(target=self._work, daemon=True, name="device")
        self._thread.start()
        atexit.register(self.close)  # a daemon thread killed inside torch aborts the whole process

    # From any thread ------------------------------------------------------------------------------------------------

    def ask(self, do: Callable[[], Any]) -> Future:
        """Run do() on the device thread, before the next slice."""
        future: Future = Future()
        if not self._open:
            future.set_exception(RuntimeError("the engine is closed"))
        else:
            self._inbox.put((do, future))
        return future

    def aside(self, do: Callable[[], Any]) -> Future:
        """Run do() on a thread that is not the device's: loading, downloading, fitting maps."""
        return self._aside.submit(do)

    def start(self, job: str, title: Any, opening: Callable[[], Events], paused: bool = False,
              pace: float | None = None, earlier: tuple[str, ...] = (), owner: str = "") -> Future:
        """Queue a job. opening() is called on the device thread; its generator is asked once even when paused."""
        self._snapshots[job] = Snapshot(job, title, pace=pace, earlier=earlier, owner=owner)
        return self.ask(lambda: self._start(job, opening, paused, pace))

    def host(self, job: str, title: Any, owner: str = "") -> None:
        """A snapshot for a job that is played elsewhere, to be replaced by `publish`."""
        self._snapshots[job] = Snapshot(job, title, owner=owner)

    def pause(self, job: str) -> Future:
        return self.ask(lambda: self._grant(job, 0))

    def resume(self, job: str) -> Future:
        return self.ask(lambda: self._grant(job, math.inf))

    def step(self, job: str) -> Future:
        """Exactly one step; a job that runs pauses after it."""
        return self.ask(lambda: self._grant(job, self._credit_of_steps(job) + 1))

    def stop(self, job: str) -> Future:
        """End the job and keep what it said last."""
        return self.ask(lambda: self._stop(job))

    def set_pace(self, job: str, steps_per_second: float | None) -> Future:
        return self.ask(lambda: self._set_pace(job, steps_per_second))

    def watch(self, job: str) -> None:
        """Somebody looks: from now on the job is asked for pictures about ten times a second."""
        with self._watching:
            self._watchers[job] += 1

    def unwatch(self, job: str) -> None:
        with self._watching:
            self._watchers[job] = max(0, self._watchers[job] - 1)

    def watched(self, job: str) -> bool:
        return self._watchers[job] > 0

    def snapshot(self, job: str) -> Snapshot | None:
        return self._snapshots.get(job)

    def snapshots(self) -> tuple[Snapshot, ...]:
        return tuple(self._snapshots.values())

    def forget(self, job: str) -> Future:
        """End the job and drop all that is known of it."""

        def do():
            if job in self._jobs:
                self._close(job)
            self._snapshots.pop(job, None)

        return self.ask(do)

    def publish(self, job: str, **changes: Any) -> None:
        """Replace a job's snapshot. Only from the device thread (in `ask` or in a job), so that none is lost."""
        now = self._snapshots[job]
        self._snapshots[job] = replace(now, **changes, version=now.version + 1)

    def close(self) -> None:
        """End every job where it is (their generators may save) and both kinds of threads."""
        if not self._open:
            return
        ended = self.ask(self._close_all)
        self._open = False
        self._inbox.put((lambda: None, Future()))  # wakes a thread that closed all and waits, unknowing
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._aside.shutdown(wait=False, cancel_futures=True)
        if ended.done():
            ended.result()

    # On the device thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            self._drain(self._idle_seconds())
            if not self._open and self._inbox.empty():
                return
            for _ in range(len(self._turns)):
                job = self._turns[0]
                self._turns.rotate(-1)
                if self._may_play(job):
                    self._play(job)
                    break

    def _may_play(self, name: str) -> bool:
        job = self._jobs[name]
        return (job.credit > 0 or not job.opened) and job.due <= time.monotonic()

    def _idle_seconds(self) -> float | None:
        """How long the inbox may be waited on: until a job's turn is due, for ever when none is."""
        if not self._open:
            return 0.0
        dues = [job.due for job in self._jobs.values() if job.credit > 0 or not job.opened]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _drain(self, patience: float | None) -> None:
        while True:
            try:
                do, future = self._inbox.get(timeout=patience) if patience != 0 else self._inbox.get_nowait()
            except queue.Empty:
                return
            patience = 0
            if not future.set_running_or_notify_cancel():
                continue  # who asked has left
            try:
                future.set_result(do())
            except Exception as error:
                future.set_exception(error)

    def _play(self, name: str) -> None:
        """One slice of one job: as many steps as fit, or the one that its pace or its credit leaves it."""
        job, now = self._jobs[name], time.monotonic()
        look = self.watched(name) and now - job.looked >= LOOK_EVERY
        single = job.credit == 1 or job.pace is not None
        playing = sum(other.credit > 0 for other in self._jobs.values())
        seconds = min(SLICE, ROUND / max(playing, 1))
        allowance = Allowance(seconds, 1 if single else job.credit, look or job.credit == 1)
        if (event := self._ask_job(name, allowance)) is None:
            return
        if isinstance(event, Waiting):
            job.due = now + WAIT
            self.publish(name, event=event)
            return
        if not job.opened:
            job.opened = True
            self._tell(name, event, job)
            return
        if look:
            job.looked = now
        job.credit -= 1 if single else 0
        if job.pace is not None:
            job.due = max(job.due + 1 / job.pace, now)
        self._tell(name, event, job)

    def _tell(self, name: str, event: Any, job: Job) -> None:
        step, steps = getattr(event, "step", 1), getattr(event, "steps", math.inf)
        resting = "ready" if step == 0 else "paused" if step < steps else "done"
        self.publish(name, event=self._with_view(name, event), status="running" if job.credit > 0 else resting)

    def _with_view(self, name: str, event: Any) -> Any:
        """The event, with the pictures of the one before where it brings none."""
        before = self._snapshots[name].event
        if getattr(event, "view", 0) is None and getattr(before, "view", None) is not None:
            return replace(event, view=before.view)
        return event

    def _ask_job(self, name: str, allowance: Allowance) -> Any:
        """The job's next event; None when it ended, well or not."""
        job = self._jobs[name]
        try:
            return job.events.send(allowance if job.opened else None)
        except StopIteration:
            self._close(name, "done")
        except Trouble as trouble:
            self._close(name, "failed", str(trouble))
        except Exception:
            logging.getLogger(__name__).exception("job %s failed", name)
            self._close(name, "failed", "The run ended by an error of the playground's own; what it learnt is kept.")
        return None

    def _start(self, name: str, opening: Callable[[], Events], paused: bool, pace: float | None) -> None:
        self._jobs[name] = Job(opening(), 0 if paused else math.inf, pace)
        self._turns.appendleft(name)

    def _credit_of_steps(self, name: str) -> float:
        credit = self._jobs[name].credit
        return 0 if credit == math.inf else credit

    def _grant(self, name: str, credit: float) -> None:
        job = self._jobs[name]
        if credit and (now := time.monotonic()) - job.favoured >= FAVOUR:
            job.favoured = now
            self._turns.remove(name)
            self._turns.appendleft(name)  # a command takes effect at the very next slice, however many jobs run
        job.credit, job.due = credit, 0.0
        if not job.opened:
            return
        if credit == 0:
            self._look(name)
        elif credit == math.inf:
            self.publish(name, status="running", problem="")

    def _look(self, name: str) -> None:
        """Ask for pictures without a step, so that a resting job shows where it rests."""
        event = self._ask_job(name, Allowance(0.0, 0, look=True))
        if event is not None:
            self._tell(name, event, self._jobs[name])

    def _set_pace(self, name: str, steps_per_second: float | None) -> None:
        job = self._jobs[name]
        job.pace, job.due = steps_per_second, 0.0
        self.publish(name, pace=steps_per_second)

    def _stop(self, name: str) -> None:
        self._jobs[name].credit = 0
        if self._jobs[name].opened:
            self._look(name)
        if name in self._jobs:
            self.publish(name, status="stopped")  # before closing: the job may save what it is
            self._close(name, "stopped")

    def _close_all(self) -> None:
        for name in list(self._jobs):
            self._close(name)

    def _close(self, name: str, status: str = "", problem: str = "") -> None:
        """Close the generator, which may save, and leave the last word; no status leaves the snapshot as it is."""
        job = self._jobs.pop(name)
        self._turns.remove(name)
        try:
            job.events.close()
        except Exception:
            logging.getLogger(__name__).exception("job %s could not be closed", name)
        if status:
            self.publish(name, status=status, problem=problem)
