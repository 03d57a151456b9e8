"""Restorer: what a model can do for a picture of any size: fill, clean, enlarge, paint; codes and back. Faces call it.

Pictures are uint8 (c, h, w), c = 1 or 3; those smaller than the model's images are enlarged and brought back, larger
ones are cut into tiles that overlap. A grey model does each channel of a colour picture; for a grey picture a colour
model sees it in three channels and the result is turned grey.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from playground import classical, metrics
from playground.caps import MEGA, caps
from playground.coder import Coder, Shape, check, device_of, sentence
from playground.events import Trouble
from playground.masks import scaled
from playground.model import Autoencoder
from playground.patchwork import Patchwork, Report, Steps, nothing
from playground.probes import filling
from playground.probes.photographs import estimated
from playground.probes.sizes import LUMA, enlarged, for_model, from_model
from playground.tasks.denoise import LEVELS, Denoiser
from playground.tasks.inpaint import Inpainter
from playground.tasks.upscale import VIEWS, Upscaler

TOO_SMALL = ("the picture is too small to estimate its noise from, which takes four pixels a side, so the model was "
             "told that there is none: say how strong it is")
WAYS = ("inpaint", "project", "denoise", "reconstruct", "upscale", "restyle", "retrieve")


@dataclass(frozen=True, eq=False)
class Restored:
    """A restored picture, uint8 (c, h, w) as it came in; after upscaling larger, after inpainting the same where known.

    psnr (dB), ssim: inside the hole after inpainting, of the whole picture otherwise; None where the truth is unknown.
    note: one sentence on what was done, or "".
    """

    image: np.ndarray
    psnr: float | None
    ssim: float | None
    seconds: float
    note: str


class Restorer(Coder):
    """Asynchronous: called from one event loop; the device is asked in portions, so that training goes on beside it.

    Cancelling the task that awaits a result ends the work at the next portion.
    """

    # Pictures -------------------------------------------------------------------------------------------------------

    async def inpaint(self, name: str, image: np.ndarray, mask: np.ndarray, truth: np.ndarray | None = None,
                      report: Report = nothing) -> Restored:
        """The image with its hidden pixels filled, by a model or by "telea" or "biharmonic".

        mask: bool, True = hidden; one of another size is scaled, which the note says. Trouble for pictures of more than
        12 megapixels and for names that are not known or cannot fill.
        """
        began = time.perf_counter()
        check(image, truth)
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
                      report: Report = nothing, sigma: float | None = None) -> Restored:
        """The image without its noise, by a denoising autoencoder or a network trained to denoise.

        sigma: the noise's standard deviation in grey levels of 255, for networks that are told it; None: estimated.
        Trouble for a model that cannot denoise.
        """
        began, notes = time.perf_counter(), list[str]()
        check(image, truth)
        model, shape = await self.model(name, "denoise")
        if not isinstance(model, Denoiser):
            return await self._passed(name, model, shape, image, truth, began, report)
        if sigma is not None and not 0 <= sigma <= LEVELS:
            raise Trouble("The noise's level is a number of grey levels, 0 to 255.")
        batch = _for_model(image, shape, notes).astype(np.float32) / LEVELS
        if sigma is None:
            found = estimated(image)
            sigma = found or 0.0
            notes.append(TOO_SMALL if found is None else f"the noise was estimated: σ = {sigma:.1f} of 255")
        out = await self.windows(name, model, lambda x: model.clean(x, sigma / LEVELS)).over(batch, report)
        return await self._result(from_model(out, image), truth, None, began, notes)

    async def upscale(self, name: str, image: np.ndarray, truth: np.ndarray | None = None,
                      report: Report = nothing, finest: bool = False) -> Restored:
        """The image `scale` times as high and as wide, by a network trained to; truth is of that size.

        finest: the mean over all ways to turn and mirror the image, which takes up to eight times as long. A grey
        network enlarges the brightness of a colour picture, and bicubic interpolation its colours, to which the eye is
        less keen. Trouble where the result would have more pixels than allowed.
        """
        began, notes = time.perf_counter(), list[str]()
        check(image)
        model, shape = await self.model(name, "upscale")
        assert isinstance(model, Upscaler)
        scale = model.scale
        if truth is not None and truth.shape != (len(image), scale * image.shape[1], scale * image.shape[2]):
            raise Trouble(f"The true picture is not {scale} times as large as the one to enlarge.")
        if image[0].size * scale**2 > (most := caps().pixels):
            raise Trouble(f"Enlarged {scale} times this picture would have more than {most / MEGA:g} million pixels.")
        windows = self.windows(name, model, partial(model.enlarge, views=VIEWS if finest else 0), scale)
        if len(image) == 3 and shape[0] == 1:
            notes.append("the model enlarged the brightness, bicubic interpolation the colours")
            bright = np.tensordot(LUMA, image.astype(np.float32), 1)[None, None] / LEVELS
            finer = await windows.over(bright, report) - await asyncio.to_thread(enlarged, bright, scale)
            out = await asyncio.to_thread(enlarged, image[None].astype(np.float32) / LEVELS, scale) + finer
        else:
            out = await windows.over(_for_model(image, shape, notes).astype(np.float32) / LEVELS, report)
        return await self._result(from_model(out, image), truth, None, began, notes)

    async def restyle(self, name: str, image: np.ndarray, truth: np.ndarray | None = None,
                      report: Report = nothing) -> Restored:
        """The image painted by a network that learnt a painterly filter; truth is what the filter makes of it."""
        began, notes = time.perf_counter(), list[str]()
        check(image, truth)
        model, shape = await self.model(name, "restyle")
        batch = _for_model(image, shape, notes).astype(np.float32) / LEVELS
        out = await self.windows(name, model, lambda x: model(x).clamp(0, 1)).over(batch, report)
        return await self._result(from_model(out, image), truth, None, began, notes)

    async def reconstruct(self, name: str, image: np.ndarray, truth: np.ndarray | None = None,
                          report: Report = nothing) -> Restored:
        """What the model makes of the image: D(E(x)), tile by tile where it is larger than the model's images."""
        began = time.perf_counter()
        check(image, truth)
        return await self._passed(name, *await self.model(name, "reconstruct"), image, truth, began, report)

    async def _passed(self, name: str, model: Autoencoder, shape: Shape, image: np.ndarray, truth: np.ndarray | None,
                      began: float, report: Report) -> Restored:
        notes = list[str]()

        def make(x: Tensor, known: None) -> Steps:
            return filling.reconstruct(model, x)

        batch = _for_model(image, shape, notes)
        out = await self._patchwork(name, model, shape, make, notes).over(batch, None, report)
        whole = await asyncio.to_thread(from_model, out, image)
        return await self._result(whole, truth, None, began, notes)

    async def _filled(self, name: str, image: np.ndarray, mask: np.ndarray, report: Report,
                      notes: list[str]) -> np.ndarray:
        model, shape = await self.model(name, "inpaint", "project")
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
        return Restored(image, psnr, ssim, seconds, sentence(notes))

    # The device -----------------------------------------------------------------------------------------------------

    def _patchwork(self, name: str, model: Autoencoder, shape: Shape, make: Callable[[Tensor, Any], Steps],
                   notes: list[str]) -> Patchwork:
        return Patchwork(partial(self.ask_device, name), device_of(model), shape[1:], make, notes)


def _for_model(image: np.ndarray, shape: Shape, notes: list[str]) -> np.ndarray:
    batch, note = for_model(image, shape[0])
    notes += [note] if note else []
    return batch
