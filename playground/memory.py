"""Memory: handing back to the system what this process no longer needs."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

ARENA_MAX, ARENAS = -8, 2  # glibc's number of the setting; arenas of all threads


@cache
def _libc(name: str) -> Any:
    """A function of glibc's, where this process has it; None on other systems."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):  # musl has none
        return None


def gather() -> bool:
    """Have all threads allocate from a few arenas; whether they will. Called before there are any threads.

    Left alone, glibc gives each of a server's threads an arena of its own, eight for each core, and what one thread
    freed no other can use.
    """
    setting = _libc("mallopt")
    return bool(setting is not None and setting(ARENA_MAX, ARENAS))


def hand_back() -> bool:
    """Hand freed memory back; whether any was.

    glibc keeps what was freed between pieces in use: the weights of runs that ended among those of runs that learn.
    With some threads that come and go, as a server has, that grows to hundreds of MB in an hour.
    """
    trim = _libc("malloc_trim")
    return bool(trim is not None and trim(0))
