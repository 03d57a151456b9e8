"""Incoming: a model's file that somebody brings; nothing in it is believed before all of it has been checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from torch import Tensor

from playground.caps import MEGA, caps, told
from playground.checkpoint import FORMAT, VERSION, Checkpoint
from playground.events import Trouble
from playground.experiment import Experiment, formulas, parameters
from playground.probes.film import FILMED, MOST_FRAMES

HEADER = 4 * MEGA  # bytes of a file's header: one with a thousand rows of a curve needs a twentieth
MUCH = 10**12  # steps
MOST_ROWS, MOST_MARKS, MOST_METRICS = 2000, 50, 30
SHORT = 240  # characters of what is told of a file
STATE = re.compile(r"optimiser\.\w{1,40}\.\d{1,6}\.\w{1,40}|memory\.\w{1,40}|losses")  # what a run needs to learn on
FILM = {"film.steps", "film.places"}
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
          "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}  # fmt: skip
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)

Layout = Mapping[str, tuple[torch.dtype | None, tuple[int, ...]]]  # name -> dtype (None: no such one here) and shape


def too_large(size: int, name: str) -> str:
    """Why a file of `size` bytes is not read, in a sentence; empty where it may be."""
    if size <= caps().model:
        return ""
    return f"{_short(name)} has {size / MEGA:,.1f} MB, more than the {told('model')} that a model's file may have here."


def read(content: bytes, name: str = "The file") -> Checkpoint:
    """The model in a safetensors file's bytes: its weights, its curve and its film, in the types that training uses.

    What a run keeps besides, so that it can learn on, is left out. Trouble, in one sentence, for a file that is too
    large, damaged, of another kind, or whose names, shapes or types are not those that the experiment in its header
    builds, and where a weight is no finite number. Weights may be halves (float16) where they are float32 in training.
    """
    if problem := too_large(len(content), name):
        raise Trouble(problem)
    name = _short(name)
    layout, words = _header(content, name)
    experiment = _experiment(words, name)
    try:
        step, shape = int(words["step"]), tuple(json.loads(words["shape"]))
        about = _about(json.loads(words["about"]), len(formulas(experiment)))
    except UNREADABLE:
        raise Trouble(f"{name} is damaged: what it says of its run cannot be read.") from None
    if not 0 <= step <= MUCH or shape != tuple(experiment.data.shape):
        raise Trouble(f"{name} is damaged: it was not made for the images of its own experiment.")
    with torch.device("meta"):  # no weight is made
        wanted = {f"model.{key}": (t.dtype, tuple(t.shape)) for key, t in experiment.build(shape).state_dict().items()}
    _check(wanted, layout, name)
    try:
        tensors = read_tensors(content)
    except (SafetensorError, *UNREADABLE):
        raise Trouble(f"{name} is damaged: its weights do not have the places that its header says.") from None
    _check(wanted, {key: (t.dtype, tuple(t.shape)) for key, t in tensors.items()}, name)
    for key in wanted:
        if not bool(tensors[key].isfinite().all()):
            raise Trouble(f"{name} holds weights that are no finite numbers, in {key}.")
    kept = {key: tensors[key].to(dtype) for key, (dtype, _) in wanted.items()}
    return Checkpoint(experiment, step, shape, kept | _film(tensors, step, name), about)


def _header(content: bytes, name: str) -> tuple[Layout, dict[str, str]]:
    """What a file says of its tensors, and its words; none of its numbers is read yet."""
    size = int.from_bytes(content[:8], "little")
    try:
        if len(content) < 8 or size > min(HEADER, len(content) - 8):
            raise ValueError("no header")
        told_of = json.loads(content[8 : 8 + size].decode("utf-8"))
        words = told_of.pop("__metadata__", {})
        layout = {key: (DTYPES.get(one["dtype"]), tuple(one["shape"])) for key, one in told_of.items()}
        if not all(isinstance(word, str) for word in words.values()):
            raise ValueError("no words")
    except UNREADABLE:
        raise Trouble(f"{name} is damaged or is no safetensors file: bring one that the playground wrote.") from None
    if words.get("format") != FORMAT:
        raise Trouble(f"{name} is not a model of the playground: its header holds no experiment.")
    if words.get("version") != VERSION:
        raise Trouble(f"{name} was written by another version of the playground.")
    return layout, words


def _experiment(words: dict[str, str], name: str) -> Experiment:
    try:
        experiment = Experiment.from_json(words["experiment"])
    except Trouble as trouble:
        raise Trouble(f"{name}: {_short(str(trouble))}") from None
    except UNREADABLE:
        raise Trouble(f"{name} is damaged: its experiment cannot be read.") from None
    if (count := parameters(experiment)) > (most := caps().parameters):
        raise Trouble(f"{name} has {count:,} parameters, more than the {most:,} that fit beside everybody else's here.")
    return experiment


def _check(wanted: Layout, layout: Layout, name: str) -> None:
    """Trouble unless a file's tensors are those wanted, besides what a run keeps."""
    if missing := next((key for key in wanted if key not in layout), ""):
        raise Trouble(f"{name} lacks {missing}, which its experiment builds.")
    for key, (dtype, shape) in layout.items():
        if key not in wanted:
            if key in FILM or STATE.fullmatch(key):
                continue
            raise Trouble(f"{name} holds {_short(key)!r}, which its experiment does not build.")
        right, size = wanted[key]
        if shape != size:
            raise Trouble(f"{name}: {key} has another shape than the {list(size)} that its experiment builds.")
        if dtype != right and (dtype, right) != (torch.float16, torch.float32):
            raise Trouble(f"{name}: {key} has another type of numbers than its experiment builds, {right}.")


