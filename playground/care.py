"""Care for runs that nobody looks at: they pause, are closed to disk, and in the end deleted."""

from __future__ import annotations

import time
from collections.abc import Callable

from playground.caps import Caps
from playground.events import Snapshot, Stepped
from playground.experiment import parameters
from playground.workbench import Workbench

RESTS = ("paused", "stopped", "failed", "done")
COPIES = {  # of the weights, by status: with Adam's two moments; while they learn the last good ones and gradients too
    "opening": 3, "ready": 3, "paused": 3, "running": 7,
}  # fmt: skip
OFTEN = 10.0  # seconds between two looks at what nobody watches
SELDOM = 600.0  # seconds between two looks at what is old


class Care:
    """Looks after the runs of a workbench. shared: whether they are those of others, which pause and are not kept.

    now: seconds of a clock that only goes on; today: of the files' clock.
    """

    def __init__(self, bench: Workbench, limits: Caps, shared: bool = True,
                 now: Callable[[], float] = time.monotonic, today: Callable[[], float] = time.time):
        self.bench, self.limits, self.shared = bench, limits, shared
        self._now, self._today = now, today
        self._seen: dict[str, float] = {}  # when somebody was last seen to look at a run that learns
        self._busy: dict[str, float] = {}  # when each open run was last seen to learn or to be looked at
        self._swept = now() - SELDOM

    @property
    def often(self) -> float:
        """Seconds until it is time for the next look."""
        return min(OFTEN, self.limits.grace / 4, self.limits.rest / 4)

    def look(self) -> None:
        """Pause, close and delete what it is time for."""
        if self.shared:
            self._pause()
        self._close()
        if self.shared and self._now() - self._swept >= min(SELDOM, self.limits.keep / 4):
            self._swept = self._now()
            self._delete()

    def _pause(self) -> None:
        now = self._now()
        learning = [one.job for one in self.bench.open_runs() if one.status in ("opening", "running")]
        self._seen = {job: now if self.bench.attended(job) else self._seen.get(job, now) for job in learning}
        for job in [job for job, seen in self._seen.items() if now - seen >= self.limits.grace]:
            self.bench.pause(job)
            del self._seen[job]  # whoever resumes it has a grace time of their own

    def _close(self) -> None:
        """Close runs that rest, the longest resting first: those that nobody came back to, as far as they are others',
        and those that do not fit in the memory meant for all."""
        now, runs = self._now(), {one.job: one for one in self.bench.open_runs()}
        rests = {job for job, one in runs.items() if one.status in RESTS and not self.bench.attended(job)}
        self._busy = {job: self._busy.get(job, now) if job in rests else now for job in runs}
        held = {job: weight(one) for job, one in runs.items()}
        for job in sorted(rests, key=lambda job: self._busy[job]):
            left = self.shared and now - self._busy[job] >= self.limits.rest
            if not left and sum(held.values()) <= self.limits.memory:
                return
            if runs[job].steps_taken:
                self.bench.put_away(job)
                self._busy[job] = now  # one that cannot be saved, as on a full disk, is not tried again at every look
                del held[job]

    def _delete(self) -> None:
        """Delete guests' runs that are old, rest, and that nobody looks at; the machine's own are kept."""
        for entry in self.bench.library.saved():
            old = self._today() - entry.modified > self.limits.keep
            if not entry.guest or not old or self.bench.attended(entry.name):
                continue
            open_run = next((one for one in self.bench.open_runs() if one.job == entry.name), None)
            if open_run is None or open_run.status not in ("opening", "running"):
                self.bench.delete(entry.name)


def learning(bench: Workbench, owner: str, besides: str = "") -> int:
    """How many runs of one owner's are learning."""
    return sum(one.owner == owner and one.status == "running" and one.job != besides for one in bench.open_runs())


def weight(run: Snapshot) -> int:
    """Bytes that an open run holds, about: its weights while it can go on, and the pictures that pages are shown."""
    held = COPIES.get(run.status, 0) * 4 * parameters(run.title)
    if isinstance(event := run.event, Stepped):
        still, view = event.still, event.view
        held += still.shown.nbytes + still.thumbnails.nbytes + sum(frame.places.nbytes for frame in event.film)
        held += view.output.nbytes + view.codes.nbytes if view is not None else 0
    return held
