"""Whole actions: what a click began is done to its end, whatever the browser asks for meanwhile.

Streamlit 1.67 breaks a script off, to begin it anew, wherever it touches the session's state after the browser has
sent something more; callbacks too. A click whose callback is broken off is lost, and a change in several steps stays
half done. (With `runner.fastReruns` it would begin the new one beside the old one, so that is off.)
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import SafeSessionState


@contextmanager
def whole() -> Iterator[None]:
    """What is done in it, or in a function decorated with it, is not broken off by touching the session's state."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:  # outside of any script
        yield
        return
    with _unbroken(context.session_state):
        yield


@contextmanager
def _unbroken(state: SafeSessionState) -> Iterator[None]:
    yielding = state._yield_callback
    object.__setattr__(state, "_yield_callback", lambda: None)  # its own __setattr__ would write a session key
    try:
        yield
    finally:
        object.__setattr__(state, "_yield_callback", yielding)


def keep_clicks() -> None:
    """Let all callbacks of this process be whole. What was asked for meanwhile is done right after them."""
    prepare = SafeSessionState.on_script_will_rerun  # takes over what widgets say and calls their callbacks
    if hasattr(prepare, "__wrapped__"):
        return

    @functools.wraps(prepare)
    def prepare_whole(self: SafeSessionState, *values, **named) -> None:
        with _unbroken(self):
            prepare(self, *values, **named)

    SafeSessionState.on_script_will_rerun = prepare_whole  # type: ignore[method-assign]