def _about(raw: dict[str, Any], terms: int) -> dict[str, Any]:
    """The plain values beside the weights, each of the type it should have; any of UNREADABLE where one is not."""
    history = [[_whole(row[0]), *map(_number, row[1:])] for row in raw["history"]]
    marks = [[_whole(step), _short(_text(text))] for step, text in raw.get("marks", [])]
    metrics = {_text(name): _number(value) for name, value in raw.get("metrics", {}).items()}
    stride = _whole(raw.get("stride", 1))
    if any(len(row) != 2 + terms for row in history) or not 1 <= len(history) <= MOST_ROWS or stride < 1:
        raise ValueError("not a curve")
    if len(marks) > MOST_MARKS or len(metrics) > MOST_METRICS or any(len(name) > 40 for name in metrics):
        raise ValueError("too much of it")
    metrics = {name: value for name, value in metrics.items() if isfinite(value)}
    return {"status": "done", "stride": stride, "history": history, "marks": marks, "metrics": metrics}


def _film(tensors: dict[str, Tensor], step: int, name: str) -> dict[str, Tensor]:
    """The film of a run, if there is one and it is whole."""
    film = {key: tensors[key] for key in FILM if key in tensors}
    if not film:
        return {}
    steps, places = film.get("film.steps"), film.get("film.places")
    if steps is None or places is None or steps.dtype != torch.int64 or places.dtype != torch.float16:
        raise Trouble(f"{name} is damaged: its film is none.")
    count = len(steps) - 1 if steps.ndim == 1 else 0
    whole = places.ndim == 3 and places.shape[::2] == (count, 2) and places.shape[1] <= FILMED
    if not (1 <= count <= MOST_FRAMES and whole and places.isfinite().all() and 0 <= steps.min() and
            1 <= steps[0] <= MUCH and steps[1:].max() <= step):
        raise Trouble(f"{name} is damaged: its film is none.")
    return film


def named(state: Checkpoint, name: str) -> Checkpoint:
    """The model with the name of what it came from, which lists show."""
    return replace(state, about={**state.about, "source": _short(name)})


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MUCH:
        raise ValueError("not a count")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError("not a number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _short(text: str) -> str:
    """As much of a text as a sentence can hold, on one line."""
    line = "".join(mark if mark.isprintable() else " " for mark in text[: SHORT + 1])
    return line if len(line) <= SHORT else f"{line[:SHORT]}…"
