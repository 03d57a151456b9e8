"""The film of a run or a shipped model, from wherever it is: with the run while it learns, in its file afterwards."""

from __future__ import annotations

from playground import checkpoint
from playground.events import Frame, Stepped
from playground.probes.film import restored
from playground.workbench import Workbench


def film_of(bench: Workbench, name: str) -> tuple[tuple[Frame, ...], int]:
    """The frames kept of a run or model, and the step that it is at; nothing and 0 where there is none of that name.

    It may read a file.
    """
    snapshot = bench.snapshot(name)
    if snapshot is not None and isinstance(snapshot.event, Stepped) and snapshot.event.film:
        return snapshot.event.film, snapshot.steps_taken
    if (entry := bench.library.find(name)) is None:
        return (), 0
    return restored(checkpoint.load(entry.path).tensors, 1).frames, entry.step
