"""Care: what a shared server does with runs that nobody looks at: they pause, and in the end they are deleted."""

from __future__ import annotations

import time
from collections.abc import Callable

from playground.caps import Caps
from playground.workbench import Workbench

OFTEN = 10.0  # seconds between two looks at what nobody watches
SELDOM = 600.0  # seconds between two looks at what is old


class Care:
    """Looks after the runs of a workbench. now: seconds of a clock that only goes on; today: of the files' clock."""

    def __init__(self, bench: Workbench, limits: Caps, now: Callable[[], float] = time.monotonic,
                 today: Callable[[], float] = time.time):
        self.bench, self.limits = bench, limits
        self._now, self._today = now, today
        self._seen: dict[str, float] = {}  # when somebody was last seen to look at a run that learns
        self._swept = now() - SELDOM

    @property
    def often(self) -> float:
        """Seconds until it is time for the next look."""
        return min(OFTEN, self.limits.grace / 4)

    def look(self) -> None:
        """Pause and delete what it is time for."""
        self._pause()
        if self._now() - self._swept >= min(SELDOM, self.limits.keep / 4):
            self._swept = self._now()
            self._delete()

    def _pause(self) -> None:
        now = self._now()
        learning = [one.job for one in self.bench.open_runs() if one.status in ("opening", "running")]
        self._seen = {job: now if self.bench.attended(job) else self._seen.get(job, now) for job in learning}
        for job in [job for job, seen in self._seen.items() if now - seen >= self.limits.grace]:
            self.bench.pause(job)
            del self._seen[job]  # whoever resumes it has a grace time of their own

    def _delete(self) -> None:
        """Delete guests' runs that are old, rest, and that nobody looks at; the machine's own are kept."""
        for entry in self.bench.library.saved():
            old = self._today() - entry.modified > self.limits.keep
            if not entry.guest or not old or self.bench.attended(entry.name):
                continue
            open_run = next((one for one in self.bench.open_runs() if one.job == entry.name), None)
            if open_run is None or open_run.status not in ("opening", "running"):
                self.bench.delete(entry.name)
