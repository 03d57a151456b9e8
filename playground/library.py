"""Library: the models that lie in `pretrained/` and in the user's runs."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playground import checkpoint
from playground.checkpoint import Checkpoint
from playground.events import Row, Snapshot, Trouble
from playground.experiment import Experiment, formulas

SHIPPED = Path(__file__).resolve().parent.parent / "pretrained"
WEIGHTS = "model.safetensors"
PLAIN = "reconstruct"  # the task of autoencoders, which are told apart by their variant and network
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Entry:
    """One model on disk: its name, file, and what its header says. status is "shipped" or the run's own.

    source: the file or repository that it was brought from; empty for what was trained here.
    """

    name: str
    path: Path
    experiment: Experiment
    step: int
    status: str
    metrics: dict[str, float]
    earlier: tuple[str, ...]
    modified: float
    owner: str
    guest: bool
    source: str = ""

    @property
    def history(self) -> tuple[Row, ...]:
        """Its curve, read from the file now: it is long, and seldom wanted of a whole list."""
        terms, about = formulas(self.experiment), checkpoint.load(self.path, weights=False).about
        return tuple(Row(step, dict(zip(terms, values)), held_out) for step, held_out, *values in about["history"])

    def snapshot(self) -> Snapshot:
        """What a screen may know of it."""
        return Snapshot(self.name, self.experiment, self.status, earlier=self.earlier, owner=self.owner)


class Library:
    """Runs in one folder, a file each, and the shipped models beside them.

    A listing reads headers only, and each but once while its file stays as it is: every page of every visitor asks.
    """

    def __init__(self, runs: Path, shipped: Path = SHIPPED):
        self.runs, self.shipped = runs, shipped
        self._known: dict[Path, tuple[tuple[int, ...], Entry]] = {}

    def path(self, run: str) -> Path:
        """The file of a run; Trouble for a name that could lead elsewhere."""
        if not NAME.fullmatch(run):
            raise Trouble("This is not the name of a run.")
        return self.runs / f"{run}.safetensors"

    def save(self, run: str, state: Checkpoint) -> None:
        checkpoint.save(self.path(run), state)

    def load(self, run: str) -> Checkpoint:
        return checkpoint.load(self.path(run))

    def add(self, state: Checkpoint, owner: str = "", guest: bool = False) -> str:
        """Keep a model that somebody brought as a run of theirs; returns its name, which nobody can guess."""
        run = secrets.token_urlsafe(12)
        self.save(run, replace(state, about={**state.about, "owner": owner, "guest": guest}))
        return run

    def delete(self, run: str) -> None:
        self.path(run).unlink(missing_ok=True)

    def entry(self, run: str) -> Entry | None:
        """One saved run by its name; None when there is none that can be read."""
        try:
            return self._entry(run, self.path(run))
        except Trouble:
            return None

    def find(self, name: str) -> Entry | None:
        """A saved run or a shipped model by its name; None when there is none that can be read."""
        if not NAME.fullmatch(name):
            return None
        return self._entry(name, self.shipped / name / WEIGHTS) if self.is_shipped(name) else self.entry(name)

    def is_shipped(self, name: str) -> bool:
        """Whether a model of this name is shipped."""
        return bool(NAME.fullmatch(name)) and (self.shipped / name / WEIGHTS).exists()

    def saved(self) -> list[Entry]:
        """All runs that can be read, newest first; damaged files are passed over."""
        paths = sorted(self.runs.glob("*.safetensors"))
        for gone in {path for path in list(self._known) if path.parent == self.runs}.difference(paths):
            self._known.pop(gone, None)
        entries = [self.entry(path.stem) for path in paths]
        return sorted((entry for entry in entries if entry), key=lambda entry: entry.modified, reverse=True)

    def shipped_models(self) -> list[Entry]:
        """The shipped models: by name those made for a task, then the autoencoders by data set and variant."""
        return sorted((self._entry(path.parent.name, path) for path in self.shipped.glob(f"*/{WEIGHTS}")), key=_place)

    def shipped_like(self, experiment: Experiment) -> Entry | None:
        """The shipped model of exactly this experiment, if there is one."""
        return next((entry for entry in self.shipped_models() if entry.experiment == experiment), None)

    def models(self) -> list[Entry]:
        """Shipped models, then the saved runs."""
        return self.shipped_models() + self.saved()

    def _entry(self, name: str, path: Path) -> Entry:
        """What a file's header says; Trouble where there is none or it is damaged."""
        try:
            state = path.stat()
        except OSError:
            raise Trouble(f"There is no file called {path.name}.") from None
        seen, known = (state.st_mtime_ns, state.st_size, state.st_ino), self._known.get(path)
        if known is None or known[0] != seen:
            known = self._known[path] = seen, _entry(name, path)
        return known[1]


def _entry(name: str, path: Path) -> Entry:
    header = checkpoint.load(path, weights=False)
    about = header.about
    try:
        return Entry(name, path, header.experiment, header.step, str(about.get("status", "shipped")),
                     dict(about.get("metrics", {})), tuple(map(str, about.get("earlier", ()))), path.stat().st_mtime,
                     str(about.get("owner", "")), bool(about.get("guest")), str(about.get("source", "")))
    except (TypeError, ValueError):
        raise Trouble(f"{path.name} is damaged: what it says of its run cannot be read.") from None


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
