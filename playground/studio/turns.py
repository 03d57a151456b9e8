"""Turns: who of the visitors may have the Studio work for them now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playground.caps import Caps, caps
from playground.events import Trouble


class Turns:
    """Who may work now: a few requests of everybody at a time, fewer of one visitor; others wait or are refused."""

    def __init__(self, limits: Caps | None = None):
        self.limits = limits or caps()
        self._all = asyncio.Semaphore(self.limits.all_running)
        self._visitors: dict[str, _Visitor] = {}

    @asynccontextmanager
    async def turn(self, visitor: str) -> AsyncIterator[None]:
        """Wait for a turn and keep it; Trouble that names the limit for one too many, or one that takes too long."""
        limits = self.limits
        one = self._visitors.setdefault(visitor, _Visitor(asyncio.Semaphore(limits.running)))
        if one.count >= limits.running + limits.waiting:
            raise Trouble(
                f"One visitor may have {limits.running} requests running and {limits.waiting} waiting here: "
                "ask again when some are done."
            )
        one.count += 1
        try:
            async with one.running, self._all:
                try:
                    async with asyncio.timeout(limits.request):
                        yield
                except TimeoutError:
                    raise Trouble(
                        f"This took longer than the {limits.request:g} s that a request may take here: "
                        "choose a smaller picture or another model."
                    ) from None
        finally:
            one.count -= 1
            if not one.count:
                self._visitors.pop(visitor, None)


@dataclass
class _Visitor:
    running: asyncio.Semaphore
    count: int = field(default=0)
