"""The Paint page's work: fill what is hidden or take noise away, and tell of each result as soon as it is there."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from playground.events import Trouble
from playground.explore_answers import asked, number, whole
from playground.paint_desks import Desk, Piece
from playground.paint_routes import unbits, url_of

if TYPE_CHECKING:
    from playground.paint_routes import Paint
    from playground.restorer import Restored

Work = Callable[[Callable[[float], None]], Awaitable["Restored"]]
CLASSICAL = ("telea", "biharmonic")
TICK = 0.2  # seconds between two words on how far it is
EARLY = 0.02  # of the work: before it nobody knows how long the rest takes
NOISES = ("gaussian", "masking", "salt-and-pepper", "speckle", "block", "none")


@dataclass
class Asked:
    """One question: the way ("fill" or "noise"), the model, the mask, and the noise."""

    way: str
    model: str
    use: str
    mask: np.ndarray
    known: bool
    kind: str
    level: float
    seed: int

    @classmethod
    def read(cls, question: dict[str, Any], desk: Desk) -> Asked:
        """Trouble, with a sentence, for what cannot be followed."""
        way, use, kind = (str(question.get(name, default)) for name, default in
                          (("way", "fill"), ("use", "fill"), ("kind", "gaussian")))  # fmt: skip
        if way not in ("fill", "noise"):
            raise Trouble("A picture is filled or freed of noise: way is fill or noise.")
        if kind not in NOISES:
            raise Trouble(f"The kind of noise must be one of {', '.join(NOISES)}.")
        level = number(question, "level", 0.3)
        if not 0 <= level <= 1:
            raise Trouble("The noise level is a number from 0 to 1.")
        model = question.get("model")
        if not isinstance(model, str) or not model:
            raise Trouble("Choose a model first.")
        mask = unbits(question.get("mask"), *desk.mask.shape)
        known = bool(question.get("known", desk.about.get("known")))
        return cls(way, model, use, mask, known, kind, level, whole(question, "seed", 0, 2**31 - 1, 0))


async def restore(paint: Paint, request: Request) -> Response:
    """Lines of JSON, each when it is known: {"of", "fraction", "left"}, {"of", "image", ...}, {"of", "problem"}."""
    desk = paint.desk(request)
    question = Asked.read(await asked(request), desk)
    desk.mask = question.mask
    desk.stop()
    lines = _filled(paint, desk, question) if question.way == "fill" else _denoised(paint, desk, question)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_written(lines), media_type="application/x-ndjson", headers=headers)


async def _written(lines: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    async for line in lines:
        yield json.dumps(line) + "\n"


async def _filled(paint: Paint, desk: Desk, question: Asked) -> AsyncIterator[dict[str, Any]]:
    restorer, picture, mask = await paint.restorer(), desk.picture, question.mask
    truth = picture if question.known else None
    desk.made.clear()

    async def fill(name: str, report: Callable[[float], None]) -> Restored:
        if name != "biharmonic":
            return await restorer.inpaint(name, picture, mask, truth, report)
        async with paint.lane:
            return await restorer.inpaint(name, picture, mask, truth, report)

    names = [("model", question.model), *((name, name) for name in CLASSICAL)]
    for of, name in names:
        async for line in _worked(desk, of, partial(fill, name), lambda done: _piece(done.image, picture, mask)):
            yield line
            if line.get("stopped"):  # by a newer question, or by hand: what would come next is not wanted either
                return
    yield {"done": True}


async def _denoised(paint: Paint, desk: Desk, question: Asked) -> AsyncIterator[dict[str, Any]]:
    """Noise into the painted region, everywhere where none is painted; the model's picture counts there alone."""
    from playground.metrics import psnr_between, ssim_between

    restorer, picture = await paint.restorer(), desk.picture
    where = question.mask if question.mask.any() else np.ones_like(question.mask)
    spoilt = question.kind != "none" and question.level > 0
    noisy = await asyncio.to_thread(_noisy, picture, where, question) if spoilt else picture
    before = await asyncio.to_thread(psnr_between, noisy, picture, where) if spoilt else None
    desk.made.clear()
    desk.made["noisy"] = piece = _piece(noisy, picture, where)
    yield await asyncio.to_thread(_told, "noisy", piece, {"psnr": before})

    async def clean(report: Callable[[float], None]) -> Restored:
        way = restorer.denoise if question.use == "denoise" else restorer.reconstruct
        done = await way(question.model, noisy, None, report)
        cleaned = replace(done, image=np.where(where, done.image, picture))
        if not spoilt:
            return cleaned
        psnr = await asyncio.to_thread(psnr_between, cleaned.image, picture, where)
        return replace(cleaned, psnr=psnr, ssim=await asyncio.to_thread(ssim_between, cleaned.image, picture, where))

    async for line in _worked(desk, "model", clean, lambda done: _piece(done.image, picture, where)):
        yield line
    yield {"done": True}


def _noisy(picture: np.ndarray, where: np.ndarray, question: Asked) -> np.ndarray:
    """The picture with noise of that kind and level, drawn from the seed, where it is wanted."""
    import torch

    from playground.corruption import CORRUPTIONS
    from playground.images import to_bytes

    rng = torch.Generator().manual_seed(question.seed)
    x = torch.from_numpy(picture).float().div_(255)[None]
    return np.where(where, to_bytes(CORRUPTIONS[question.kind](x, question.level, rng)[0].numpy()), picture)


async def _worked(desk: Desk, of: str, work: Work, cut: Callable[[Restored], Piece]) -> AsyncIterator[dict[str, Any]]:
    """How far one piece of work is, now and then, and its result; it ends with the question or when it is stopped."""
    began, fraction = time.monotonic(), 0.0

    def report(done: float) -> None:
        nonlocal fraction
        fraction = max(fraction, min(done, 1.0))

    task = desk.begin(asyncio.ensure_future(work(report)))
    try:
        while not (await asyncio.wait({task}, timeout=TICK))[0]:
            spent = time.monotonic() - began
            left = spent * (1 - fraction) / fraction if fraction > EARLY else None
            yield {"of": of, "fraction": fraction, "left": left}
        if task.cancelled():
            yield {"of": of, "stopped": True}
            return
        done = task.result()
        desk.made[of] = piece = cut(done)
        facts = {"psnr": done.psnr, "ssim": done.ssim, "seconds": done.seconds, "note": done.note}
        yield await asyncio.to_thread(_told, of, piece, facts)
    except Trouble as trouble:
        yield {"of": of, "problem": str(trouble)}
    except Exception:
        logging.getLogger(__name__).exception("the Paint page failed at %s", of)
        yield {"of": of, "problem": "This failed by an error of the playground's own."}
    finally:
        task.cancel()


def _piece(image: np.ndarray, picture: np.ndarray, mask: np.ndarray) -> Piece:
    """The part of a result around what the mask covers; an empty part where it covers nothing."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return Piece(image[:, :0, :0], 0, 0, picture)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return Piece(image[:, top:bottom, left:right].copy(), int(left), int(top), picture)


def _told(of: str, piece: Piece, facts: dict[str, Any]) -> dict[str, Any]:
    c, h, w = piece.image.shape
    image = url_of(piece.image) if h and w else ""
    return {"of": of, "image": image, "left": piece.left, "top": piece.top, "width": w, "height": h, **facts}
