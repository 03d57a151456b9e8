"""Kept: results made once, however many ask at the same time, and dropped when they were not asked for longest."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Hashable
from typing import Any


class Kept:
    """Up to `most` results by key, of `most_bytes` together by `weigh`. Only the event loop touches it: no lock."""

    def __init__(self, most: int, most_bytes: float = math.inf, weigh: Callable[[Any], int] = lambda result: 0):
        self._most, self._most_bytes, self._weigh = most, most_bytes, weigh
        self._tasks: dict[Hashable, asyncio.Future] = {}
        self._bytes: dict[Hashable, int] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Any]]) -> Any:
        """The result for `key`; the first to ask has it made, also when they leave. What fails is forgotten."""
        task = self._tasks.pop(key, None)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(make())
            task.add_done_callback(lambda done: self._made(key, done))
        self._tasks[key] = task
        self._trim()
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
        if self.peek(key) is value and value is not None:
            self._tasks[key] = self._tasks.pop(key)  # asked for last
            return
        made = asyncio.get_running_loop().create_future()
        made.set_result(value)
        self._tasks.pop(key, None)
        self._tasks[key] = made
        self._made(key, made)

    def _made(self, key: Hashable, task: asyncio.Future) -> None:
        if self._tasks.get(key) is not task:
            return  # dropped meanwhile
        if task.cancelled() or task.exception() is not None:
            self._drop(key)
            return
        self._bytes[key] = self._weigh(task.result())
        self._trim()

    def _trim(self) -> None:
        while len(self._tasks) > self._most or (len(self._tasks) > 1 and sum(self._bytes.values()) > self._most_bytes):
            self._drop(next(iter(self._tasks)))

    def _drop(self, key: Hashable) -> None:
        self._tasks.pop(key, None)
        self._bytes.pop(key, None)
