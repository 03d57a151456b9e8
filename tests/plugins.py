"""Every registered plug-in in a size that trains in a moment: what the conformance suite runs over."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.architectures import architectures
from playground.batches import Resident
from playground.data import Dataset, datasets
from playground.data.own import import_images
from playground.events import Trouble
from playground.experiment import Experiment, Training
from playground.images import to_png
from playground.knobs import knobs
from playground.tasks import tasks
from playground.variants import variants
from playground.workbench import Workbench

SMALL = {"count": 200, "size": 16}


def small(name: str) -> Dataset:
    """The data set with few and small images: the knobs called count and size, where it has them."""
    settings = {}
    for knob_name, wanted in SMALL.items():
        if (setting := knobs(datasets[name]).get(knob_name)) is not None:
            if setting.choices:
                settings[knob_name] = min(setting.choices, key=lambda choice: abs(choice - wanted))
            else:
                settings[knob_name] = int(min(max(wanted, setting.low), setting.high))
    return datasets[name](**settings)


def few(data: str) -> Dataset:
    """A small data set: letters in place of digits, of which there are always 1,797."""
    return small("glyphs" if data == "digits" else data)


@cache
def _loaded(data: Dataset) -> Resident | str:
    if data.name == "own":
        import_images(list(_pictures()), data.pictures)
    try:
        return Resident(data.load(), torch.device("cpu"))
    except Trouble as trouble:
        return str(trouble)


def _pictures(count: int = 120) -> Iterator[tuple[str, bytes]]:
    """Somebody's own pictures: discs and bars of random place and shade, in two folders."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:24, :24]
    for i in range(count):
        top, left, shade = rng.integers(4, 20), rng.integers(4, 20), rng.integers(80, 255)
        disc = (y - top) ** 2 + (x - left) ** 2 < 16
        picture = np.where(disc if i % 2 else abs(x - left) < 3, shade, 20).astype(np.uint8)
        yield f"{'discs' if i % 2 else 'bars'}/{i}.png", to_png(picture[None])


def resident(data: Dataset) -> Resident:
    """The data set's images on the CPU; skips where they would have to be downloaded."""
    loaded = _loaded(data)
    if isinstance(loaded, str):
        if data.needs_download:
            pytest.skip(f"{data.name} is not here: {loaded}")
        raise AssertionError(loaded)
    return loaded


KINDS = [*sorted(variants), *sorted(name for name in tasks if name != "reconstruct")]


def experiment(
    kind: str = "undercomplete", architecture: str = "dense", data: str = "", **training
) -> Experiment:
    """A small experiment with the named parts; `training` overrides knobs of the training.

    kind: a variant, with which to reconstruct, or a task that has no variants. architecture: "usual" for what the task
    begins with. data: digits, or where the task has no use for these what it begins with.
    """
    data = data or first_data(kind)
    if architecture == "usual":
        architecture = tasks[kind].usual if kind in tasks else "dense"
    settings = {"batch": 32, "rate": 3e-3, "epochs": 10} | training
    sizes = {"code": 8, "width": 32 if architecture == "dense" else 4}
    sizes |= {"depth": 2} if architecture == "residual" else {}
    made = Experiment(small(data), architectures[architecture](**sizes), training=Training(**settings))
    return replace(made, variant=variants[kind]()) if kind in variants else replace(made, task=tasks[kind]())


def first_data(kind: str) -> str:
    """The data set that a kind is tried with: digits, or where it has no use for these what it begins with."""
    if kind not in tasks or "data" not in tasks[kind]().objections(small("digits"), architectures[tasks[kind].usual]):
        return "digits"
    return tasks[kind].usual_data


def real_datasets() -> Path:
    """The folder of real data beside the project; skips where it is missing, fails where it must be there."""
    if "PLAYGROUND_DATASETS" not in os.environ:
        pytest.skip("the real data sets (../shared/datasets) are not here")
    return Path(os.environ["PLAYGROUND_DATASETS"])


def until(bench: Workbench, job: str, *statuses: str, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (snapshot := bench.snapshot(job)).status in statuses:
            return snapshot
        time.sleep(0.01)
    raise AssertionError(f"{bench.snapshot(job)} is not {statuses}")


def stepped(bench: Workbench, job: str, steps: int, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if getattr(bench.snapshot(job).event, "step", 0) >= steps:
            return bench.snapshot(job).event
        time.sleep(0.01)
    raise AssertionError(f"{bench.snapshot(job)} did not reach step {steps}")
