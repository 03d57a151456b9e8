"""Every registered plug-in in a size that trains in a moment: what the conformance suite runs over."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
import torch

from playground.architectures import architectures
from playground.batches import Resident
from playground.data import Dataset, datasets
from playground.events import Trouble
from playground.experiment import Experiment, Training
from playground.knobs import knobs
from playground.variants import variants

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


@cache
def _loaded(data: Dataset) -> Resident | str:
    try:
        return Resident(data.load(), torch.device("cpu"))
    except Trouble as trouble:
        return str(trouble)


def resident(data: Dataset) -> Resident:
    """The data set's images on the CPU; skips where they would have to be downloaded."""
    loaded = _loaded(data)
    if isinstance(loaded, str):
        if data.needs_download or data.name == "own":
            pytest.skip(f"{data.name} is not here: {loaded}")
        raise AssertionError(loaded)
    return loaded


def experiment(variant: str = "undercomplete", architecture: str = "dense", data: str = "digits", **training) -> Experiment:
    """A small experiment with the named parts; `training` overrides knobs of the training."""
    settings = {"batch": 32, "rate": 3e-3, "epochs": 10} | training
    sizes = {"code": 8, "width": 32} if architecture == "dense" else {"code": 8, "width": 4}
    return Experiment(small(data), architectures[architecture](**sizes), variants[variant](), Training(**settings))


def real_datasets() -> Path:
    """The folder of real data beside the project; skips where it is missing, fails where it must be there."""
    folder = Path(os.environ.get("PLAYGROUND_DATASETS", Path(__file__).resolve().parents[2] / "shared" / "datasets"))
    if not folder.is_dir():
        if os.environ.get("PLAYGROUND_REQUIRE_ALL"):
            pytest.fail(f"the real data sets must be at {folder} here")
        pytest.skip("the real data sets (../shared/datasets) are not here")
    return folder
