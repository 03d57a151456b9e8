"""Retriever: an image's like among many, by a model's code and by pixels, and how often they are of its class.

Codes come from the device in portions, so that training goes on beside it, and are kept in an index on disk; bits where
the model's code was trained to be nearly binary. The search itself is exact.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from playground import coder
from playground.among import Among, of_data, of_files, of_folder
from playground.coder import Coder, Shape, check, encoded
from playground.data import Dataset, datasets
from playground.events import Trouble
from playground.images import to_bytes
from playground.index import Indexes, indexes
from playground.model import Autoencoder
from playground.patchwork import Report, nothing
from playground.portions import portions
from playground.probes.codes import digest, rows_of_pixels
from playground.probes.pictures import fitted
from playground.probes.search import Bits, Codes, Searchable, packed, precision
from playground.supply import Supply
from playground.tasks.retrieve import Hasher

BYS = ("code", "pixels")
COUNT = 10  # neighbours, where nobody says how many
MOST = 100  # that can be asked for
FIRST = ("retrieve-mnist", "undercomplete-digits")  # shipped models to begin with, the better one first
ASKED = 500  # held-out images that precision is the mean over

Against = Dataset | Path | Sequence[tuple[str, bytes]]
Question = np.ndarray | int


class Bench(coder.Bench, Protocol):
    """What a retriever needs of a Workbench."""

    supply: Supply


@dataclass(frozen=True, eq=False)
class Searched:
    """Images made ready to be searched with a model's codes.

    weights: a name for the model's weights. shape: (c, h, w) of its images. bits: whether codes are compared as bits,
    of which there are `size`, as else there are numbers. sizes: bytes that an image takes by each of BYS. built:
    seconds that encoding them took; 0 where they were in the index. precisions: those known so far.
    """

    name: str
    model: Autoencoder
    weights: str
    shape: Shape
    among: Among
    codes: Searchable
    bits: bool
    size: int
    sizes: dict[str, int]
    built: float
    precisions: dict[str, float | None] = field(default_factory=dict)

    @property
    def measures(self) -> dict[str, str]:
        """What a distance by each of BYS is, in words."""
        return {"code": "bits that differ" if self.bits else "Euclidean, of codes", "pixels": "Euclidean, of pixels"}

    def gallery(self, by: str) -> Searchable:
        return self.codes if by == "code" else self.among.pixels


@dataclass(frozen=True, eq=False)
class Found:
    """The nearest of one image: rows of Among and their distances, both (k,), nearest first.

    seconds: that the search took, the question's own encoding left out.
    """

    rows: np.ndarray
    distances: np.ndarray
    seconds: float


class Retriever(Coder):
    """Asynchronous, as the Coder that it is.

    What is searched is a data set (its training images; of one's own pictures all; what shipped models make of it where
    it is not here), the pictures in a folder, or files as (name, bytes). A question is a picture (c, h, w) uint8 of any
    size, or the number of a held-out image.
    """

    @property
    def store(self) -> Indexes:
        return indexes(self.workbench.library.runs.parent / "indexes")

    def against(self, name: str, said: str = "") -> Dataset:
        """The data set that is called so, for a model: "" is the model's own; "own:NAME" are imported pictures."""
        from playground.data.own import imported

        data, (kind, _, pictures) = self.workbench.experiment(name).data, said.partition(":")
        if kind == "own" and pictures:
            if pictures not in imported():
                there = ", ".join(imported()) or "none"
                raise Trouble(f"There are no pictures called {pictures!r} here; there are {there}.")
            return datasets["own"](pictures=pictures, size=min(max(data.shape[1], 8), 256), colour=data.shape[0] == 3)
        if said in ("", data.name):
            return data
        if said not in datasets or said == "own":
            there = ", ".join(sorted({*datasets} - {"own"}))
            raise Trouble(f"There is no data set called {said!r}; there are {there} and own:NAME.")
        if min(datasets[said]().shape[1:]) < 2:
            raise Trouble(f"{datasets[said].title} are no pictures, so there is nothing to search.")
        return datasets[said]()

    async def ready(self, name: str, against: Against, report: Report = nothing) -> Searched:
        """What `find` needs: the images read, their codes from the index, or from the device, of which report hears.

        Trouble where the model has no code or there is no picture to search.
        """
        model, shape = await self.model(name)
        weights = await asyncio.to_thread(digest, model)
        among = await self._among(name, against, shape)
        key, state = (name, among.name), (weights, among.content)
        if (known := self.store.recent(key, state)) is not None:
            return known
        bits = isinstance(model, Hasher)
        owner = f"{name} {among.name}"
        expected = {"model": weights, "images": among.content, "kind": "bits" if bits else "codes"}
        kept = None if among.passing else await asyncio.to_thread(self.store.load, owner, expected)
        began, built = time.perf_counter(), 0.0
        if kept is not None:
            rows = kept[0]["rows"]
        else:
            codes = await self._codes(name, model, shape, among, report)
            rows, built = packed(codes) if bits else codes, time.perf_counter() - began
        gallery: Searchable = await asyncio.to_thread(Bits if bits else Codes, rows)
        sizes = {"code": rows[:1].nbytes, "pixels": await asyncio.to_thread(lambda: among.pixels.bytes)}
        made = Searched(name, model, weights, shape, among, gallery, bits, self._size(name), sizes, built)
        if not among.passing:
            if kept is None:
                await asyncio.to_thread(self.store.save, owner, expected, {"rows": rows}, {})
            self.store.remember(key, state, replace(made, built=0.0))
        return made

    async def find(self, ready: Searched, question: Question, count: int = COUNT, by: str = "code") -> Found:
        """The `count` nearest by one of BYS; fewer where there are fewer. An image is not its own neighbour.

        A grey picture on the opposite ground is turned into its negative, as on the Latent space page.
        """
        check_wish(count, by)
        picture, itself, ground = _asked(ready.among, question)
        query = await self._queries(ready, picture[None], by, ground)
        began = time.perf_counter()
        rows, distances = await asyncio.to_thread(ready.gallery(by).nearest, query, count + (itself >= 0))
        seconds = time.perf_counter() - began
        others = np.flatnonzero(rows[0] != itself)[:count]
        return Found(rows[0][others], distances[0][others], seconds)

    async def precision(self, ready: Searched) -> dict[str, float | None]:
        """Precision at 10 by each of BYS: the share of the ten nearest of an image, held out or of a folder, that are
        of its class, mean over ASKED of them; None where no classes are known: `Among.no_precision` says why."""
        asking, among = ready.among.asking, ready.among
        for by in BYS:
            if by not in ready.precisions and asking is not None and among.classes:
                queries = await self._queries(ready, asking.images[:ASKED], by)
                measure = partial(precision, ready.gallery(by), queries, asking.labels[:ASKED], among.labels)
                ready.precisions[by] = await asyncio.to_thread(measure, asking.rows[:ASKED])
        return {by: ready.precisions.get(by) for by in BYS}

    @staticmethod
    def shown(ready: Searched, question: Question) -> np.ndarray:
        """The picture that is asked with, as it is compared with the others, (c, h, w) uint8."""
        picture, _, ground = _asked(ready.among, question)
        return to_bytes(_fitted(picture[None], ready.among.shape, ground)[0])

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _among(self, name: str, against: Against, shape: Shape) -> Among:
        if isinstance(against, Dataset):
            supply = cast(Bench, self.workbench).supply
            source = (await asyncio.wrap_future(supply.look(against, name))).source
            if (known := self.store.recent(against, source)) is None:
                known = await asyncio.to_thread(of_data, against, source)
                self.store.remember(against, source, known)
            return known
        if isinstance(against, Path):
            return await asyncio.to_thread(of_folder, against, shape, self.store)
        return await asyncio.to_thread(of_files, against, shape)

    async def _codes(self, name: str, model: Autoencoder, shape: Shape, among: Among, report: Report) -> np.ndarray:
        """The codes (n, k) of all images, on the device in portions."""

        def encode(start: int, stop: int) -> np.ndarray:
            images = among.images[start:stop]
            return encoded(model, _unit(images) if images.shape[1:] == shape else _fitted(to_bytes(images), shape, 0.5))

        codes = np.concatenate(await portions(partial(self.ask_device, name), len(among), encode, report=report))
        if not np.isfinite(codes).all():
            raise Trouble("The codes of this model are no numbers any more, so there is nothing to compare.")
        return codes

    async def _queries(self, ready: Searched, pictures: np.ndarray | Sequence[np.ndarray], by: str,
                       ground: float = 0.5) -> np.ndarray:
        """What a gallery is asked with: rows of codes, bits or pixels."""
        shape = ready.shape if by == "code" else ready.among.shape
        batch = await asyncio.to_thread(_fitted, pictures, shape, ground)
        if by == "pixels":
            return rows_of_pixels(batch)
        codes = np.concatenate(await portions(partial(self.ask_device, ready.name), len(batch),
                                              lambda start, stop: encoded(ready.model, batch[start:stop])))
        return packed(codes) if ready.bits else codes


