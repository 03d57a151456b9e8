"""Waiting for an idle moment: calm is noticed, work puts it off, and it does not wait for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from playground import idle as module
from playground.idle import idle
from playground.studio import mount


class Clock:
    """Stands in for the module's time and asyncio: time goes by in its sleep alone, and the process works as told."""

    def __init__(self, work: Callable[[float], float], late: float = 1.0):
        """work(now): the share of a core in use at that second; late: how many times too long each sleep takes."""
        self.now = self.used = 0.0
        self.work, self.late = work, late

    def monotonic(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.used

    async def sleep(self, seconds: float) -> None:
        self.used += self.work(self.now) * seconds * self.late
        self.now += seconds * self.late


@pytest.fixture
def wait(monkeypatch):
    """wait(work, quiet, most, late) gives what idle() finds, and after how many seconds."""

    def waiting(work: Callable[[float], float], quiet: float, most: float, late: float = 1.0) -> tuple[bool, float]:
        clock = Clock(work, late)
        monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(module, "asyncio", clock)
        return asyncio.run(idle(quiet, most)), clock.now

    return waiting


def test_calm_is_noticed_after_the_work_is_done(wait):
    found, seconds = wait(lambda now: 0.9 if now < 10 else 0.01, 3, 60)
    assert found and 13 <= seconds <= 13 + 2 * module.LOOK


def test_a_moment_of_calm_between_work_is_not_being_idle(wait):
    found, seconds = wait(lambda now: 1.0 if now < 20 and int(now) % 2 else 0.0, 3, 60)
    assert found and seconds >= 23 - 2 * module.LOOK


def test_work_on_several_threads_and_little_work_are_told_apart(wait):
    assert wait(lambda now: 1.9, 3, 30) == (False, 30)
    assert wait(lambda now: 0.1, 3, 30) == (True, 3)


def test_it_waits_no_longer_than_it_may(wait):
    found, seconds = wait(lambda now: 1.0, 3, 40)
    assert not found and seconds == 40


def test_who_is_woken_late_is_not_idle_however_little_it_did_itself(wait):
    found, _ = wait(lambda now: 0.01, 3, 40, late=3)
    assert not found


@pytest.mark.slow
def test_calm_is_found_by_the_processors_own_clock(monkeypatch):
    monkeypatch.setattr(module, "LOOK", 0.1)
    assert asyncio.run(idle(0.2, 60))


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
