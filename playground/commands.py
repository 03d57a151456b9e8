"""What the command line does: train a run in the foreground, and tell what there is."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playground.events import Trouble
from playground.knobs import Knob, knobs
from playground.progress import Progress
from playground.registry import Registry

if TYPE_CHECKING:  # torch takes a second or two to import: only where a command needs it
    from playground.checkpoint import Checkpoint
    from playground.experiment import Experiment
    from playground.trainer import Session


class Wrong(Exception):
    """Arguments that cannot be used; the text is one sentence."""


# Training ----------------------------------------------------------------------------------------------------------


def train(arguments: argparse.Namespace) -> int:
    """Train one run in the foreground; the last line printed is one JSON object. Ctrl-C saves what there is."""
    experiment = read_query(arguments.query, arguments.epochs)
    path = arguments.out or _run_file(experiment)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise Wrong(f"No file can be written to {path}.")

    from playground.batches import Resident
    from playground.device import choose_device, describe
    from playground.foreground import interruptible, play
    from playground.trainer import Session

    progress, device = Progress(sys.stderr), choose_device()
    resident = Resident(experiment.data.load(progress.waiting), device)
    session = Session(experiment, resident, describe(device))
    progress.note(f"{experiment.title} on {len(resident.train):,} images of {experiment.data.name}, {describe(device)}")
    with interruptible() as interrupted:
        seconds = play(session, progress, path, interrupted)
    progress.end()
    print(json.dumps(_result(session, path, seconds, bool(interrupted)), ensure_ascii=False), flush=True)
    return 130 if interrupted else 0


def read_query(text: str, epochs: str | None = None) -> Experiment:
    """The experiment of a query or a whole link, strictly: Wrong, in one sentence, for whatever is not understood."""
    from playground.experiment import Experiment

    query = urlsplit(text).query if "://" in text else text
    if query and "=" not in query:
        raise Wrong(f"{text!r} is not an experiment; it should look like variant=sparse&variant.rho=0.05&data=digits.")
    experiment, problems = Experiment.from_query(query)
    if not problems and epochs is not None:
        try:
            experiment = experiment.retuned({"training.epochs": epochs})
        except ValueError as error:
            problems = [f"--epochs: {error}"]
    if problems:
        raise Wrong(f"{'; '.join(problems)}.")
    return experiment


def _run_file(experiment: Experiment) -> Path:
    from playground.home import home

    name = f"{experiment.title} {time.strftime('%Y%m%d %H%M%S')}".replace(" ", "-").lower()
    return home() / "runs" / f"{name}.safetensors"


def _result(session: Session, path: Path, seconds: float, interrupted: bool) -> dict:
    """The last line's object: what came out, how fast, on what."""
    return {
        "file": str(path),
        "experiment": session.experiment.to_query(),
        "interrupted": interrupted,
        "step": session.step,
        "steps": session.steps,
        "losses": session.last_terms(),
        **{name: value if math.isfinite(value) else None for name, value in session.metrics.items()},
        "images_per_second": round(session.step * session.batches.size / seconds, 1) if seconds else 0.0,
        "seconds": round(seconds, 3),
        "device": session.live.still.device,
    }


# Lists -------------------------------------------------------------------------------------------------------------


def plugins(arguments: argparse.Namespace) -> int:
    """Print every plug-in of one kind and its knobs: range, default, help. A knob marked (live) may turn mid-run."""
    kind = arguments.kind  # the package and the registry in it share the name, but for the data's
    module = importlib.import_module("playground.data" if kind == "datasets" else f"playground.{kind}")
    print("\n\n".join(_plugin(cls) for _, cls in sorted(_registry(module, kind).items())))
    return 0


def _registry(module: object, kind: str) -> Registry:
    return getattr(module, kind)


def _plugin(cls: Any) -> str:
    about = (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")
    words = [getattr(cls, name) for name in ("title", "motto", "note") if isinstance(getattr(cls, name, None), str)]
    lines = [cls.name, *(f"  {text}" for text in (*words, about))]
    defaults = {f.name: f.default for f in fields(cls)}
    rows = [
        (f"{name} {setting.symbol}".strip(), _range(setting, defaults[name]), str(defaults[name]),
         setting.help + (" (live)" if setting.live else ""))
        for name, setting in knobs(cls).items()
    ]
    return "\n".join(lines + table(("knob", "range", "default", "help"), rows, "    "))


def _range(setting: Knob, default: object) -> str:
    if isinstance(default, bool):
        return "true, false"
    return f"{setting.range} {setting.unit}".strip()


def table(head: Sequence[str], rows: Sequence[Sequence[str]], margin: str = "") -> list[str]:
    """Lines with aligned columns; no line where there are no rows."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [margin + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (head, *rows)]


def models(arguments: argparse.Namespace) -> int:
    """Print the shipped models and the saved runs: name, experiment, progress and held-out figures."""
    rows = [
        (entry.name, entry.experiment.title, entry.experiment.data.name, entry.status, f"{entry.step:,}",
         ", ".join(_figures(entry.metrics)))
        for entry in library().models()
    ]
    print("\n".join(table(("name", "model", "data", "status", "step", "held out"), rows))
          or "There are no models yet: `python -m playground train` makes one.")
    return 0


def library():
    """The saved runs and the shipped models."""
    from playground.home import home
    from playground.library import Library

    return Library(home() / "runs")


def _figures(metrics: dict[str, float]) -> list[str]:
    units = {"psnr": " dB"}
    return [f"{name.replace('held_out', 'loss')} {value:.4g}{units.get(name, '')}" for name, value in metrics.items()]


# One model ---------------------------------------------------------------------------------------------------------


def show(arguments: argparse.Namespace) -> int:
    """Print a model's experiment, knob by knob, its metrics and its link."""
    from playground.experiment import PARTS, parameters
    from playground.look import PORT

    saved = find(arguments.model)
    print(f"{saved.experiment.title}, {parameters(saved.experiment):,} parameters, after {saved.step:,} steps "
          f"on images of {' × '.join(map(str, saved.shape))}")
    for part in PARTS:
        value = getattr(saved.experiment, part)
        settings = ", ".join(f"{name} {getattr(value, name)}" for name in knobs(value))
        print(f"{part}: {value.name}{f' ({settings})' if settings else ''}")
    metrics = _figures(saved.about.get("metrics", {}))
    print(f"held out: {', '.join(metrics) or 'not measured, the run has not ended'}")
    print(f"link: http://localhost:{PORT}/?{saved.experiment.to_query()}")
    return 0


def find(model: str) -> Checkpoint:
    """The header of a file, or of the model of that name; Wrong where there is neither."""
    from playground import checkpoint

    path = located(model)
    try:
        return checkpoint.load(path, weights=False)
    except Trouble as trouble:
        raise Wrong(str(trouble)) from None


def located(model: str) -> Path:
    """The file of that name, or that of the model of that name; Wrong where there is neither."""
    if Path(model).exists():
        return Path(model)
    if (entry := library().find(model)) is None:
        raise Wrong(f"There is no file and no model called {model!r}; `python -m playground models` lists the models.")
    return entry.path


def serve(arguments: argparse.Namespace) -> int:
    """Serve the whole playground until Ctrl-C."""
    from playground import server

    server.serve(arguments.host, arguments.port)
    return 0


def studio(arguments: argparse.Namespace) -> int:
    """Serve the Studio alone, at the root of its own server, until Ctrl-C."""
    from playground.studio import alone

    alone.serve(arguments.host, arguments.port)
    return 0
