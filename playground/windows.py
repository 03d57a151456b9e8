"""Windows: a network that takes any size, over a picture too large for one go, exactly as if it had been one go.

Each window is cut with a rim as wide as the network's reach, which is thrown away afterwards.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

SIDE = 192  # pixels of a window without its rim: the device is held for a tenth of a second at most

Report = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Windows:
    """One network at work.

    ask: runs a function on the device thread and awaits what it returns. make: images (n, c, h, w) in [0, 1] to
    (n, c', scale·h, scale·w). reach: pixels around a place that its output depends on. grain: windows begin at
    multiples of it, as networks need that halve the picture.
    """

    ask: Callable[[Callable[[], Any]], Awaitable[Any]]
    device: torch.device
    make: Callable[[Tensor], Tensor]
    reach: int
    scale: int = 1
    grain: int = 1

    async def over(self, batch: np.ndarray, report: Report) -> np.ndarray:
        """What `make` makes of pictures (m, c, h, w), float32; report(fraction) is called after each window."""
        m, _, h, w = batch.shape
        spans = [(picture, rows, columns) for picture in range(m)
                 for rows in self._spans(h) for columns in self._spans(w)]
        whole: np.ndarray | None = None
        for done, (picture, rows, columns) in enumerate(spans, 1):
            out = await self.ask(partial(self._one, batch[picture], rows, columns))
            if whole is None:
                whole = np.empty((m, len(out), h * self.scale, w * self.scale), np.float32)
            whole[picture, :, self._scaled(rows[1]), self._scaled(columns[1])] = out
            report(done / len(spans))
        assert whole is not None
        return whole

    def _spans(self, length: int) -> list[tuple[slice, slice]]:
        """(with its rim, without) for each window along `length` pixels."""
        side = max(self.grain, SIDE // self.grain * self.grain)
        rim = -(-self.reach // self.grain) * self.grain
        return [
            (slice(max(0, start - rim), min(length, start + side + rim)), slice(start, min(length, start + side)))
            for start in range(0, length, side)
        ]

    @torch.no_grad()
    def _one(self, picture: np.ndarray, rows: tuple[slice, slice], columns: tuple[slice, slice]) -> np.ndarray:
        x = torch.from_numpy(np.ascontiguousarray(picture[None, :, rows[0], columns[0]])).to(self.device)
        out = self.make(x)[0]
        (top, bottom), (left, right) = (
            (self.scale * (inner.start - outer.start), self.scale * (inner.stop - outer.start))
            for outer, inner in (rows, columns)
        )
        return out[:, top:bottom, left:right].float().cpu().numpy()

    def _scaled(self, span: slice) -> slice:
        return slice(span.start * self.scale, span.stop * self.scale)
