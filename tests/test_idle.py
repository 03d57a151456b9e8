"""Waiting for an idle moment: calm is noticed, work puts it off, and it does not wait for ever."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from playground import idle as module
from playground.idle import idle
from tests.browser.conftest import ROOT


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


def test_it_waits_no_longer_than_it_may():
    async def main() -> tuple[bool, float]:
        work, began = asyncio.ensure_future(toil(60)), time.monotonic()
        found = await idle(0.2, 0.5)
        work.cancel()
        return found, time.monotonic() - began

    found, seconds = asyncio.run(main())
    assert not found and seconds >= 0.5


@pytest.mark.slow
def test_the_studio_is_made_once_the_server_is_idle_and_never_where_that_is_not_wanted():
    """In a process of its own, as the server would: nothing of Gradio before, the whole Studio after."""
    code = """
import asyncio, os, sys
from playground.studio.mount import Studio
from playground.workbench import Workbench
async def main():
    bench = Workbench(device='cpu')
    studio = Studio(lambda: bench)
    assert 'gradio' not in sys.modules
    os.environ['PLAYGROUND_WARM'] = '0'
    await studio.warm_later(0.1, 1.0)
    assert studio._task is None and 'gradio' not in sys.modules
    os.environ['PLAYGROUND_WARM'] = '1'
    await studio.warm_later(0.6, 10.0)
    await studio._until_ready()
    assert studio._app is not None
    await studio.close()
    bench.close()
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
