"""Rate and distortion: what pictures cost as JPEG and WebP files at several qualities, and what they are then worth."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from playground import aec
from playground.images import tile, to_bytes, to_pillow
from playground.layers.bounded import ends
from playground.metrics import psnr
from playground.model import Autoencoder
from playground.probes.codes import digest

QUALITIES = (1, 5, 10, 20, 35, 50, 70, 85, 95)
START_OF_SCAN = 0xDA


@dataclass(frozen=True)
class Point:
    """bytes: of each picture, a mean. psnr: of all pictures together, dB. setting: what was chosen, in words."""

    bytes: float
    psnr: float
    setting: str


@dataclass(frozen=True)
class Classical:
    """A classical way. kind: as Pillow names it. sheet: all pictures side by side in one file, not a file each."""

    kind: str
    sheet: bool = False
    count: Callable[[bytes], int] = len

    def through(self, images: Sequence[np.ndarray], quality: int) -> tuple[float, list[np.ndarray]]:
        """Bytes for each of the pictures (c, h, w) uint8, and what comes out; of a sheet they are of one size."""
        if self.sheet:
            columns = int(np.ceil(np.sqrt(len(images))))
            file = self._write(tile(np.stack(images), columns, gap=0), quality)
            whole = _read(file, images[0])
            c, h, w = images[0].shape
            cells = whole.reshape(c, -1, h, columns, w).transpose(1, 3, 0, 2, 4).reshape(-1, c, h, w)
            return self.count(file) / len(images), [*cells[: len(images)]]
        files = [self._write(image, quality) for image in images]
        return float(np.mean([self.count(file) for file in files])), [_read(*one) for one in zip(files, images)]

    def _write(self, image: np.ndarray, quality: int) -> bytes:
        file = io.BytesIO()
        to_pillow(image).save(file, self.kind, quality=quality)
        return file.getvalue()


def scan_bytes(file: bytes) -> int:
    """Bytes of a JPEG file after its tables: what an abbreviated file (ITU-T T.81, B.4) holds, tables sent before."""
    at = 2
    while file[at + 1] != START_OF_SCAN:
        at += 2 + int.from_bytes(file[at + 2 : at + 4], "big")
    return len(file) - at


CLASSICAL = {
    "JPEG, a file each": Classical("JPEG"),
    "JPEG, its tables not counted": Classical("JPEG", count=scan_bytes),
    "WebP, a file each": Classical("WEBP"),
    "JPEG, one sheet of all": Classical("JPEG", sheet=True),
    "WebP, one sheet of all": Classical("WEBP", sheet=True),
}


def ways(images: Sequence[np.ndarray]) -> list[str]:
    """The classical ways that these pictures allow: a sheet is of several, all of one size."""
    several = len(images) > 1 and len({image.shape for image in images}) == 1
    return [way for way, how in CLASSICAL.items() if several or not how.sheet]


def points(images: Sequence[np.ndarray], way: str, qualities: Sequence[int] = QUALITIES) -> list[Point]:
    """The points of one classical way for pictures (c, h, w) uint8, the lowest quality first."""
    found = []
    for quality in qualities:
        size, back = CLASSICAL[way].through(images, quality)
        found.append(Point(size, psnr(squared_error(back, images)), f"quality {quality}"))
    return found


def nearest(images: Sequence[np.ndarray], way: str, size: float) -> tuple[Point, list[np.ndarray]]:
    """The point of a classical way whose bytes for each picture come nearest to `size`, and its pictures."""
    best = min(QUALITIES, key=lambda quality: abs(np.log(CLASSICAL[way].through(images, quality)[0] / size)))
    size, back = CLASSICAL[way].through(images, best)
    return Point(size, psnr(squared_error(back, images)), f"quality {best}"), back


def bytes_at(curve: Sequence[Point], worth: float) -> float | None:
    """What a curve costs at a PSNR of `worth` dB, on straight lines between its points; None beyond its ends."""
    ordered = sorted(curve, key=lambda one: one.psnr)
    if not ordered or not ordered[0].psnr <= worth <= ordered[-1].psnr:
        return None
    return float(np.interp(worth, [one.psnr for one in ordered], [one.bytes for one in ordered]))


def worth_at(curve: Sequence[Point], size: float) -> float | None:
    """The PSNR in dB of a curve at `size` bytes, between its points by the bytes' logarithm; None beyond its ends."""
    ordered = sorted(curve, key=lambda one: one.bytes)
    if not ordered or not ordered[0].bytes <= size <= ordered[-1].bytes:
        return None
    return float(np.interp(np.log(size), np.log([one.bytes for one in ordered]), [one.psnr for one in ordered]))


@torch.no_grad()
def figures(model: Autoencoder, images: np.ndarray, bits: int, beside: bool = True) -> dict[str, dict[str, float]]:
    """Way -> bytes for each of images (n, c, h, w) uint8 in one file, and PSNR: the model's at some numbers of bits.

    beside: whether the classical ways are measured too, at what comes nearest to the bytes of the model at `bits`.
    """
    codes, shape = model.encode(torch.from_numpy(images).float() / 255).numpy(), images.shape[1:]
    found, weights, given = {}, digest(model), ends(model.encoder.blocks[-1])
    for used in sorted({bits, 4, 8, 16, 32}):
        file = aec.write("model", weights, shape, len(images) * [shape], codes, used, given)
        back = to_bytes(model.decode(torch.from_numpy(aec.read(file).codes())).numpy())
        found[f"model, {called(used)}"] = Point(len(file) / len(images), psnr(squared_error([*back], [*images])), "")
    own = found[f"model, {called(bits)}"].bytes
    for way in ways([*images]) if beside else ():
        point, _ = nearest([*images], way, own)
        found[f"{way}, {point.setting}"] = point
    return {way: {"psnr": point.psnr, "bytes": point.bytes} for way, point in found.items()}


def called(bits: int) -> str:
    """Bits of a number, in words."""
    return "float32" if bits == 32 else f"{bits} bit{'s' * (bits > 1)}"


def squared_error(images: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> float:
    """Mean squared error over all values of pictures uint8, on the scale of [0, 1]."""
    total = sum(float(np.square(a.astype(np.float32) - b).sum(dtype=np.float64)) for a, b in zip(images, truths))
    return total / 255**2 / sum(truth.size for truth in truths)


def _read(file: bytes, like: np.ndarray) -> np.ndarray:
    """The pixels of a file, grey where `like` (c, h, w) is: WebP knows colours alone."""
    from PIL import Image

    with Image.open(io.BytesIO(file)) as picture:
        pixels = np.asarray(picture.convert("L" if len(like) == 1 else "RGB"))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
