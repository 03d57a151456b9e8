"""Coder: which models can be used and how; pictures to codes and codes to pictures. Faces call it by the Restorer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from playground.caps import MEGA, caps
from playground.events import Snapshot, Trouble
from playground.experiment import Experiment
from playground.images import to_bytes
from playground.library import Library, called
from playground.model import Autoencoder
from playground.owners import MACHINE, Viewer
from playground.probes.codes import decoded, frozen
from playground.probes.paths import HOWS, path
from playground.probes.pictures import fitted
from playground.windows import Windows

CODES = 64  # images encoded or decoded in one portion

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Choice:
    """One way to use one model. way: of WAYS. shape: (c, h, w) of its images. data: its data set's name.

    code: the size of its code; 0 where not everything passes through one. meant: whether it was trained for that way.
    """

    name: str
    title: str
    way: str
    shape: Shape
    data: str
    shipped: bool
    code: int
    meant: bool


class Bench(Protocol):
    """What a restorer needs of a Workbench."""

    library: Library

    def ask(self, name: str, question: Callable[[Autoencoder], Any]) -> Future: ...

    def experiment(self, name: str) -> Experiment: ...

    def jobs(self) -> tuple[Snapshot, ...]: ...


def ways(experiment: Experiment) -> tuple[str, ...]:
    """What a model of this experiment can be used for; nothing where its images are points."""
    if min(experiment.data.shape[1:]) < 2:
        return ()
    its = experiment.task.ways(experiment.variant)
    # whatever it was trained for, a code can be compared with others
    return its if "retrieve" in its or not experiment.has_code else (*its, "retrieve")


class Coder:
    """Asynchronous, as the Restorer that stands on it."""

    def __init__(self, workbench: Bench):
        self.workbench = workbench

    def choices(self, way: str = "", viewer: Viewer = MACHINE, known: str = "") -> list[Choice]:
        """What a viewer can use, in one way or in any: their runs, newest first, that took a step, then shipped models.

        known: a run that they know by name, whosever it is.
        """
        models = [(run.job, run.title, False) for run in self.workbench.jobs()
                  if run.steps_taken and (viewer.owns(run.owner) or run.job == known)]
        models += [(entry.name, entry.experiment, True) for entry in self.workbench.library.shipped_models()]
        return [
            Choice(name, called(experiment), its, experiment.data.shape,
                   experiment.data.name, is_shipped, experiment.architecture.code * experiment.has_code,
                   its == experiment.task.name)
            for name, experiment, is_shipped in models
            for its in ways(experiment)
            if way in ("", its)
        ]

    # Codes ----------------------------------------------------------------------------------------------------------

    async def encode(self, name: str, images: list[np.ndarray]) -> np.ndarray:
        """The codes (n, k) float32 of pictures of any size, each fitted to the model's images."""
        model, shape = await self.model(name)
        for image in images:
            check(image)
        codes = [np.zeros((0, self._size(name)), np.float32)]
        for i in range(0, len(images), CODES):
            batch = await asyncio.to_thread(_fitted, images[i : i + CODES], shape)
            codes.append(await self.ask_device(name, partial(encoded, model, batch)))
        return np.concatenate(codes)

    async def decode(self, name: str, codes: np.ndarray) -> np.ndarray:
        """Images (n, c, h, w) uint8 of codes (n, k); Trouble for codes of another size or that are no numbers."""
        model, shape = await self.model(name)
        codes = np.ascontiguousarray(codes, np.float32)
        if codes.ndim != 2 or codes.shape[1] != self._size(name) or not np.isfinite(codes).all():
            raise Trouble(f"This model decodes codes of {self._size(name)} finite numbers.")
        images = [np.zeros((0, *shape), np.uint8)]
        for i in range(0, len(codes), CODES):
            rows = codes[i : i + CODES]
            images.append(to_bytes(await self.ask_device(name, partial(decoded, model, rows, device_of(model)))))
        return np.concatenate(images)

    async def interpolate(self, name: str, a: np.ndarray, b: np.ndarray, steps: int = 9,
                          way: str = "straight") -> np.ndarray:
        """Images (steps, c, h, w) uint8 on the way from a to b, each a picture (c, h, w) or a code (k,)."""
        if way not in HOWS:
            raise Trouble(f"There is no way called {way!r}; there are {' and '.join(HOWS)}.")
        ends = [end.astype(np.float32) if end.ndim == 1 else (await self.encode(name, [end]))[0] for end in (a, b)]
        return await self.decode(name, path(ends[0], ends[1], steps, way))

    def _size(self, name: str) -> int:
        return self.workbench.experiment(name).architecture.code

    # The device -----------------------------------------------------------------------------------------------------

    async def ask_device(self, name: str, do: Callable[[], Any]) -> Any:
        """What do() answers on the device thread, in the turn of the model called `name`."""
        return await asyncio.wrap_future(self.workbench.ask(name, lambda model: do()))

    def windows(self, name: str, model: Autoencoder, make: Callable[[Tensor], Tensor], scale: int = 1) -> Windows:
        """What lets `make`, of a model that takes any size, work on large pictures in windows, as if in one go."""
        architecture = self.workbench.experiment(name).architecture
        return Windows(partial(self.ask_device, name), device_of(model), make, architecture.reach, scale,
                       architecture.grain)

    async def model(self, name: str, *wanted: str) -> tuple[Autoencoder, Shape]:
        """A model that no training changes meanwhile, and its images' shape; Trouble where it cannot be used so.

        wanted: ways of which it must know one; where none is wanted, it is for its codes.
        """
        experiment = await asyncio.to_thread(self.workbench.experiment, name)
        its = ways(experiment)
        if min(experiment.data.shape[1:]) < 2:
            raise Trouble("This model was trained on points, not on pictures, so a picture has no place here.")
        if wanted and not set(wanted) & set(its):
            raise Trouble(f"{experiment.title} was not trained to {wanted[0]}; choose another model.")
        if not wanted and not experiment.has_code:
            raise Trouble(f"{experiment.title} has no code that everything passes through; choose another model.")
        # only a model in training mode changes while it is asked; those read from files were never in it
        still = self.workbench.ask(name, lambda model: frozen(model) if model.training else model)
        return await asyncio.wrap_future(still), experiment.data.shape


