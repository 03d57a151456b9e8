"""Data sets: the image sets one can train on. One file each; this folder is the registry."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from playground.registry import Registry

datasets = Registry("data set")

Report = Callable[[str, "float | None"], None]
SHARE = 0.2  # of the images are held out, where a data set brings no split of its own


def nothing(reason: str, fraction: float | None = None) -> None:
    """A report that nobody reads."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A data set in memory.

    images: (m, c, h, w), C-contiguous uint8, or float32 in [0, 1] where the "pixels" are coordinates.
    labels: (m,) int64, indices into `classes`; zeros where there are none.
    train, held_out: int64 indices, disjoint, together all m, in an order fixed by the seed.
    masks: (m, h, w) uint8, the class of each pixel (see the data set's `mask_classes`), or None.
    boxes: (m, b, 5) float32, x0, y0, x1, y1, class; pixels, x1 and y1 exclusive; rows of -1 where there are fewer
    than b objects; or None.
    stand_in: where these are not the set's own images, what they are, in a sentence; nothing may be learnt from them.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    train: np.ndarray
    held_out: np.ndarray
    masks: np.ndarray | None = None
    boxes: np.ndarray | None = None
    stand_in: str = ""


class Dataset(ABC):
    """A frozen dataclass of knobs that can load an ImageSet; equal knobs load equal images.

    title: for people. note: one line, what it is and its licence. needs_download: the first load needs a network.
    mask_classes: what the values 0, 1, ... of the masks mean; empty where there are no masks. has_boxes: whether its
    images come with boxes; box_classes: what the classes 0, 1, ... of these mean. ground: how bright the border of its
    images is, 0 to 1; 0.5 where that differs. inner: of the image's side what is drawn on dark ground takes, in the
    middle; 0 where images are no drawings.
    """

    name: str
    title: str
    note: str
    needs_download = False
    mask_classes: tuple[str, ...] = ()
    has_boxes = False
    box_classes: tuple[str, ...] = ()
    ground = 0.5
    inner = 0.0

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """(c, h, w) of the images, known without loading them."""

    @property
    def at_hand(self) -> bool:
        """Whether its files lie here already, so that loading it is likely to need no network; no promise."""
        return not self.needs_download

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the labels 0, 1, ..., as in the ImageSet; empty where they are not known without loading it."""
        return ()

    @abstractmethod
    def load(self, report: Report = nothing) -> ImageSet:
        """The images. `report(reason, fraction)` hears of the progress, fraction in [0, 1] or None; raises Trouble."""


def split(m: int, seed: int, share: float = SHARE) -> tuple[np.ndarray, np.ndarray]:
    """Indices of m images to train on and to hold out, shuffled; a function of (m, seed, share) alone.

    From two images on, both parts hold at least one; ValueError below that.
    """
    if m < 2:
        raise ValueError(f"{m} image cannot be split into train and held out")
    order = np.random.default_rng(seed).permutation(m).astype(np.int64)
    held_out = min(max(round(m * share), 1), m - 1)
    return order[held_out:], order[:held_out]


datasets.discover(sys.modules[__name__])
