"""Kept: results made once, however many ask at the same time, and dropped when they were not asked for longest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any


class Kept:
    """Up to `most` results by key. Only the event loop touches it, so it needs no lock."""

    def __init__(self, most: int):
        self._most = most
        self._tasks: dict[Hashable, asyncio.Future] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Any]]) -> Any:
        """The result for `key`; the first to ask has it made, also when they leave. What fails is forgotten."""
        task = self._tasks.pop(key, None)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(make())
        self._tasks[key] = task
        while len(self._tasks) > self._most:
            self._tasks.pop(next(iter(self._tasks)))
        return await asyncio.shield(task)

    def peek(self, key: Hashable) -> Any:
        """The result for `key` if it is there, else None."""
        task = self._tasks.get(key)
        return (
            task.result()
            if task is not None and task.done() and not task.cancelled() and not task.exception()
            else None
        )

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a result that was made elsewhere."""
        made = asyncio.get_running_loop().create_future()
        made.set_result(value)
        self._tasks.pop(key, None)
        self._tasks[key] = made
        while len(self._tasks) > self._most:
            self._tasks.pop(next(iter(self._tasks)))
