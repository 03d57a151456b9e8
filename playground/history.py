"""History: the curve of a run as a bounded list of rows, taken at steps that only the experiment decides."""

from __future__ import annotations

from playground.events import Row

MOST_ROWS = 1000


class History:
    """Rows at steps 1, 2, 4, 8, ... and then every `interval` steps; above 1,000 rows every other one is dropped.

    The steps do not depend on the clock or on who watches, so two equal runs have equal histories.
    """

    def __init__(self, interval: int, rows: tuple[Row, ...] = (), stride: int = 1):
        self.interval, self.rows, self.stride = interval, rows, stride

    def due(self, step: int) -> bool:
        """Whether a row belongs at this step."""
        every = self.interval * self.stride
        return step % every == 0 or (step < self.interval and step & (step - 1) == 0)

    def add(self, row: Row) -> None:
        """Append a row; thin when there are too many, keeping the first and the newest."""
        self.rows = (*self.rows, row)
        if len(self.rows) > MOST_ROWS:
            self.stride *= 2
            every = self.interval * self.stride
            self.rows = tuple(r for r in self.rows if r.step < self.interval or r.step % every == 0 or r is row)
