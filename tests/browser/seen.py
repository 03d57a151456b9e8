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
        assert time.monotonic() < end, "it did not come about in time: " + told_by(page)
        page.wait_for_timeout(30)


def told_by(page) -> str:
    """The run's status and step where the page shows them, and what its notices say."""
    curves = page.locator("[data-testid=live-curves]")
    run = [f"{told(one, 'status')} at step {told(one, 'step')}" for one in curves.all()]
    return "; ".join([*run, *filter(None, page.get_by_role("status").all_inner_texts())])