def usual(choices: Iterable[Choice]) -> str | None:
    """Whose name a list begins with: the first shipped model's, which is well trained, else the first run's.

    One that was trained for just that comes before those that can do it besides.
    """
    found = min(choices, key=lambda one: (not one.shipped, not one.meant), default=None)
    return found.name if found else None


def sentence(notes: Iterable[str]) -> str:
    """Notes on what was done as one sentence; "" where there are none."""
    text = "; ".join(filter(None, notes))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def check(image: np.ndarray, truth: np.ndarray | None = None) -> None:
    """Trouble unless image is a picture (c, h, w) uint8 of no more pixels than allowed, and truth, if any, as large."""
    if image.dtype != np.uint8 or image.ndim != 3 or len(image) not in (1, 3) or not image.size:
        raise Trouble("A picture is grey or RGB, 8 bits a channel, with at least one pixel.")
    if image[0].size > (most := caps().pixels):
        raise Trouble(f"This picture has more than {most / MEGA:g} million pixels, which is too many.")
    if truth is not None and truth.shape != image.shape:
        raise Trouble("The true picture is of another size or has other channels than the one to restore.")


def _fitted(images: list[np.ndarray], shape: Shape) -> np.ndarray:
    return np.stack([fitted(image, shape, ground=0.5)[0] for image in images])


@torch.no_grad()
def encoded(model: Autoencoder, batch: np.ndarray) -> np.ndarray:
    """Images (m, c, h, w) float32 in [0, 1] to their codes (m, k), on the device thread."""
    return model.encode(torch.from_numpy(batch).to(device_of(model))).float().cpu().numpy()


def device_of(model: Autoencoder) -> torch.device:
    """Where the model's weights lie."""
    return next(model.parameters()).device
