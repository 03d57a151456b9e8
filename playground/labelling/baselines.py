"""Baselines: what is said of a picture by its pixels alone, by the images nearest to it or by each pixel's colour."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.data import ImageSet
from playground.events import Trouble
from playground.images import to_bytes
from playground.probes.codes import rows_of_pixels
from playground.probes.sizes import in_channels
from playground.tasks.classify import Classify

if TYPE_CHECKING:
    from playground.batches import Resident
    from playground.workbench import Workbench

LABELLED = 3_000  # labelled images that are searched, drawn at random where there are more
ASKED = 1_000  # held-out images that its accuracy is the mean over
NEIGHBOURS = 3
PIXELS = 100_000  # of training images, that the mean colours are taken of
PORTION = 1 << 18  # pixels of a picture at a time: the distances of 12 megapixels would be a gigabyte
CLASSES_ABSENT = "There is no baseline beside it: the labelled images that it would compare with are not here."
COLOURS_ABSENT = "There is no baseline by colour beside it: the images and masks that it would learn from are not here."


# Of a classifier -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Nearest:
    """k-nearest neighbours on pixels, among labelled training images of those that a classifier was given.

    places: (n,) where those images lie in `source`; of: how many are labelled in all. accuracy: the share, 0 to 1, of
    the first `asked` held-out images that it names rightly.
    """

    neighbours: Any
    source: ImageSet
    places: np.ndarray
    of: int
    asked: int
    accuracy: float

    def says(self, image: np.ndarray) -> tuple[str, list[tuple[np.ndarray, str]]]:
        """The class of an image (c, h, w) uint8 of the set's size, and the nearest: (c, h, w) uint8 and their class."""
        classes, row = self.source.classes, _rows(image[None])
        at = self.places[self.neighbours.kneighbors(row, return_distance=False)[0]]
        near = [(to_bytes(self.source.images[i]), classes[self.source.labels[i]]) for i in at]
        return classes[int(self.neighbours.predict(row)[0])], near


async def nearest(bench: Workbench, name: str) -> Nearest | None:
    """Of the classifier called `name`, made once and kept with its images; None where these are not here."""
    made = bench.experiment(name)
    assert isinstance(made.task, Classify)
    resident = await _here(bench, name)
    if resident is None:
        return None
    return await asyncio.to_thread(resident.once, ("nearest", made.task.labels),
                                   partial(nearest_in, resident.source, made.task))


def nearest_in(source: ImageSet, task: Classify) -> Nearest | None:
    """The baseline of a set's labelled images, as many as the task is told the labels of; None where there is none."""
    from sklearn.neighbors import KNeighborsClassifier

    known = source.train[task.targets(source)[source.train].any(1)]
    if not len(known) or not len(source.held_out):
        return None
    places = np.sort(np.random.default_rng(0).permutation(known)[:LABELLED])
    fitted = KNeighborsClassifier(min(NEIGHBOURS, len(places)), weights="distance", algorithm="brute")
    fitted.fit(_rows(source.images[places]), source.labels[places])
    asked = source.held_out[:ASKED]
    right = fitted.predict(_rows(source.images[asked])) == source.labels[asked]
    return Nearest(fitted, source, places, len(known), len(asked), float(right.mean()))


def _rows(images: np.ndarray) -> np.ndarray:
    return rows_of_pixels(images).astype(np.float32) / 255


# Of a segmenter ------------------------------------------------------------------------------------------------------


async def by_colour(bench: Workbench, name: str, image: np.ndarray) -> np.ndarray | None:
    """Each pixel's class (h, w) uint8 in a picture (c, h, w) uint8: whose mean colour is nearest to its own.

    The colours are those of training images of the segmenter called `name`; None where these are not here.
    """
    resident = await _here(bench, name)
    if resident is None or resident.source.masks is None:
        return None
    centroids = await asyncio.to_thread(resident.once, "colours", partial(mean_colours, resident.source))
    if centroids is None:
        return None
    return await asyncio.to_thread(_coloured, centroids, image, resident.shape[0])


def mean_colours(source: ImageSet) -> Any | None:
    """scikit-learn's nearest centroids of the classes' colours, from pixels drawn at random; None of one class only."""
    from sklearn.neighbors import NearestCentroid

    assert source.masks is not None
    rng, (_, _, h, w) = np.random.default_rng(0), source.images.shape
    images, y, x = rng.choice(source.train, PIXELS), rng.integers(0, h, PIXELS), rng.integers(0, w, PIXELS)
    colours, classes = source.images[images, :, y, x], source.masks[images, y, x]
    try:
        return NearestCentroid().fit(to_bytes(colours).astype(np.float32) / 255, classes)
    except ValueError:  # one class, or one colour for all
        return None


def _coloured(centroids: Any, image: np.ndarray, channels: int) -> np.ndarray:
    seen = in_channels(image, channels)[0][0].reshape(channels, -1).T
    found = [centroids.predict(seen[i : i + PORTION]) for i in range(0, len(seen), PORTION)]
    return np.concatenate(found).astype(np.uint8).reshape(image.shape[1:])


async def _here(bench: Workbench, name: str) -> Resident | None:
    """A model's own images; None where they cannot be loaded, even if something stands in for them."""
    try:
        resident = await asyncio.wrap_future(bench.supply.look(bench.experiment(name).data, name))
    except Trouble:
        return None
    return None if resident.source.stand_in else resident
