"""Progress: how far a run is, told to a terminal as a moving bar and to anything else as a line now and then."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TextIO

from playground.events import Stepped

LINE_EVERY = 5.0  # seconds between two lines where no bar can be drawn
BAR = 24  # characters


@dataclass
class Progress:
    """Tells on `out` how far the run is."""

    out: TextIO
    width: int = field(default=0, init=False)
    told: float = field(default=float("-inf"), init=False)

    def waiting(self, reason: str, fraction: float | None = None) -> None:
        """Hear of the data being made or fetched; fraction in [0, 1] or None."""
        self._tell(reason if fraction is None else f"{_bar(fraction)} {reason}")

    def stepped(self, event: Stepped, seconds: float) -> None:
        """Hear of the run after some steps, `seconds` since it started."""
        fraction = event.step / event.steps
        left = f", {seconds / fraction - seconds:.0f} s left" if 0 < fraction < 1 and seconds > 1 else ""
        terms = ", ".join(f"{name} {value:.4g}" for name, value in event.terms.items())
        self._tell(f"{_bar(fraction)} step {event.step:,} of {event.steps:,}, {terms}, "
                   f"held out {event.held_out:.4g}{left}", last=event.step == event.steps)

    def note(self, text: str) -> None:
        """A line that stays."""
        self.end()
        print(text, file=self.out, flush=True)

    def end(self) -> None:
        """Leave the bar as it stands and go on below it."""
        if self.width:
            print(file=self.out, flush=True)
        self.width, self.told = 0, float("-inf")

    def _tell(self, text: str, last: bool = False) -> None:
        if self.out.isatty():
            self.out.write(f"\r{text:{self.width}}")
            self.out.flush()
            self.width = len(text)
        elif last or time.monotonic() - self.told > LINE_EVERY:
            print(text, file=self.out, flush=True)
            self.told = time.monotonic()


def _bar(fraction: float) -> str:
    full = int(fraction * BAR)
    return f"[{'=' * full}{' ' * (BAR - full)}] {fraction:4.0%}"
