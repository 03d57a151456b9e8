"""Patchwork: what a model does to a picture of any size, tile by tile, on the device in portions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.masks import scaled, shrunk
from playground.probes.sizes import deeper, resized, without_hidden
from playground.probes.tiles import Quilt

PORTION = 0.012  # seconds of the device aimed at, before others have their turn
TILES = 512  # at once at most
REACH = 0.25  # of a tile's side: what lies deeper in a hole is filled on a smaller picture first

Report = Callable[[float], None]
Steps = Generator[None, None, Tensor]


def nothing(fraction: float) -> None:
    """A report that nobody reads."""


@dataclass(frozen=True, eq=False)
class Patchwork:
    """One model at work.

    ask: runs a function on the device thread and awaits what it returns. size: (height, width) of the model's images.
    make(tiles, known): yields often and returns the tiles anew, (n, c, height, width) in [0, 1]; known is bool
    (n, 1, height, width), or None where nothing is hidden. notes: hears of what was done to the picture, in words.
    """

    ask: Callable[[Callable[[], Any]], Awaitable[Any]]
    device: torch.device
    size: tuple[int, int]
    make: Callable[[Tensor, Any], Steps]
    notes: list[str] = field(default_factory=list)

    async def fill(self, batch: np.ndarray, mask: np.ndarray, report: Report = nothing) -> np.ndarray:
        """Pictures (m, c, h, w) uint8 with hidden pixels filled, float32; known pixels are theirs only after a merge.

        Where pictures are larger than the model's, what lies deep in a hole is first filled on pictures of half the
        size, so that a tile never lies in a hole alone.
        """
        h, w = mask.shape
        deep = None
        if h > self.size[0] or w > self.size[1]:
            deep = await asyncio.to_thread(deeper, mask, max(2.0, REACH * min(self.size)))
        if deep is None or not deep.any():
            return await self.over(batch, mask, report)
        small, its_mask = await asyncio.to_thread(shrunk, batch, mask, 2)
        coarse = await Patchwork(self.ask, self.device, self.size, self.make).fill(
            small, its_mask, lambda done: report(done / 2)
        )
        guess = await asyncio.to_thread(_as_bytes, await asyncio.to_thread(resized, coarse, h, w))
        return await self.over(np.where(deep, guess, batch), mask & ~deep, lambda done: report((1 + done) / 2))

    async def over(self, batch: np.ndarray, mask: np.ndarray | None, report: Report = nothing) -> np.ndarray:
        """All that `make` makes of pictures (m, c, h, w) uint8, those tiles that touch the mask where there is one.

        Returns float32 in [0, 1] of the same shape. report(fraction) is called after each portion.
        """
        h, w = batch.shape[2:]
        tall, wide = max(h, self.size[0]), max(w, self.size[1])
        if (tall, wide) != (h, w):
            if mask is not None:  # first, since resampling mixes each pixel with its neighbours
                batch, mask = await asyncio.to_thread(without_hidden, batch, mask), scaled(mask, tall, wide)
            batch = await asyncio.to_thread(resized, batch, tall, wide)
            self.notes.append(f"enlarged from {w} × {h} to {wide} × {tall} pixels for the model and brought back")
        quilt = await asyncio.to_thread(Quilt, batch, *self.size, mask)
        if len(quilt) > len(batch):
            height, width = self.size
            self.notes.append(f"done in {len(quilt):,} overlapping tiles of {width} × {height} pixels")
        await self._sew(quilt, mask, report)
        whole = await asyncio.to_thread(quilt.whole)
        return whole if (tall, wide) == (h, w) else await asyncio.to_thread(resized, whole, h, w)

    async def _sew(self, quilt: Quilt, mask: np.ndarray | None, report: Report) -> None:
        start, size = 0, 16
        while start < len(quilt):
            stop = min(start + size, len(quilt))
            tiles, known = await asyncio.to_thread(quilt.cut, start, stop, mask)
            longest, out = await self._play(tiles, known)
            await asyncio.to_thread(quilt.put, start, out)
            report(stop / len(quilt))
            start = stop
            size = even(min(2 * size, TILES, size * PORTION / max(longest, 1e-4)))

    async def _play(self, tiles: np.ndarray, known: np.ndarray | None) -> tuple[float, np.ndarray]:
        """All steps for some tiles, as many in a portion as fit; the longest one's seconds, and the tiles anew."""

        def begin() -> Steps:
            x = torch.from_numpy(tiles).to(self.device)
            return self.make(x, None if known is None else torch.from_numpy(known).to(self.device))

        steps, longest = await self.ask(begin), 0.0
        while True:
            seconds, out = await self.ask(partial(_portion, steps))
            longest = max(longest, seconds)
            if out is not None:
                return longest, out


def even(size: float) -> int:
    """The greatest power of two up to `size`, at least 1: convolutions are prepared anew for each size they meet."""
    return 1 << max(0, int(size).bit_length() - 1)


def _portion(steps: Steps) -> tuple[float, np.ndarray | None]:
    """Steps until the portion's time is over; the longest one's seconds, and the result once it is there."""
    end, longest = time.perf_counter() + PORTION, 0.0
    while (now := time.perf_counter()) < end:
        try:
            next(steps)
        except StopIteration as done:
            return max(longest, time.perf_counter() - now), done.value.float().cpu().numpy()
        longest = max(longest, time.perf_counter() - now)
    return longest, None


def _as_bytes(batch: np.ndarray) -> np.ndarray:
    return np.round(np.clip(batch, 0, 1) * 255).astype(np.uint8)
