"""Example pictures of the Studio: held-out images of built-in data sets, for the Restore tab with a part hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from playground.coder import usual
from playground.data import ImageSet, datasets
from playground.knobs import knobs
from playground.masks import draw
from playground.owners import MACHINE, Viewer
from playground.restorer import Restorer
from playground.studio.pictures import enlarged, to_pixels

FEW = 100  # images that are drawn to take an example from
PEN = (224, 33, 138, 255)
SHOWN = (  # way, data set, which held-out image, mask
    ("inpaint", "digits", 7, "box"), ("inpaint", "shapes", 3, "scratches"), ("inpaint", "photos", 5, "text"),
    ("denoise", "digits", 12, None), ("reconstruct", "shapes", 8, None),
    ("compress", "digits", 20, None),
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
    found = [one for its in ways(way) for one in restorer.choices(its, who) if one.data == data]
    return usual(found) or ("telea" if way == "inpaint" else None)


def _example(restorer: Restorer, way: str, data: str, which: int, mask: str | None) -> Example | None:
    fitting = [one for its in ways(way) for one in restorer.choices(its) if one.data == data and one.shipped]
    if not fitting and way != "inpaint":
        return None
    image = held_out_image(data, which)
    h, w = image.shape[1:]
    hidden = np.zeros((h, w), bool) if mask is None else draw(mask, h, w, which)
    big = enlarged(image)
    factor = big.shape[1] // image.shape[1]
    return Example(way, data, datasets[data].title, big, hidden.repeat(factor, 0).repeat(factor, 1))


def held_out_image(data: str, which: int) -> np.ndarray:
    """A held-out image (c, h, w) uint8 of a built-in data set."""
    images = _some(data)
    return images.images[images.held_out[which]]


@cache
def _some(data: str) -> ImageSet:
    """A built-in data set, a small one where it can be drawn so."""
    made = datasets[data]()
    return (replace(made, count=FEW) if "count" in knobs(made) else made).load()


def painted(hidden: np.ndarray) -> np.ndarray:
    """A layer (4, h, w) of paint where the mask hides, transparent elsewhere."""
    return np.where(hidden, np.array(PEN, np.uint8)[:, None, None], np.uint8(0))


def editor_value(image: np.ndarray, hidden: np.ndarray) -> Any:
    """What an ImageEditor is given to show a picture (c, h, w) under a mask."""
    layer = to_pixels(painted(hidden))
    seen = np.where(hidden, np.array(PEN[:3], np.uint8)[:, None, None], image.repeat(3 // len(image), 0))
    return {"background": to_pixels(image.repeat(3 // len(image), 0)), "layers": [layer], "composite": to_pixels(seen)}
