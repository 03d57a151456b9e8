"""The laboratory: trains what a paper needs, resumes where it was interrupted, and writes down what came out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.papers import NAMES
from benchmarks.report import RESULTS, machine, markdown
from playground import checkpoint
from playground.batches import Resident, to_unit
from playground.data import Dataset, ImageSet
from playground.device import choose_device, describe
from playground.events import Trouble
from playground.experiment import Experiment
from playground.foreground import interruptible, play
from playground.home import home
from playground.images import to_png
from playground.model import Autoencoder
from playground.progress import Progress
from playground.trainer import Session

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDER = RESULTS / "papers"
PORTION = 50  # iterations of L-BFGS between two saves

Prepare = Callable[[ImageSet], ImageSet]
Begin = Callable[[Autoencoder], None]


@dataclass(frozen=True)
class Row:
    """One figure: what it is, what was published, what came out here, what the aim is and whether it is met.

    met is None where there is no aim, as for what stands beside for comparison.
    """

    what: str
    published: str
    obtained: str
    aim: str = ""
    met: bool | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """The rows of a paper, a picture (c, h, w) uint8 that shows them, and what the picture shows in a sentence."""

    rows: Sequence[Row]
    picture: np.ndarray
    shows: str
    note: str = ""


@dataclass
class Lab:
    """One paper's run. quick: a small form of it, which shows that everything works and perhaps the claim too."""

    paper: str
    quick: bool
    progress: Progress = field(default_factory=lambda: Progress(sys.stderr))

    def __post_init__(self):
        self.device = choose_device()
        self.links: list[str] = []
        self._residents: dict[tuple[Dataset, Prepare | None], Resident] = {}

    @property
    def form(self) -> str:
        return "quick" if self.quick else "full"

    def resident(self, data: Dataset, prepare: Prepare | None = None) -> Resident:
        """The images of a data set on the device, changed by `prepare` first."""
        if (data, prepare) not in self._residents:
            images = data.load(self.progress.waiting)
            self._residents[data, prepare] = Resident(prepare(images) if prepare else images, self.device)
        return self._residents[data, prepare]

    def fit(self, name: str, query: str, prepare: Prepare | None = None, begin: Begin | None = None) -> Session:
        """The session of a link's query, trained to its end; goes on from where an interrupted one was.

        prepare: what is done to the images before. begin: gives the new model other first weights.
        """
        experiment, problems = Experiment.from_query(query)
        assert not problems, problems
        path, saved = self._file(name), None
        if path.exists():
            try:
                saved = checkpoint.load(path)
            except Trouble:
                saved = None
            saved = saved if saved and saved.experiment == experiment else None
        session = Session(experiment, self.resident(experiment.data, prepare), describe(self.device), saved)
        if begin and not saved:
            begin(session.model)
            session.keep_good()
        self.progress.note(f"{self.paper}, {name}: {experiment.title}, step {session.step:,} of {session.steps:,}")
        with interruptible() as interrupted:
            play(session, self.progress, path, interrupted)
        if interrupted:
            raise KeyboardInterrupt
        self.links.append(f"{name}: /?{query}")
        return session

    def fit_whole(self, name: str, query: str, iterations: int) -> Session:
        """The session of a link's query, trained by L-BFGS on all training images at once instead of by Adam.

        Resumes too, but for the curvature that L-BFGS has seen, which starts anew with every PORTION iterations.
        """
        experiment, problems = Experiment.from_query(query)
        assert not problems, problems
        session = Session(experiment, self.resident(experiment.data), describe(self.device))
        path, done = self._file(name), 0
        if path.exists() and (saved := checkpoint.load(path)).experiment == experiment:
            session.model.load_state_dict(saved.model().state_dict())
            done = saved.step
        x = to_unit(session.resident.train)
        while done < iterations:
            optimiser = torch.optim.LBFGS(session.model.parameters(), max_iter=PORTION, history_size=20,
                                          tolerance_change=0, tolerance_grad=0, line_search_fn="strong_wolfe")

            def objective() -> torch.Tensor:
                session.model.zero_grad()
                _, terms = session.score(x)
                total = torch.stack([term.mean() for term in terms.values()]).sum()
                total.backward()
                return total

            value = float(optimiser.step(objective).detach())
            done += PORTION
            checkpoint.save(path, replace(session.state(), step=done))
            self.progress.waiting(f"L-BFGS, objective {value:.4g}", done / iterations)
        self.progress.end()
        self.links.append(f"{name}: /?{query}")
        return session

    def note(self, text: str) -> None:
        self.progress.note(f"{self.paper}, {text}")

    def forget(self) -> None:
        """Remove what was kept for resuming: the next run starts from the beginning."""
        for path in self._file("").parent.glob(f"{self.paper}-{self.form}-*"):
            path.unlink()

    def _file(self, name: str) -> Path:
        return home() / "reproduce" / f"{self.paper}-{self.form}-{name.replace(' ', '-').lower()}.safetensors"


def reproduce(name: str, quick: bool) -> dict[str, Any]:
    """Run a paper's form to the end, write its JSON, figure and docs/RESULTS.md; returns what the JSON says."""
    module, lab = import_module(f"benchmarks.papers.{name}"), Lab(name, quick)
    started, busy = time.perf_counter(), time.process_time()
    outcome: Outcome = module.run(lab)
    figure = DOCS / "results" / f"{name}-{lab.form}.png"
    figure.parent.mkdir(parents=True, exist_ok=True)
    figure.write_bytes(to_png(outcome.picture))
    found = {
        "name": name, "title": module.TITLE, "setting": module.SETTING, "form": lab.form,
        "command": f"python -m playground reproduce {name}{' --quick' * quick}",
        "seconds": round(time.perf_counter() - started, 1), "processor_seconds": round(time.process_time() - busy, 1),
        "machine": machine(describe(lab.device)), "experiments": lab.links, "note": outcome.note,
        "figure": f"results/{figure.name}", "shows": outcome.shows, "rows": [asdict(row) for row in outcome.rows],
    }  # fmt: skip
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}-{lab.form}.json").write_text(text + "\n", encoding="utf-8")
    (DOCS / "RESULTS.md").write_text(page(), encoding="utf-8")
    lab.forget()
    return found


def results() -> list[dict[str, Any]]:
    """What has been written down, in the papers' order, the full form of each before the quick one."""
    paths = [FOLDER / f"{name}-{form}.json" for name in NAMES for form in ("full", "quick")]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def page() -> str:
    """docs/RESULTS.md: made of benchmarks/results/papers alone."""
    parts = [
        "# Does it hold?", "",
        "What papers published and what the playground's own code gives. `python -m playground reproduce NAME` writes "
        "this page; no figure in it comes from anywhere else. A quick form shows that a claim can be tried in minutes, "
        "with less data and fewer steps; the aims are those of the full form.",
    ]  # fmt: skip
    for one in results():
        where = one["machine"]
        rows = [(row["what"], row["published"], row["obtained"], row["aim"],
                 {True: "yes", False: "no", None: ""}[row["met"]]) for row in one["rows"]]
        parts += [
            "", f"## {one['title']} ({one['form']})", "", one["setting"], "",
            markdown(("", "published", "obtained", "aim", "met"), rows), "",
            *([one["note"], ""] if one["note"] else []),
            f"![{one['shows']}]({one['figure']})", "", one["shows"], "",
            f"`{one['command']}`, {where['date']}, {where['device']} ({where['processor']}, torch {where['torch']}), "
            f"{one['seconds']:,.0f} s by the clock, {one['processor_seconds']:,.0f} s of processor time.",
        ]  # fmt: skip
    return "\n".join(parts) + "\n"
