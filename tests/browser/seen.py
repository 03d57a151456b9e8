"""What all browser tests look with: a button by its name, what an element tells of itself, and waiting."""

from __future__ import annotations

import time


def button(page, name: str):
    return page.get_by_role("button", name=name, exact=True)


def told(element, name: str) -> str:
    """What the element says in its attribute data-name; nothing where it says nothing."""
    return element.get_attribute(f"data-{name}") or ""


def until(page, true, seconds: float = 60.0) -> None:
    """Wait until true() is true; a failure says what the page itself says it is doing."""
    end = time.monotonic() + seconds
    while not true():
        statuses = page.get_by_role("status")
        assert time.monotonic() < end, f"it did not come about in time: {statuses.all_inner_texts()}"
        page.wait_for_timeout(30)
