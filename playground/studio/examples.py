"""Example pictures of the Restore tab: held-out images of built-in data sets, with a part hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.data import datasets
from playground.masks import draw
from playground.owners import MACHINE, Viewer
from playground.restorer import Restorer
from playground.studio.pictures import enlarged, to_pixels

PEN = (224, 33, 138, 255)
SHOWN = (  # way, data set, which held-out image, mask
    ("inpaint", "digits", 7, "box"), ("inpaint", "shapes", 3, "scratches"), ("inpaint", "photos", 5, "text"),
    ("denoise", "digits", 12, None), ("reconstruct", "shapes", 8, None),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Example:
    """What one example sets: the way, the data set and its title, and the picture (c, h, w) with its mask (h, w).

    Both are large enough to paint on.
    """

    way: str
    data: str
    title: str
    image: np.ndarray
    hidden: np.ndarray


def examples(restorer: Restorer) -> list[Example]:
    """Those that can be run now: with a shipped model of the data, or a classical fill."""
    return [made for shown in SHOWN if (made := _example(restorer, *shown)) is not None]


def ways(way: str) -> tuple[str, ...]:
    """The ways of models that serve what the page calls `way`, the better one first."""
    return ("inpaint", "project") if way == "inpaint" else (way,)


def suited(restorer: Restorer, way: str, data: str, who: Viewer = MACHINE) -> str | None:
    """The model to begin with for pictures of a data set: one trained on them, else a classical fill; or none."""
    found = [one.name for its in ways(way) for one in restorer.choices(its, who) if one.data == data]
    return found[0] if found else "telea" if way == "inpaint" else None


def _example(restorer: Restorer, way: str, data: str, which: int, mask: str | None) -> Example | None:
    fitting = [one for its in ways(way) for one in restorer.choices(its) if one.data == data and one.shipped]
    if not fitting and way != "inpaint":
        return None
    loaded = datasets[data]().load()
    image = loaded.images[loaded.held_out[which]]
    h, w = image.shape[1:]
    hidden = np.zeros((h, w), bool) if mask is None else draw(mask, h, w, which)
    big = enlarged(image)
    factor = big.shape[1] // image.shape[1]
    return Example(way, data, datasets[data].title, big, hidden.repeat(factor, 0).repeat(factor, 1))


def painted(hidden: np.ndarray) -> np.ndarray:
    """A layer (4, h, w) of paint where the mask hides, transparent elsewhere."""
    return np.where(hidden, np.array(PEN, np.uint8)[:, None, None], np.uint8(0))


def editor_value(image: np.ndarray, hidden: np.ndarray) -> Any:
    """What an ImageEditor is given to show a picture (c, h, w) under a mask."""
    layer = to_pixels(painted(hidden))
    seen = np.where(hidden, np.array(PEN[:3], np.uint8)[:, None, None], image.repeat(3 // len(image), 0))
    return {"background": to_pixels(image.repeat(3 // len(image), 0)), "layers": [layer], "composite": to_pixels(seen)}
