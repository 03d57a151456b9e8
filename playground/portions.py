"""Portions: a long question asked of the device bit by bit, each as long as training beside it can wait."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from playground.patchwork import Report, even, nothing

QUESTION = 0.012  # seconds of the device aimed at per question; none is longer than 0.03 where one image is not
LARGEST = 2048  # of one portion


async def portions(ask: Callable[[Callable[[], Any]], Awaitable[Any]], count: int, question: Callable[[int, int], Any],
                   size: int = 32, report: Report = nothing) -> list[Any]:
    """question(start, stop) over 0 to count, each by `ask`, which runs it on the device thread; the answers in order.

    size: of the first portion, where one is slow, a small one. report: hears the share that is done.
    """
    answers: list[Any] = []
    start = 0
    while start < count:
        stop = min(start + size, count)
        seconds, answer = await ask(partial(_timed, question, start, stop))
        answers.append(answer)
        start = stop
        size = even(min(2 * size, LARGEST, size * QUESTION / max(seconds, 1e-4)))
        report(start / count)
    return answers


def _timed(question: Callable[[int, int], Any], start: int, stop: int) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = question(start, stop)
    return time.perf_counter() - began, answer
