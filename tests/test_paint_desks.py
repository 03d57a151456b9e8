"""Desks of the Paint page and the work on them: what is cleared, what is ended, what is told meanwhile."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from playground import paint_desks, paint_work
from playground.events import Trouble
from playground.paint_desks import Desk, Desks


def test_a_newer_question_ends_the_older_one_and_stop_ends_it_too():
    async def play():
        desks = Desks()
        name, desk = desks.put(np.zeros((1, 4, 4), np.uint8), {})
        first = desk.begin(asyncio.ensure_future(asyncio.sleep(60)))
        second = desk.begin(asyncio.ensure_future(asyncio.sleep(60)))
        await asyncio.sleep(0)
        assert first.cancelled() and not second.done()
        assert desks.find(name).stop() and not desk.stop()
        await asyncio.sleep(0)
        assert second.cancelled()

    asyncio.run(play())


def test_desks_that_no_longer_fit_are_cleared_those_used_longest_ago_first(monkeypatch):
    desks = Desks(most_bytes=3 * 2 * 100)
    first, second, third = (desks.put(np.zeros((1, 10, 10), np.uint8), {})[0] for _ in range(3))
    desks.find(first)
    fourth, _ = desks.put(np.zeros((1, 10, 10), np.uint8), {})
    with pytest.raises(Trouble):
        desks.find(second)
    assert all(desks.find(name) for name in (first, third, fourth))
    monkeypatch.setattr(paint_desks, "IDLE", -1.0)
    fifth, _ = desks.put(np.zeros((1, 10, 10), np.uint8), {})
    assert desks.find(fifth)
    with pytest.raises(Trouble):
        desks.find(first)


def test_long_work_tells_how_far_it_is_and_nothing_comes_after_a_stop(monkeypatch):
    monkeypatch.setattr(paint_work, "TICK", 0.01)
    asked = []

    class Slow:
        async def inpaint(self, name, image, mask, truth, report):
            asked.append(name)
            for i in range(1, 200):
                report(i / 200)
                await asyncio.sleep(0.005)

    class Room:
        lane = asyncio.Semaphore(1)

        async def restorer(self):
            return Slow()

    async def play():
        desk = Desk(np.zeros((1, 20, 24), np.uint8), {}, np.zeros((20, 24), bool))
        mask = np.eye(20, 24, dtype=bool)
        question = paint_work.Asked("fill", "some", "project", mask, True, "none", 0.0, 0)
        fractions, lefts, last = [], [], {}
        async for last in paint_work._filled(Room(), desk, question):
            if "fraction" in last:
                fractions.append(last["fraction"])
                lefts.append(last["left"])
            if len(fractions) == 20:
                desk.stop()
        assert last == {"of": "model", "stopped": True} and asked == ["some"]
        assert fractions == sorted(fractions) and 0 < fractions[-1] < 1
        assert 0 < lefts[-1] < 5

    asyncio.run(play())
