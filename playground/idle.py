"""Idle: waiting for a moment in which this process has nothing to do, for work that nobody waits for yet."""

from __future__ import annotations

import asyncio
import time

LOOK = 0.5  # seconds between two looks
CALM = 0.15  # of one core: less than that is being idle
LATE = 2.0  # times LOOK: who is woken so late shares the machine with others' work, and may have work of its own


async def idle(quiet: float, most: float) -> bool:
    """Return once the process was idle for `quiet` seconds on end, or after `most` seconds, False then.

    What counts is the processor time of all its threads: pages that are opened, imports and training are all work.
    """
    end, since = time.monotonic() + most, time.monotonic()
    while (now := time.monotonic()) < end:
        used = time.process_time()
        await asyncio.sleep(LOOK)
        spent = time.monotonic() - now
        if time.process_time() - used > CALM * spent or spent > LATE * LOOK:
            since = time.monotonic()
        elif time.monotonic() - since >= quiet:
            return True
    return False
