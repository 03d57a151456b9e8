"""Compressor: pictures to .aec files and back, by the codes of a model. Faces call it as they call the Restorer."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from playground import aec
from playground.coder import CODES, Coder, Shape, check, device_of, encoded, sentence
from playground.events import Trouble
from playground.layers.bounded import ends
from playground.metrics import psnr
from playground.model import Autoencoder
from playground.patchwork import Report, nothing
from playground.probes import blocks
from playground.probes.codes import decoded, digest
from playground.probes.rates import Point, called, squared_error
from playground.tasks.compress import Compress

WAY = "compress"
BITS = 8  # of models that were not trained for fewer


@dataclass(frozen=True, eq=False)
class Compressed:
    """A file, and what comes out of it: pictures uint8 (c, h, w) as they went in; psnr: of all of them together, dB.

    bits: of each number of a code. note: one sentence on what was done, or "".
    """

    data: bytes
    images: list[np.ndarray]
    psnr: float
    bits: int
    seconds: float
    note: str

    @property
    def bytes_each(self) -> float:
        return len(self.data) / len(self.images)


class Compressor(Coder):
    """Asynchronous, as the Restorer: the device is asked in portions, so that training goes on beside it."""

    async def compress(self, name: str, images: Sequence[np.ndarray], bits: int = 0,
                       report: Report = nothing) -> Compressed:
        """One file of all pictures, each uint8 (c, h, w) of any size. bits: of aec.BITS; 0: as the model was trained.

        Trouble for pictures that are none or too many, and for models without a code.
        """
        began = time.perf_counter()
        model, shape = await self._model(name, images)
        codes = await self._codes(name, model, shape, images, lambda done: report(done / 2))
        weights, bits = await self.ask_device(name, partial(digest, model)), bits or self.bits(name)
        data, back = await self._through(name, model, weights, shape, images, codes, bits,
                                         lambda done: report((1 + done) / 2))
        notes = _notes(images, shape)
        return Compressed(data, back, _psnr(back, images), bits, time.perf_counter() - began, notes)

    async def decompress(self, data: bytes, file: str = "This file", name: str = "",
                         report: Report = nothing) -> list[np.ndarray]:
        """The pictures of a file, uint8 (c, h, w). name: the model to decode with; "": the one that the file names.

        Trouble in one sentence, calling it `file`, where it is none, is damaged, or where that model is not here.
        """
        header = await asyncio.to_thread(aec.read, data, file)
        name = name or header.model
        try:
            model, shape = await self.model(name, WAY)
        except Trouble as trouble:
            if name == header.model:
                raise Trouble(f"{file} is to be decoded by the model {name}, which is not here.") from None
            raise trouble
        if not (await self.ask_device(name, partial(digest, model))).startswith(header.digest):
            raise Trouble(f"{name} is not as it was when {file} was written, or it is another model than "
                          f"{header.model}, which wrote it: its weights differ.")
        if (header.code, header.shape) != (self._size(name), shape):
            raise Trouble(aec.DAMAGED.format(file))
        codes = await asyncio.to_thread(header.codes)
        return await self._pictures(name, model, header.sizes, shape, codes, report)

    async def rates(self, name: str, images: Sequence[np.ndarray], several: Sequence[int]) -> list[Point]:
        """What the pictures cost in one file, and what they are then worth, at several numbers of bits."""
        model, shape = await self._model(name, images)
        codes = await self._codes(name, model, shape, images, nothing)
        weights, points = await self.ask_device(name, partial(digest, model)), []
        for bits in several:
            data, back = await self._through(name, model, weights, shape, images, codes, bits, nothing)
            points.append(Point(len(data) / len(images), _psnr(back, images), called(bits)))
        return points

    def bits(self, name: str) -> int:
        """How many bits a number of a model's code has where nobody says otherwise."""
        task = self.workbench.experiment(name).task
        return task.bits if isinstance(task, Compress) else BITS

    # The steps -------------------------------------------------------------------------------------------------------

    async def _model(self, name: str, images: Sequence[np.ndarray]) -> tuple[Autoencoder, Shape]:
        if not images:
            raise Trouble("There is no picture to compress.")
        for image in images:
            check(image)
        model, shape = await self.model(name, WAY)
        aec.check([image.shape for image in images], self._size(name), shape)
        return model, shape

    async def _codes(self, name: str, model: Autoencoder, shape: Shape, images: Sequence[np.ndarray],
                     report: Report) -> np.ndarray:
        pieces = await asyncio.to_thread(lambda: np.concatenate([blocks.cut(image, shape) for image in images]))
        codes = []
        for i in range(0, len(pieces), CODES):
            part = pieces[i : i + CODES].astype(np.float32) / 255
            codes.append(await self.ask_device(name, partial(encoded, model, part)))
            report(min(1.0, (i + CODES) / len(pieces)))
        return np.concatenate(codes)

    async def _through(self, name: str, model: Autoencoder, weights: str, shape: Shape, images: Sequence[np.ndarray],
                       codes: np.ndarray, bits: int, report: Report) -> tuple[bytes, list[np.ndarray]]:
        """The file, and the pictures that come out of it; weights: the model's digest."""
        sizes = [image.shape for image in images]
        data = await asyncio.to_thread(aec.write, _plain(name), weights, shape, sizes, codes, bits,
                                       ends(model.encoder.blocks[-1]))
        kept = await asyncio.to_thread(lambda: aec.read(data).codes())
        return data, await self._pictures(name, model, sizes, shape, kept, report)

    async def _pictures(self, name: str, model: Autoencoder, sizes: Sequence[Shape], shape: Shape, codes: np.ndarray,
                        report: Report) -> list[np.ndarray]:
        images: list[np.ndarray] = []
        waiting: list[np.ndarray] = []  # blocks decoded whose picture is not whole yet
        ready, pending = 0, iter(sizes)
        size = next(pending, None)
        for i in range(0, len(codes), CODES):
            part = codes[i : i + CODES]
            made = await self.ask_device(name, partial(decoded, model, part, device_of(model)))
            waiting.append(made)
            ready += len(made)
            while size is not None and ready >= (need := aec.blocks(size, shape)):
                whole = np.concatenate(waiting)
                images.append(await asyncio.to_thread(blocks.joined, whole[:need], size))
                waiting, ready, size = [whole[need:]], ready - need, next(pending, None)
            report(min(1.0, (i + CODES) / len(codes)))
        return images


def _plain(name: str) -> str:
    """A model's name as a file may hold it: of a path, the file's own name."""
    path = Path(name)
    stem = path.stem if path.suffix == ".safetensors" else path.name
    return re.sub(r"[^A-Za-z0-9_-]", "-", stem)[:64] or "model"


def _psnr(images: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> float:
    return psnr(squared_error(images, truths))


def _notes(images: Sequence[np.ndarray], shape: Shape) -> str:
    """What was done to the pictures, in a sentence, where anything was."""
    notes = []
    if any(image.shape[1] < shape[1] or image.shape[2] < shape[2] for image in images):
        notes.append("what is smaller than the model's images was enlarged for it and brought back")
    several = sum(aec.blocks((1, *image.shape[1:]), shape) for image in images)
    if several > len(images):
        notes.append(f"done in {several:,} blocks of {shape[2]} × {shape[1]} pixels side by side")
    if shape[0] == 1 and any(len(image) == 3 for image in images):
        notes.append("a grey model did each colour channel by itself")
    if shape[0] == 3 and any(len(image) == 1 for image in images):
        notes.append("a colour model did grey pictures in colour, and the result was turned grey")
    return sentence(notes)