def first() -> str:
    """The model to begin with: bits, among sixty thousand images, where these are here, else what is at hand."""
    return FIRST[0] if datasets["mnist"]().at_hand else FIRST[1]


def check_wish(count: int, by: str) -> None:
    """Trouble unless so many neighbours can be asked for, by one of BYS."""
    if by not in BYS:
        raise Trouble(f"Neighbours are found by {' or by '.join(BYS)}, not by {by!r}.")
    if not 1 <= count <= MOST:
        raise Trouble(f"The count of neighbours is a whole number from 1 to {MOST}.")


def _asked(among: Among, question: Question) -> tuple[np.ndarray, int, float]:
    """The picture (c, h, w) uint8, its own row among those that are searched or -1, and what ground it is fitted to."""
    if isinstance(question, np.ndarray):
        check(question)
        return question, -1, among.ground
    if among.asking is None or not 0 <= question < len(among.asking.images):
        raise Trouble("There is no held-out image of that number.")
    return among.asking.images[question], int(among.asking.rows[question]), 0.5  # as it is, whatever its ground


def _unit(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / 255 if images.dtype == np.uint8 else images


def _fitted(pictures: np.ndarray | Sequence[np.ndarray], shape: Shape, ground: float) -> np.ndarray:
    return np.stack([fitted(picture, shape, ground)[0] for picture in pictures])
