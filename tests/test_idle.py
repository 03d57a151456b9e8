"""Waiting for an idle moment: calm is noticed, work puts it off, and it does not wait for ever."""

from __future__ import annotations

import asyncio
import time

import pytest
from starlette.applications import Starlette

from playground import idle as module
from playground.idle import idle
from playground.studio import mount


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "LOOK", 0.1)


async def toil(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(5_000))
        await asyncio.sleep(0)


@pytest.mark.slow
def test_calm_is_noticed_after_the_work_is_done():
    async def main() -> tuple[bool, bool]:
        work = asyncio.ensure_future(toil(0.5))
        found = await idle(0.5, 60)
        return found, work.done()

    assert asyncio.run(main()) == (True, True)


@pytest.mark.slow
def test_it_waits_no_longer_than_it_may():
    async def main() -> tuple[bool, float]:
        work, began = asyncio.ensure_future(toil(60)), time.monotonic()
        found = await idle(0.2, 0.5)
        work.cancel()
        return found, time.monotonic() - began

    found, seconds = asyncio.run(main())
    assert not found and seconds >= 0.5


def test_the_studio_is_made_once_the_server_is_idle_and_never_where_that_is_not_wanted(monkeypatch):
    """With an app in place of Gradio's, which tests/test_studio.py has served."""
    happened = []

    async def calm(quiet: float, most: float) -> bool:
        happened.append("calm")
        return True

    async def main() -> None:
        studio = mount.Studio(lambda: None)
        monkeypatch.setenv("PLAYGROUND_WARM", "0")
        await studio.warm_later()
        assert studio._task is None and not happened
        monkeypatch.setenv("PLAYGROUND_WARM", "1")
        await studio.warm_later()
        await studio._until_ready()
        assert studio._app is not None
        await studio.warm_later()
        await studio.close()

    monkeypatch.setattr(mount, "idle", calm)
    monkeypatch.setattr(mount, "_build", lambda bench: happened.append("made") or Starlette())
    asyncio.run(main())
    assert happened == ["calm", "made", "calm"]
