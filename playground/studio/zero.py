"""Training where a GPU is there only inside a decorated call: bounded slices, saved between, resumed by the next.

On a ZeroGPU Space the decorated function runs in another process, so a slice is told everything by plain values, works
from files, and answers with events; it shares nothing with the engine of this process.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playground.caps import Caps
from playground.events import Allowance, Stepped, Trouble
from playground.experiment import Experiment
from playground.library import Entry, Library
from playground.studio.training import NOBODY, Trainings
from playground.workbench import SAVE_EVERY, Workbench

SLICE = float(os.environ.get("PLAYGROUND_SLICE", "20"))  # seconds of training in one call
BESIDE = 25.0  # seconds more that a call may take: loading images, opening the GPU, saving
TOLD_EVERY = 0.1  # seconds between two events


def run_slice(
    runs: str, job: str, experiment: str, seconds: float, last: bool = False, owner: str = ""
) -> Iterator[tuple[str, Stepped | None]]:
    """Train a run for some seconds and save it; yields (status, event), the last with what the run was saved as.

    That is "done", "stopped" where it was asked for or the slice is to be the `last`, else "running": another slice is
    to follow, of a later server if need be. runs: the folder of saved runs. experiment: as JSON. A run that is saved
    there goes on from where it was. owner: to whom it belongs.
    """
    from playground import checkpoint
    from playground.batches import Resident
    from playground.device import choose_device, describe
    from playground.trainer import Session, train

    library, device = Library(Path(runs)), choose_device()
    path, made = library.path(job), Experiment.from_json(experiment)
    saved = library.load(job) if path.exists() else None
    session = Session(made, Resident(made.data.load(), device), describe(device), saved)
    events, allowance, status = train(session), None, "stopped" if last else "running"


    def save(as_: str) -> None:
        state = session.saved(as_)
        state.about.update(owner=owner, guest=bool(owner))
        checkpoint.save(path, state)

    end, saving = time.monotonic() + seconds, time.monotonic() + SAVE_EVERY
    try:
        while (now := time.monotonic()) < end and not stopping(runs, job).exists():
            yield "running", events.send(allowance)
            allowance = Allowance(seconds=TOLD_EVERY, steps=float("inf"), look=True)
            if now > saving:
                save("running")
                saving = now + SAVE_EVERY
        events.close()
        status = _asked(stopping(runs, job)) or status
    except StopIteration:
        status = "done"
    finally:
        save(status)
    yield status, session.report(look=True)


def stopping(runs: str, job: str) -> Path:
    """The file that asks a slice, in whatever process it runs, to end; in it stands as what the run is to be saved."""
    return Path(runs) / f"{job}.stop"


def _asked(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


class Hosting(Workbench):
    """A workbench whose runs take their steps elsewhere."""

    def __init__(self, home_folder: Path | None = None, device: str | None = None):
        self.left: dict[str, Experiment] = {}  # runs that were learning when the last process ended
        super().__init__(home_folder, device)

    def host(self, experiment: Experiment, job: str = "", owner: str = "") -> str:
        """A run that this process does not play, a new one or one that is saved; returns its name."""
        job = job or secrets.token_urlsafe(12)
        self._engine.host(job, experiment, owner)
        return job

    def tell(self, job: str, **changes: Any) -> None:
        """Replace the snapshot of a hosted run: event, status, problem."""
        self._engine.ask(lambda: self._engine.publish(job, **changes))

    def saved_anew(self, job: str) -> None:
        """A slice has saved the run: questions are answered by its new weights."""
        self._engine.ask(lambda: self._networks.forget(job))

    def _take_up(self, entry: Entry) -> None:
        self.left[self.host(entry.experiment, entry.name, entry.owner)] = entry.experiment


class SlicedTrainings(Trainings):
    """Trainings whose steps are taken slice by slice inside a decorated call; snapshots are told to the workbench."""

    workbench: Hosting

    def __init__(self, workbench: Hosting, gpu: Callable[..., Any], limits: Caps | None = None):
        super().__init__(workbench, limits)
        self._runs = str(workbench.library.runs)
        self._slice = gpu(duration=round(SLICE + BESIDE))(run_slice)
        self._playing: set[str] = set()
        self._closing = False

    def take_up(self) -> None:
        """Go on with what was learning when the last process ended; called once, from the event loop."""
        for job, experiment in self.workbench.left.items():
            self._aside(self._play(job, experiment))

    def close(self) -> None:
        """Have the slices end soon, and what they train taken up by the next process."""
        self._closing = True
        for job in tuple(self._playing):
            self._ask_to_stop(job, "running")

    def _begin(self, experiment: Experiment, owner: str) -> str:
        job = self.workbench.host(experiment, owner=owner)
        self._aside(self._play(job, experiment))
        return job

    async def _go_on(self, job: str, experiment: Experiment) -> None:
        if job not in self._playing:
            self.workbench.host(experiment, job, self._owner(job))
            self._aside(self._play(job, experiment))

    def _owner(self, job: str) -> str:
        snapshot = self.workbench.snapshot(job)
        return snapshot.owner if snapshot else ""

    async def stop(self, job: str) -> None:
        if self.workbench.snapshot(job) is None:
            raise Trouble(NOBODY)
        if self.learning(job):
            self._ask_to_stop(job, "stopped")

    def _ask_to_stop(self, job: str, status: str) -> None:
        stopping(self._runs, job).parent.mkdir(parents=True, exist_ok=True)
        stopping(self._runs, job).write_text(status, encoding="ascii")

    async def _play(self, job: str, experiment: Experiment) -> None:
        """Slices until the run is done, is stopped, or its time is over; this task keeps the request's context."""
        end = time.monotonic() + self.limits.training - SLICE
        status, problem = "running", ""
        self._playing.add(job)
        stopping(self._runs, job).unlink(missing_ok=True)  # of a process that ended before it was heard
        try:
            while status == "running" and not self._closing:
                status = await asyncio.to_thread(self._one, job, experiment.to_json(), time.monotonic() > end)
        except Trouble as trouble:
            status, problem = "failed", str(trouble)
        except Exception as error:  # the hardware's own refusals: no quota, no GPU free
            status, problem = "failed", f"The GPU was not given ({type(error).__name__}); what was learnt is kept."
        finally:
            self._playing.discard(job)
            stopping(self._runs, job).unlink(missing_ok=True)
            self.workbench.tell(job, status=status, problem=problem)

    def _one(self, job: str, experiment: str, last: bool) -> str:
        status, owner = "stopped", self._owner(job)
        for told, event in self._slice(self._runs, job, experiment, SLICE, last, owner):
            status = told
            self.workbench.tell(job, event=event, status="running")
        self.workbench.saved_anew(job)
        return status
