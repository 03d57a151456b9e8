"""Siblings: runs to hold beside a run, namely its undercomplete twin and the same network with other code sizes."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from playground.batches import Batches
from playground.events import Snapshot, Stepped, Trouble
from playground.experiment import Experiment
from playground.inspector import SOME, Inspector, Still
from playground.kept import Kept
from playground.knobs import changed
from playground.owners import MACHINE, Viewer
from playground.probes import narrowing
from playground.variants import variants

MOST_ASKED = 8  # runs trained on request that may be learning at once
SHORT = 20  # epochs of a run that is trained for the curve over code sizes
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
MOST_COMPARED = 24


@dataclass(frozen=True)
class Sized:
    """A run on the curve over code sizes. error: mean ‖x̂ - x‖² over held-out images, None before it took a step.

    progress: 0 to 1. status: as of a snapshot, or "shipped".
    """

    name: str
    title: str
    code: int
    epochs: int
    status: str
    progress: float
    error: float | None


class Siblings:
    """Finds such runs among those of whoever asks, and starts those that are missing when somebody asks for them."""

    def __init__(self, inspector: Inspector):
        self.inspector, self.workbench = inspector, inspector.workbench
        self._asked: list[str] = []
        self._pca, self._errors = Kept(8), Kept(4 * MOST_COMPARED)

    def train(self, *experiments: Experiment, owner: str = "") -> list[str]:
        """Start runs as their owner asked to; Trouble where many that were asked for are still learning."""
        bench = self.workbench
        busy = [job for job in self._asked if (now := bench.snapshot(job)) and now.status in ("opening", "running")]
        if len(busy) + len(experiments) > MOST_ASKED:
            raise Trouble("Runs that were asked for are still learning: wait for them to end, then ask again.")
        started = [bench.start(one, owner=owner) for one in experiments]
        self._asked += started
        return started

    # The twin -------------------------------------------------------------------------------------------------------

    def twin_of(self, still: Still) -> Experiment:
        """This experiment as an undercomplete one, seed and all, to be trained as long as this one was."""
        training, plain = still.experiment.training, variants["undercomplete"]()
        per_epoch = Batches(still.resident, training.batch, training.seed).per_epoch
        epochs = math.ceil(still.step / per_epoch) if still.step else training.epochs
        return replace(still.experiment, variant=plain, training=replace(training, epochs=max(1, epochs)))

    async def _runs(self, viewer: Viewer) -> list[Snapshot]:
        """The viewer's runs that learnt something or are about to."""
        runs = await asyncio.to_thread(self.workbench.jobs)
        return [run for run in runs if viewer.owns(run.owner) and (run.steps_taken or run.job in self._asked)]

    async def twin(self, still: Still, viewer: Viewer = MACHINE) -> Snapshot | None:
        """The viewer's run that is such a twin and has learnt longest, if there is one."""
        wanted, asked = self.twin_of(still), await self._runs(viewer)
        alike = [run for run in asked if run.title.same_structure(wanted)]
        return max(alike, key=lambda run: run.steps_taken, default=None)

    # Code sizes -----------------------------------------------------------------------------------------------------

    async def pca(self, still: Still) -> np.ndarray:
        """Mean ‖x̂ - x‖² over the held-out sample of PCA with 0, 1, ... components."""

        def make() -> np.ndarray:
            source = still.resident.source
            train = source.images[source.train[: narrowing.MOST_IMAGES]]
            held_out = source.images[source.held_out[:SOME]]
            return narrowing.pca_errors(narrowing.rows(train), narrowing.rows(held_out))

        return await self._pca.get(still.experiment.data, partial(self.inspector.explorer.aside, make))

    async def sizes(self, still: Still, viewer: Viewer = MACHINE) -> list[Sized]:
        """The viewer's undercomplete runs and shipped models on the same data, this one first, with their errors."""
        names = [(one.job, one.title) for one in await self._runs(viewer)]
        models = await asyncio.to_thread(self.workbench.library.shipped_models)
        names += [(one.name, one.experiment) for one in models]
        others = [name for name, one in names if name != still.name and _comparable(still.experiment, one)]
        return [await self._sized(name) for name in (still.name, *others[:MOST_COMPARED])]

    async def _sized(self, name: str) -> Sized:
        experiment, snapshot = self.workbench.experiment(name), self.workbench.snapshot(name)
        event = snapshot.event if snapshot else None
        learnt = snapshot is None or snapshot.steps_taken > 0
        progress = event.step / max(event.steps, 1) if isinstance(event, Stepped) else float(learnt)
        told = partial(Sized, name, experiment.title, experiment.architecture.code, experiment.training.epochs,
                       snapshot.status if snapshot else "shipped", progress)
        if not learnt:
            return told(None)

        async def make() -> float:  # the model itself is fetched only where its error is not known yet
            still = await self.inspector.still(name)
            ask = partial(narrowing.squared_errors, still.model, still.resident)
            count = min(SOME, len(still.resident.held_out))
            return float(np.concatenate(await self.inspector.explorer.portions(name, count, ask)).mean())

        return told(await self._errors.get((name, getattr(event, "step", None)), make))

    def short_runs(self, still: Still, there: list[Sized]) -> list[Experiment]:
        """The runs that the curve over code sizes still lacks, each short."""
        most, base = math.prod(still.resident.shape), still.experiment
        missing = [size for size in SIZES if size < most and size not in {one.code for one in there}]
        training = replace(base.training, epochs=min(SHORT, base.training.epochs))
        made = [replace(base, architecture=changed(base.architecture, code=k), training=training) for k in missing]
        return made[:MOST_ASKED]


def _comparable(one: Experiment, other: Experiment) -> bool:
    return one.data == other.data and one.task == other.task and one.variant.name == other.variant.name
