"""Library: the models that lie in `pretrained/` and in the user's runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground import checkpoint
from playground.checkpoint import Checkpoint
from playground.events import Row, Snapshot, Trouble
from playground.experiment import Experiment, formulas

SHIPPED = Path(__file__).resolve().parent.parent / "pretrained"
PLAIN = "reconstruct"  # the task of autoencoders, which are told apart by their variant and network
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Entry:
    """One model on disk: its name, file, and what its header says. status is "shipped" or the run's own."""

    name: str
    path: Path
    experiment: Experiment
    step: int
    status: str
    history: tuple[Row, ...]
    metrics: dict[str, float]
    earlier: tuple[str, ...]
    modified: float
    owner: str
    guest: bool

    def snapshot(self) -> Snapshot:
        """What a screen may know of it."""
        return Snapshot(self.name, self.experiment, self.status, earlier=self.earlier, owner=self.owner)


class Library:
    """Runs in one folder, a file each, and the shipped models beside them. Reading a listing reads headers only."""

    def __init__(self, runs: Path, shipped: Path = SHIPPED):
        self.runs, self.shipped = runs, shipped

    def path(self, run: str) -> Path:
        """The file of a run; Trouble for a name that could lead elsewhere."""
        if not NAME.fullmatch(run):
            raise Trouble("This is not the name of a run.")
        return self.runs / f"{run}.safetensors"

    def save(self, run: str, state: Checkpoint) -> None:
        checkpoint.save(self.path(run), state)

    def load(self, run: str) -> Checkpoint:
        return checkpoint.load(self.path(run))

    def delete(self, run: str) -> None:
        self.path(run).unlink(missing_ok=True)

    def entry(self, run: str) -> Entry | None:
        """One saved run by its name; None when there is none that can be read."""
        try:
            return _entry(run, self.path(run))
        except Trouble:
            return None

    def find(self, name: str) -> Entry | None:
        """A saved run or a shipped model by its name; None when there is none that can be read."""
        if not NAME.fullmatch(name):
            return None
        shipped = self.shipped / name / "model.safetensors"
        return _kept(name, shipped, shipped.stat().st_mtime_ns) if shipped.exists() else self.entry(name)

    def saved(self) -> list[Entry]:
        """All runs that can be read, newest first; damaged files are passed over."""
        entries = [self.entry(path.stem) for path in sorted(self.runs.glob("*.safetensors"))]
        return sorted((entry for entry in entries if entry), key=lambda entry: entry.modified, reverse=True)

    def shipped_models(self) -> list[Entry]:
        """The shipped models: by name those made for a task, then the autoencoders by data set and variant."""
        found = self.shipped.glob("*/model.safetensors")
        return sorted((_kept(path.parent.name, path, path.stat().st_mtime_ns) for path in found), key=_place)

    def shipped_like(self, experiment: Experiment) -> Entry | None:
        """The shipped model of exactly this experiment, if there is one."""
        return next((entry for entry in self.shipped_models() if entry.experiment == experiment), None)

    def models(self) -> list[Entry]:
        """Shipped models, then the saved runs."""
        return self.shipped_models() + self.saved()


def _entry(name: str, path: Path) -> Entry:
    header = checkpoint.load(path, weights=False)
    about = header.about
    terms = formulas(header.experiment)
    history = tuple(Row(step, dict(zip(terms, values)), held_out) for step, held_out, *values in about["history"])
    return Entry(name, path, header.experiment, header.step, about.get("status", "shipped"), history,
                 about.get("metrics", {}), tuple(about.get("earlier", ())), path.stat().st_mtime,
                 about.get("owner", ""), bool(about.get("guest")))


@lru_cache(maxsize=512)
def _kept(name: str, path: Path, modified: int) -> Entry:
    """A shipped model's entry, read again only when its file was written again."""
    return _entry(name, path)


def _place(entry: Entry) -> tuple[Any, ...]:
    """Where a shipped model stands in lists."""
    made = entry.experiment
    if made.task.name != PLAIN:
        return 0, entry.name
    ranks = [getattr(part, "rank", 100) for part in (made.data, made.variant, made.architecture)]
    return 1, *ranks, -made.architecture.code, -made.architecture.depth, entry.name


def called(experiment: Experiment) -> str:
    """An experiment in a list of many: "Sparse 128, convolutional, MNIST digits"."""
    architecture, data = experiment.architecture, experiment.data
    plain = experiment.task.name != PLAIN or architecture.name == experiment.task.usual
    words = [experiment.title, "" if plain else architecture.name,
             "linear" if getattr(architecture, "activation", "") == "linear" else "", data.title,
             getattr(data, "curve", "")]
    return ", ".join(filter(None, words))
