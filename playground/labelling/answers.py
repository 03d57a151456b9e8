"""Answers: what a classifier says of every held-out image of its own data set, and which classes it takes for which."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from playground.batches import Resident, to_unit
from playground.labelling.classify import probabilities
from playground.model import Autoencoder

if TYPE_CHECKING:
    from playground.workbench import Workbench

MOST = 10_000  # held-out images that are looked at
CHUNK = 500  # in one turn on the device


@dataclass(frozen=True, eq=False)
class Answers:
    """For each of m held-out images: truth and answer (m,) int64, indices into classes; sure (m,), the answer's p."""

    classes: tuple[str, ...]
    truth: np.ndarray
    answer: np.ndarray
    sure: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return float((self.truth == self.answer).mean())

    @cached_property
    def confusion(self) -> np.ndarray:
        """(classes, classes) int64: how many images of the row's class were taken for the column's."""
        size = len(self.classes)
        return np.bincount(size * self.truth + self.answer, minlength=size * size).reshape(size, size)

    def cell(self, truth: int, answer: int) -> np.ndarray:
        """Numbers of the images of one class taken for another (or itself), the surest answers first."""
        which = np.flatnonzero((self.truth == truth) & (self.answer == answer))
        return which[np.argsort(-self.sure[which], kind="stable")]


async def answers(bench: Workbench, name: str) -> Answers:
    """Of the model called `name`, asked in portions; Trouble where its data cannot be loaded."""

    def about(model: Autoencoder, resident: Resident) -> tuple[tuple[str, ...], np.ndarray]:
        return resident.source.classes, resident.held_out_labels[:MOST]

    classes, truth = await asyncio.wrap_future(bench.probe(name, about))
    portions = [await asyncio.wrap_future(bench.probe(name, partial(_portion, start)))
                for start in range(0, len(truth), CHUNK)]
    sure = np.concatenate(portions)
    return Answers(classes, truth, sure.argmax(1), sure.max(1))


def _portion(start: int, model: Autoencoder, resident: Resident) -> np.ndarray:
    images = to_unit(resident.held_out[start : min(start + CHUNK, MOST)])
    return probabilities(model, images.cpu().numpy())


async def pictures(bench: Workbench, name: str, which: np.ndarray) -> np.ndarray:
    """Held-out images (n, c, h, w) uint8 of the model's data set by their numbers; past the last they begin anew."""

    def those(model: Autoencoder, resident: Resident) -> np.ndarray:
        return resident.held_out[torch.from_numpy(which % len(resident.held_out))].cpu().numpy()

    return await asyncio.wrap_future(bench.probe(name, those))
