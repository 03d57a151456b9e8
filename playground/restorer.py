"""Restorer: what a model can do for a picture of any size: fill, denoise, reconstruct; codes and back. Faces call it.

Pictures are uint8 (c, h, w), c = 1 or 3; those smaller than the model's images are enlarged and brought back, larger
ones are cut into tiles that overlap. A grey model does each channel of a colour picture; for a grey picture a colour
model sees it in three channels and the result is turned grey.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from playground import classical, metrics
from playground.events import Snapshot, Trouble
from playground.experiment import Experiment
from playground.images import MEGA, to_bytes
from playground.library import Library
from playground.masks import scaled
from playground.model import Autoencoder
from playground.patchwork import Patchwork, Report, Steps, nothing
from playground.probes import filling
from playground.probes.codes import decoded, frozen
from playground.probes.paths import HOWS, path
from playground.probes.pictures import fitted
from playground.probes.sizes import for_model, from_model
from playground.tasks.inpaint import Inpainter

MOST = 12 * MEGA  # pixels of one picture
WAYS = ("inpaint", "project", "denoise", "reconstruct")
CODES = 64  # images encoded or decoded in one portion

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Choice:
    """One way to use one model. way: of WAYS. shape: (c, h, w) of its images. data: its data set's name.

    code: the size of its code; 0 where not everything passes through one.
    """

    name: str
    title: str
    way: str
    shape: Shape
    data: str
    shipped: bool
    code: int


@dataclass(frozen=True, eq=False)
class Restored:
    """A restored picture, uint8 (c, h, w) as it came in; what was known is identical to the input's after inpainting.

    psnr (dB), ssim: inside the hole after inpainting, of the whole picture otherwise; None where the truth is unknown.
    note: one sentence on what was done, or "".
    """

    image: np.ndarray
    psnr: float | None
    ssim: float | None
    seconds: float
    note: str


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
    return experiment.task.ways(experiment.variant)


class Restorer:
    """Asynchronous: called from one event loop; the device is asked in portions, so that training goes on beside it.

    Cancelling the task that awaits a result ends the work at the next portion.
    """

    def __init__(self, workbench: Bench):
        self.workbench = workbench

    def choices(self, way: str = "") -> list[Choice]:
        """What can be used, in one way or in any: shipped models, then runs, newest first, that took a step."""
        models = [(entry.name, entry.experiment, True) for entry in self.workbench.library.shipped_models()]
        models += [(run.job, run.title, False) for run in self.workbench.jobs() if run.steps_taken]
        return [
            Choice(name, f"{experiment.title}, {experiment.data.title}", its, experiment.data.shape,
                   experiment.data.name, is_shipped, experiment.architecture.code * experiment.architecture.has_code)
            for name, experiment, is_shipped in models
            for its in ways(experiment)
            if way in ("", its)
        ]

    # Pictures -------------------------------------------------------------------------------------------------------

    async def inpaint(self, name: str, image: np.ndarray, mask: np.ndarray, truth: np.ndarray | None = None,
                      report: Report = nothing) -> Restored:
        """The image with its hidden pixels filled, by a model or by "telea" or "biharmonic".

        mask: bool, True = hidden; one of another size is scaled, which the note says. Trouble for pictures of more than
        12 megapixels and for names that are not known or cannot fill.
        """
        began = time.perf_counter()
        _check(image, truth)
        h, w = image.shape[1:]
        notes = []
        if mask.shape != (h, w):
            notes.append(f"The mask was scaled from {mask.shape[1]} × {mask.shape[0]} to {w} × {h} pixels")
        mask = await asyncio.to_thread(scaled, mask.astype(np.uint8) > 0, h, w)  # no booleans but 0 and 1
        if not mask.any():
            notes.append("nothing is hidden, so this is the picture itself")
            filled = image
        elif name in classical.FILLS:
            filled = await asyncio.to_thread(classical.FILLS[name], image, mask)
            factor = classical.reduction(mask)
            if name == "biharmonic" and factor > 1 and not mask.all():
                notes.append(f"the hole is large: it was solved on a picture {factor} times smaller")
        else:
            filled = await self._filled(name, image, mask, report, notes)
        merged = await asyncio.to_thread(np.where, mask, filled, image)
        report(1.0)
        return await self._result(merged, truth, mask, began, notes)

    async def denoise(self, name: str, image: np.ndarray, truth: np.ndarray | None = None,
                      report: Report = nothing) -> Restored:
        """The image without its noise, by a denoising autoencoder; Trouble for a model that is none."""
        return await self._passed("denoise", name, image, truth, report)

    async def reconstruct(self, name: str, image: np.ndarray, truth: np.ndarray | None = None,
                          report: Report = nothing) -> Restored:
        """What the model makes of the image: D(E(x)), tile by tile where it is larger than the model's images."""
        return await self._passed("reconstruct", name, image, truth, report)

    async def _passed(self, way: str, name: str, image: np.ndarray, truth: np.ndarray | None,
                      report: Report) -> Restored:
        began, notes = time.perf_counter(), list[str]()
        _check(image, truth)
        model, shape = await self._model(name, way)

        def make(x: Tensor, known: None) -> Steps:
            return filling.reconstruct(model, x)

        batch = _for_model(image, shape, notes)
        out = await self._patchwork(name, model, shape, make, notes).over(batch, None, report)
        whole = await asyncio.to_thread(from_model, out, image)
        return await self._result(whole, truth, None, began, notes)

    async def _filled(self, name: str, image: np.ndarray, mask: np.ndarray, report: Report,
                      notes: list[str]) -> np.ndarray:
        model, shape = await self._model(name, "inpaint", "project")
        trained = isinstance(model, Inpainter)
        if not trained:
            notes.append("the hole shows what the code that fits the known pixels best decodes to (projection)")

        def make(x: Tensor, known: Tensor) -> Steps:
            return filling.inpaint(model, x, known) if trained else filling.project(model, x, known)

        batch = _for_model(image, shape, notes)
        out = await self._patchwork(name, model, shape, make, notes).fill(batch, mask, report)
        return await asyncio.to_thread(from_model, out, image)

    async def _result(self, image: np.ndarray, truth: np.ndarray | None, where: np.ndarray | None, began: float,
                      notes: list[str]) -> Restored:
        seconds = time.perf_counter() - began
        psnr = ssim = None
        if truth is not None:
            psnr = await asyncio.to_thread(metrics.psnr_between, image, truth, where)
            ssim = await asyncio.to_thread(metrics.ssim_between, image, truth, where)
        text = "; ".join(notes)
        return Restored(image, psnr, ssim, seconds, f"{text[:1].upper()}{text[1:]}." if text else "")

    # Codes ----------------------------------------------------------------------------------------------------------

    async def encode(self, name: str, images: list[np.ndarray]) -> np.ndarray:
        """The codes (n, k) float32 of pictures of any size, each fitted to the model's images."""
        model, shape = await self._model(name)
        for image in images:
            _check(image)
        codes = [np.zeros((0, self._size(name)), np.float32)]
        for i in range(0, len(images), CODES):
            batch = await asyncio.to_thread(_fitted, images[i : i + CODES], shape)
            codes.append(await self._ask(name, partial(_encoded, model, batch)))
        return np.concatenate(codes)

    async def decode(self, name: str, codes: np.ndarray) -> np.ndarray:
        """Images (n, c, h, w) uint8 of codes (n, k); Trouble for codes of another size or that are no numbers."""
        model, shape = await self._model(name)
        codes = np.ascontiguousarray(codes, np.float32)
        if codes.ndim != 2 or codes.shape[1] != self._size(name) or not np.isfinite(codes).all():
            raise Trouble(f"This model decodes codes of {self._size(name)} finite numbers.")
        images = [np.zeros((0, *shape), np.uint8)]
        for i in range(0, len(codes), CODES):
            rows = codes[i : i + CODES]
            images.append(to_bytes(await self._ask(name, partial(decoded, model, rows, _device(model)))))
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

    async def _ask(self, name: str, do: Callable[[], Any]) -> Any:
        return await asyncio.wrap_future(self.workbench.ask(name, lambda model: do()))

    def _patchwork(self, name: str, model: Autoencoder, shape: Shape, make: Callable[[Tensor, Any], Steps],
                   notes: list[str]) -> Patchwork:
        return Patchwork(partial(self._ask, name), _device(model), shape[1:], make, notes)

    async def _model(self, name: str, *wanted: str) -> tuple[Autoencoder, Shape]:
        """A model that no training changes meanwhile, and its images' shape; Trouble where it cannot be used so.

        wanted: ways of which it must know one; where none is wanted, it is for its codes.
        """
        experiment = await asyncio.to_thread(self.workbench.experiment, name)
        its = ways(experiment)
        if min(experiment.data.shape[1:]) < 2:
            raise Trouble("This model was trained on points, not on pictures, so a picture has no place here.")
        if wanted and not set(wanted) & set(its):
            raise Trouble(f"{experiment.title} was not trained to {wanted[0]}; choose another model.")
        if not wanted and not experiment.architecture.has_code:
            raise Trouble(f"{experiment.title} has no code that everything passes through; choose another model.")
        # only a model in training mode changes while it is asked; those read from files were never in it
        still = self.workbench.ask(name, lambda model: frozen(model) if model.training else model)
        return await asyncio.wrap_future(still), experiment.data.shape


def _check(image: np.ndarray, truth: np.ndarray | None = None) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or len(image) not in (1, 3) or not image.size:
        raise Trouble("A picture is grey or RGB, 8 bits a channel, with at least one pixel.")
    if image[0].size > MOST:
        raise Trouble(f"This picture has more than {MOST // MEGA} million pixels, which is too many.")
    if truth is not None and truth.shape != image.shape:
        raise Trouble("The true picture is of another size or has other channels than the one to restore.")


def _for_model(image: np.ndarray, shape: Shape, notes: list[str]) -> np.ndarray:
    batch, note = for_model(image, shape[0])
    notes += [note] if note else []
    return batch


def _fitted(images: list[np.ndarray], shape: Shape) -> np.ndarray:
    return np.stack([fitted(image, shape, ground=0.5)[0] for image in images])


@torch.no_grad()
def _encoded(model: Autoencoder, batch: np.ndarray) -> np.ndarray:
    return model.encode(torch.from_numpy(batch).to(_device(model))).float().cpu().numpy()


def _device(model: Autoencoder) -> torch.device:
    return next(model.parameters()).device
