"""Foreground: a run played to its end on the calling thread, told of and saved as it goes."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playground import checkpoint
from playground.events import Allowance, Trouble
from playground.progress import Progress
from playground.trainer import Session, train

SLICE = 0.2  # seconds between two looks at the progress
SAVE_EVERY = 10.0  # seconds


def play(session: Session, progress: Progress, path: Path | None = None, interrupted: Sequence[int] = ()) -> float:
    """Train to the end, or until `interrupted` holds something, saving to `path`, if any, on the way and after.

    Returns the seconds that the steps took. Raises Trouble as the trainer does, the last good weights saved.
    """
    events, allowance = train(session), None
    started = saved = time.perf_counter()
    seconds, status = 0.0, "stopped"  # a file that says "running" would be taken up by the next server
    trained = False  # all steps taken; what follows is measuring
    try:
        while not interrupted:
            event = events.send(allowance)
            now = time.perf_counter()
            if not trained:
                seconds, trained = now - started, event.step == event.steps
                progress.stepped(event, seconds)
            allowance = Allowance(seconds=SLICE, steps=float("inf"))
            if path and now - saved > SAVE_EVERY:
                checkpoint.save(path, session.saved(status))
                saved = now
        events.close()
        list(session.measure())
    except StopIteration:
        status = "done"
    except Trouble:
        status = "failed"
        raise
    finally:
        progress.end()
        if path:
            checkpoint.save(path, session.saved(status))
    return seconds


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """A list that Ctrl-C puts something into, once; a second Ctrl-C interrupts as ever."""
    interrupted: list[int] = []

    def hear(number: int, frame: object) -> None:
        interrupted.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
