"""Messages: what the live stream says of a job, as plain values; pictures and codes travel as base64 of their bytes."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.events import Frame, Row, Snapshot, Stepped, Still, View, Waiting

if TYPE_CHECKING:
    from playground.experiment import Experiment

OVERLAP = 5  # rows repeated in each message, so that one that was lost heals itself
EARLIER = 4  # earlier runs drawn behind a curve
EARLIER_ROWS = 160


def packed(array: np.ndarray) -> str:
    """The array's bytes, C order, as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def number(value: float) -> float | None:
    """A float as JSON can say it: None where it is not finite."""
    return value if math.isfinite(value) else None


def rows(history: Iterable[Row]) -> list[list[float | None]]:
    """Rows of the curve as [step, held-out, term, term, ...], six digits each."""
    return [[row.step, _short(row.held_out), *map(_short, row.terms.values())] for row in history]


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def state(snapshot: Snapshot) -> dict[str, Any]:
    """What may be different at every tick, but for the curve's rows and the pictures."""
    experiment, event = snapshot.title, snapshot.event
    told = {
        "job": snapshot.job, "name": experiment.title, "status": snapshot.status, "problem": snapshot.problem,
        "pace": snapshot.pace, "epochs": experiment.training.epochs,
    }
    if isinstance(event, Waiting):
        told["waiting"] = {"reason": event.reason, "fraction": event.fraction}
    if isinstance(event, Stepped):
        told |= {
            "step": event.step, "steps": event.steps, "terms": [number(term) for term in event.terms.values()],
            "held_out": number(event.held_out), "rate": number(event.rate), "marks": event.marks,
            "metrics": {name: number(value) for name, value in event.metrics.items()},
        }
    return told


def delta(snapshot: Snapshot, told: int) -> dict[str, Any]:
    """What is new for those who know the curve up to step `told`: their rows from the first one given are replaced."""
    event = snapshot.event
    if not isinstance(event, Stepped):
        return state(snapshot)
    first = len(event.history)
    while first > 0 and event.history[first - 1].step > told:
        first -= 1
    return {**state(snapshot), "rows": rows(event.history[max(0, first - OVERLAP):])}


def hello(snapshot: Snapshot, look_up: Callable[[str], Snapshot | None]) -> dict[str, Any]:
    """Everything a page needs that knows nothing yet; `look_up` finds the earlier runs drawn behind."""
    told = {**state(snapshot), "hello": True}
    event = snapshot.event
    if isinstance(event, Stepped):
        told |= {"rows": rows(event.history), "term_names": list(event.terms), **still(event.still)}
        task = snapshot.title.task
        told["task"] = {name: getattr(task, name) for name in ("restores", "metric", "measured", "graded", "unit")}
        told["view"] = view(event.view) if event.view is not None else None
        told["earlier"] = [run for job in snapshot.earlier if (run := earlier(snapshot.title, look_up(job)))][:EARLIER]
    return told


def still(known: Still) -> dict[str, Any]:
    """What a run's pictures need and what never changes in it."""
    return {
        "shape": known.shape, "per_epoch": known.steps_per_epoch, "device": known.device,
        "images": known.train_images, "held_out_images": known.held_out_images,
        "shown": packed(known.shown), "shown_shape": known.shown.shape,
        "thumbnails_shape": known.thumbnails.shape, "labels": packed(known.labels.astype(np.uint16)),
        "classes": known.classes,
        "truth": None if known.truth is None else packed(known.truth),
    }


def view(seen: View, pictures: bool = True) -> dict[str, Any]:
    """The moving pictures. codes: int16 places, of which 32,000 is `reach`; activity: uint8 of its greatest entry."""
    reach = max(float(np.abs(seen.codes).max(initial=0.0)), 1e-9)
    most = max(float(seen.activity.max(initial=0.0)), 1e-9)
    told = {
        "step": seen.step, "codes": packed((seen.codes / reach * 32000).astype(np.int16)), "reach": number(reach),
        "spread": seen.spread, "activity": packed((seen.activity / most * 255).astype(np.uint8)),
        "grades": [number(round(value, 2)) for value in seen.grades],
    }
    if pictures:
        told |= {"output": packed(seen.output), "seen": None if seen.seen is None else packed(seen.seen)}
    return told


def film(frames: tuple[Frame, ...], seen: View) -> dict[str, Any]:
    """How the codes that `seen` shows came to lie there: steps, and int16 places of which 32,000 is `reach`.

    Each frame is as large as the last one, and turned so that points move as little as can be. No frames where they
    are not of these images.
    """
    from playground.probes.film import shown
    from playground.probes.maps import frame as framing

    if not frames or len(frames[0].places) != len(seen.codes):
        return {"steps": []}
    centre, scale = framing(seen.codes)
    places = np.stack(shown(frames, seen.codes, bool(seen.spread))) * scale + centre
    reach = max(float(np.abs(places).max()), 1e-9)
    return {"steps": [frame.step for frame in frames], "places": packed((places / reach * 32000).astype(np.int16)),
            "reach": reach}


def earlier(present: Experiment, snapshot: Snapshot | None) -> dict[str, Any] | None:
    """An earlier run as a thin line: its name and at most 160 rows; None where there is nothing to compare."""
    if snapshot is None or not isinstance(snapshot.event, Stepped) or not comparable(present, snapshot.title):
        return None
    event = snapshot.event
    if len(event.history) < 2:
        return None
    every = math.ceil(len(event.history) / EARLIER_ROWS)
    kept = [*event.history[:-1:every], event.history[-1]]
    name = compared_name(present, snapshot.title)
    return {"name": name, "per_epoch": event.still.steps_per_epoch, "rows": rows(kept)}


def comparable(one: Experiment, other: Experiment) -> bool:
    """Whether two runs' losses can share an axis: same images, same reconstruction loss."""
    return one.data == other.data and one.training.loss == other.training.loss


def compared_name(present: Experiment, other: Experiment) -> str:
    """What an earlier run is called beside the present one: its title, or what it has that differs."""
    if other.title != present.title:
        return other.title
    here, there = present.to_dict(), other.to_dict()
    differs = [
        str(value) if name == "name" else f"{name} {value}"
        for part in there if part != "version" for name, value in there[part].items()
        if value != here[part].get(name)
    ]
    return f"{other.title}, {differs[0]}" if differs else f"{other.title}, before"
