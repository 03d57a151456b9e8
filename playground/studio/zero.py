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

from playground.events import Allowance, Stepped, Trouble
from playground.experiment import Experiment
from playground.studio.limits import LIMITS, Limits
from playground.studio.training import Trainings
from playground.workbench import Workbench

SLICE = float(os.environ.get("PLAYGROUND_SLICE", "20"))  # seconds of training in one call
BESIDE = 25.0  # seconds more that a call may take: loading images, opening the GPU, saving
TOLD_EVERY = 0.1  # seconds between two events


def run_slice(runs: str, job: str, experiment: str, seconds: float) -> Iterator[tuple[str, Stepped | None]]:
    """Train a run for some seconds and save it; yields (status, event), last ("done", ...) or ("stopped", ...).

    runs: the folder of saved runs. experiment: as JSON. A run that is saved there goes on from where it was.
    """
    from playground import checkpoint
    from playground.batches import Resident
    from playground.device import choose_device, describe
    from playground.library import Library
    from playground.trainer import Session, train

    library, device = Library(Path(runs)), choose_device()
    path, made = library.path(job), Experiment.from_json(experiment)
    saved = library.load(job) if path.exists() else None
    session = Session(made, Resident(made.data.load(), device), describe(device), saved)
    events, allowance, end, status = train(session), None, time.monotonic() + seconds, "stopped"
    try:
        while time.monotonic() < end and not stopping(runs, job).exists():
            yield "running", events.send(allowance)
            allowance = Allowance(seconds=TOLD_EVERY, steps=float("inf"), look=True)
        events.close()
    except StopIteration:
        status = "done"
    finally:
        checkpoint.save(path, session.saved(status))  # never "running": another process would take it up
    yield status, session.report(look=True)


def stopping(runs: str, job: str) -> Path:
    """The file that asks a slice, in whatever process it runs, to end."""
    return Path(runs) / f"{job}.stop"


class Hosting(Workbench):
    """A workbench that also knows runs whose steps are taken elsewhere."""

    def host(self, experiment: Experiment) -> str:
        """A run that this process does not play; returns its name."""
        job = secrets.token_urlsafe(12)
        self._engine.host(job, experiment)
        return job

    def tell(self, job: str, **changes: Any) -> None:
        """Replace the snapshot of a hosted run: event, status, problem."""
        self._engine.ask(lambda: self._engine.publish(job, **changes))


class SlicedTrainings(Trainings):
    """Trainings whose steps are taken slice by slice inside a decorated call; snapshots are told to the workbench."""

    workbench: Hosting

    def __init__(self, workbench: Hosting, gpu: Callable[..., Any], limits: Limits = LIMITS):
        super().__init__(workbench, limits)
        self._runs = str(workbench.library.runs)
        self._slice = gpu(duration=round(SLICE + BESIDE))(run_slice)

    def _begin(self, experiment: Experiment) -> str:
        job = self.workbench.host(experiment)
        self._aside(self._play(job, experiment))
        return job

    async def stop(self, job: str) -> None:
        if self.workbench.snapshot(job) is None:
            raise Trouble("There is no run or model of that name.")
        if self.learning(job):
            stopping(self._runs, job).parent.mkdir(parents=True, exist_ok=True)
            stopping(self._runs, job).touch()

    async def _play(self, job: str, experiment: Experiment) -> None:
        """Slices until the run is done, is stopped, or its time is over; this task keeps the request's context."""
        end = asyncio.get_running_loop().time() + self.limits.training
        status, problem = "running", ""
        try:
            while status == "running":
                status = await asyncio.to_thread(self._one, job, experiment.to_json())
                over = stopping(self._runs, job).exists() or asyncio.get_running_loop().time() > end
                status = "running" if status == "stopped" and not over else status
        except Trouble as trouble:
            status, problem = "failed", str(trouble)
        except Exception as error:  # the hardware's own refusals: no quota, no GPU free
            status, problem = "failed", f"The GPU was not given ({type(error).__name__}); what was learnt is kept."
        finally:
            stopping(self._runs, job).unlink(missing_ok=True)
            self.workbench.tell(job, status=status, problem=problem)

    def _one(self, job: str, experiment: str) -> str:
        status = "stopped"
        for told, event in self._slice(self._runs, job, experiment, SLICE):
            status = told
            self.workbench.tell(job, event=event, status="running")
        return status
