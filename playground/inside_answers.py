"""Answers of the Inside page's routes: arrays as tiles of eight bits, the chain's links, a model in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.explore_answers import base64_array

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.experiment import Experiment
    from playground.inspector import Still
    from playground.probes.chain import Chain, Link
    from playground.siblings import Sized

LEVELS = 127
SIDE = 56  # pixels of a map at most
MAPS = 64  # maps of a layer, or filters, in one answer
NODES = 1024  # units of a dense layer in one answer
CELLS = 4096  # values of a gradient's picture
LACKING = (
    "This network has no code that everything passes through, so it has no code entries, no Jacobian of a code and no "
    "place on a map: what can be seen are its maps, its filters and how it learns."
)


def tiles(images: np.ndarray, together: bool = False, most: int = MAPS) -> dict[str, Any]:
    """Images (n, c, h, w) of any sign as int8: value = scale · data / 127, with a scale for each, or one for all.

    shape: (n, c, h, w) of what is there, at most `most` images; count: how many there were. norms: Euclidean.
    """
    count = len(images)
    shown = images[:most].astype(np.float32)
    norms = np.sqrt(np.square(shown, dtype=np.float64).reshape(len(shown), -1).sum(1))
    peaks = np.abs(shown).reshape(len(shown), -1).max(1) if shown.size else np.zeros(len(shown))
    if together:
        peaks = np.full(len(shown), peaks.max(initial=0.0))
    scale = np.where(peaks > 0, peaks, 1.0).reshape(-1, 1, 1, 1)
    data = np.round(shown / scale * LEVELS).astype(np.int8)
    return {"shape": list(shown.shape), "count": count, "scale": peaks.tolist(), "norms": norms.tolist(),
            "data": base64_array(data)}


def layer(values: np.ndarray) -> dict[str, Any]:
    """What leaves a layer: tiles of its maps (c, h, w), or its units (k,) as numbers."""
    peak = float(np.abs(values).max(initial=0.0))
    if values.ndim == 3 and math.prod(values.shape[1:]) > 1:
        from playground.probes.inside import shrunk

        return {"maps": tiles(shrunk(values, SIDE)[:, None], together=True), "peak": peak}
    return {"units": floats(values.reshape(-1)[:NODES]), "peak": peak}


def floats(values: np.ndarray) -> list[float | None]:
    """Numbers as JSON can say them, six digits each."""
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in values.tolist()]


def sections(experiment: Experiment) -> list[str]:
    """The page's tabs that fit: those for every model, and the variant's own where the task has variants."""
    task, coded = experiment.task, experiment.has_code
    own = [experiment.variant.name] if task.varied and experiment.variant.name in VARIED else []
    return ["layers", *(["code"] if coded else []), *(own if coded else []), "chain"]


VARIED = ("undercomplete", "contractive", "sparse", "denoising")


def described(still: Still) -> dict[str, Any]:
    """What the page needs to know of a model before it draws anything."""
    from playground.experiment import plan

    experiment, source = still.experiment, still.resident.source
    variant, shape = experiment.variant, still.resident.shape
    plane, held_out = shape == (1, 1, 2), source.held_out[:SHOWN]
    points = source.images[held_out].reshape(-1, 2) if plane else None
    known = {name: getattr(variant, name) for name in ("rho", "beta", "weight", "kind", "level", "units")
             if hasattr(variant, name)}
    return {
        "name": still.name,
        "title": experiment.title,
        "step": still.step,
        "variant": variant.name,
        "architecture": experiment.architecture.name,
        "has_code": still.model.has_code,
        "lacking": " ".join(filter(None, [source.stand_in, "" if still.model.has_code else LACKING])),
        "k": still.k if still.model.has_code else 0,
        "shape": shape,
        "plane": plane,
        "points": None if points is None else points.round(5).tolist(),
        "layers": [
            {"part": one.part, "kind": one.kind, "shape": one.shape, "units": one.units, "parameters": one.parameters}
            for one in plan(experiment)
        ],
        "count": len(held_out),
        "columns": COLUMNS,
        "labels": source.labels[held_out].tolist(),
        "classes": source.classes,
        "has_labels": len(np.unique(source.labels)) > 1,
        "knobs": known,
        "sections": sections(experiment),
        "loss": experiment.training.loss,
    }  # fmt: skip


SHOWN, COLUMNS = 240, 40  # held-out images in the strip, and in a row of their sheet


def link(one: Link) -> dict[str, Any]:
    """A link of the chain, its formulas as MathML, its gradient as a picture where it can be one."""
    from playground.lab.formulas import mathml

    return {
        "kind": one.kind,
        "layer": one.layer,
        "factor": mathml(one.factor),
        "result": mathml(one.result),
        "factor_shape": one.factor_shape,
        "factor_norm": one.factor_norm,
        "shape": one.shape,
        "norm": one.norm,
        "whole": one.whole,
        "picture": tiles(_pictured(one.gradient), together=True, most=MAPS),
    }


def _pictured(gradient: np.ndarray) -> np.ndarray:
    """A gradient as images (n, 1, h, w): maps as they are, a matrix whole and shrunk, a vector in rows."""
    from playground.probes.inside import shrunk

    if gradient.ndim == 4:  # convolution's weights: filters from the first input map
        return gradient[:, :1]
    if gradient.ndim == 3:
        return shrunk(gradient, SIDE)[:, None]
    if gradient.ndim == 2:
        return shrunk(np.ascontiguousarray(gradient)[None], 128)[:, None]
    flat = gradient.reshape(-1)[:CELLS]
    wide = math.ceil(math.sqrt(len(flat) * 2))
    wide += wide % 2
    rows = math.ceil(len(flat) / wide)
    return np.pad(flat, (0, rows * wide - len(flat))).reshape(1, 1, rows, wide)


def chained(found: Chain) -> dict[str, Any]:
    return {"loss": found.loss, "penalty": found.penalty, "batch": found.batch, "shapes": found.shapes,
            "norms": found.norms, "links": [link(one) for one in found.links]}


def sized(one: Sized) -> dict[str, Any]:
    return {"name": one.name, "title": one.title, "code": one.code, "epochs": one.epochs, "status": one.status,
            "progress": one.progress, "error": one.error}
