"""History: the curve of a run as a bounded list of rows, taken at steps that only the experiment decides."""

from __future__ import annotations

import time
from collections import deque

from playground.events import Frame, Row

MOST_ROWS = 1000
WINDOW = 1.0  # seconds the speed is averaged over


class History:
    """Rows at steps 1, 2, 4, 8, ... and then every `interval` steps; above `most` rows every other one is dropped.

    The steps do not depend on the clock or on who watches, so two equal runs have equal histories.
    """

    def __init__(self, interval: int, rows: tuple = (), stride: int = 1, most: int = MOST_ROWS):
        self.interval, self.rows, self.stride, self._most = interval, rows, stride, most

    def due(self, step: int) -> bool:
        """Whether a row belongs at this step."""
        every = self.interval * self.stride
        return step % every == 0 or (step < self.interval and step & (step - 1) == 0)

    def add(self, row: Row | Frame) -> None:
        """Append a row; thin when there are too many, keeping the first and the newest."""
        self.rows = (*self.rows, row)
        if len(self.rows) > self._most:
            self.stride *= 2
            every = self.interval * self.stride
            self.rows = tuple(r for r in self.rows if r.step < self.interval or r.step % every == 0 or r is row)


class Speedometer:
    """Images a second over the last second of work, as the clock on the wall goes: other jobs' turns count."""

    def __init__(self):
        self.rate = 0.0
        self._ticks: deque[tuple[float, int]] = deque()

    def tick(self, images: int) -> None:
        """Hear that so many images have been seen in all. The first tick after a rest only starts the clock."""
        now = time.perf_counter()
        self._ticks.append((now, images))
        while len(self._ticks) > 2 and now - self._ticks[1][0] > WINDOW:
            self._ticks.popleft()
        then, before = self._ticks[0]
        if images > before:
            self.rate = (images - before) / (now - then)

    def rest(self) -> None:
        """Hear that the run rests: the time until the next tick is not work."""
        self._ticks.clear()
