"""The queue of maps to be fitted: long enough for a class, and nothing is fitted for those who have left."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from playground.events import Trouble
from playground.explorer import FORGOTTEN, MOST_WAITING, Explorer, Fit
from playground.probes import fitting
from playground.probes.maps import MapKnobs

CODES = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
UMAP = MapKnobs(kind="umap")


def space(name: str):
    return SimpleNamespace(key=(name,), codes=SimpleNamespace(codes=CODES))


@pytest.fixture
def fitted(monkeypatch):
    """How often a map was fitted."""
    found = []
    monkeypatch.setattr(fitting, "fit", lambda codes, knobs, progress: found.append(1) or SimpleNamespace(places=CODES))
    return found


class Bench:
    def aside(self, do):
        from concurrent.futures import Future

        future: Future = Future()
        future.set_result(do())
        return future


def test_a_map_that_nobody_waits_for_any_more_is_not_begun(fitted):
    async def told():
        explorer = Explorer(Bench())
        async with explorer._lane:  # another map is being fitted
            waits, left = [await explorer.map(space(name), UMAP) for name in ("waits", "left")]
            assert isinstance(waits, Fit) and isinstance(left, Fit)
            waits.asked -= FORGOTTEN + 1
            left.asked -= FORGOTTEN + 1
            assert await explorer.map(space("waits"), UMAP) is waits  # asked again, as a page does
        await asyncio.gather(waits.task, left.task)
        assert len(fitted) == 1
        assert not isinstance(await explorer.map(space("waits"), UMAP), Fit)
        again = await explorer.map(space("left"), UMAP)  # whoever comes back has it fitted
        await again.task
        assert len(fitted) == 2

    asyncio.run(told())


def test_a_class_can_wait_and_a_crowd_is_told(fitted):
    async def told():
        explorer = Explorer(Bench())
        async with explorer._lane:
            fits = [await explorer.map(space(str(i)), UMAP) for i in range(MOST_WAITING)]
            with pytest.raises(Trouble, match="try again"):
                await explorer.map(space("one more"), UMAP)
        await asyncio.gather(*(fit.task for fit in fits))
        assert len(fitted) == MOST_WAITING >= 50

    asyncio.run(told())
