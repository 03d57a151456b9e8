"""Memory: handing back to the system what this process no longer needs."""

from __future__ import annotations

import ctypes
import sys
from functools import cache


@cache
def _trim():
    """glibc's malloc_trim, where this process has it; None on other systems."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # musl has none
        return None


def hand_back() -> bool:
    """Hand freed memory back; whether any was.

    glibc keeps what was freed between pieces in use: the weights of runs that ended among those of runs that learn.
    With some threads that come and go, as a server has, that grows to hundreds of MB in an hour.
    """
    trim = _trim()
    return bool(trim is not None and trim(0))
