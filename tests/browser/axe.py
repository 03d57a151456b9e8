"""axe-core over an open page: what it finds of serious or critical impact, but for what is Gradio's own."""

from __future__ import annotations

import pytest

from tests.browser.seen import until

KNOWN = {  # (rule, part of the element's HTML): why it is not ours to mend
    ("aria-prohibited-attr", 'aria-label="Empty value"'): "Gradio labels the empty place of a picture or of scores, "
                                                          "a div without a role; nothing is lost by it",
}
SEVERE = ("serious", "critical")
QUICK = {"resultTypes": ["violations"], "selectors": False, "preload": False}  # what is found is told by its HTML
BUSY = ("[data-status=opening], [data-status=loading], [data-testid=stSkeleton], [data-stale=true], .pending, "
        ".generating")


def severe(page, **options) -> list[str]:
    """Every element at fault with its rule and what is wrong, shadow trees included. options: axe.run's own.

    What is at fault for less than a second only fades, as answers do while they are made anew.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the browser tests need axe-core").Axe()
    for rest in (1000, 0):
        calm(page)
        found = [
            f"{one['id']}: {node['html']} {node['failureSummary']}"
            for one in axe.run(page, options={**QUICK, **options}).response["violations"]
            if one["impact"] in SEVERE for node in one["nodes"]
            if not any(rule == one["id"] and part in node["html"] for rule, part in KNOWN)
        ]
        if not found:
            break
        page.wait_for_timeout(rest)
    return found


def severe_in_both_themes(page) -> list[str]:
    """All rules in the light theme, and in the dark one those that colours decide."""
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(100)
    light = severe(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    return light + [f"dark, {one}" for one in severe(page, runOnly=["color-contrast"])]


def calm(page) -> None:
    """Wait until nothing is being loaded and nothing fades."""
    until(page, lambda: page.locator(BUSY).locator("visible=true").count() == 0)
    until(page, lambda: page.evaluate(
        "document.getAnimations().every(one => one.playState !== 'running' || one.effect.getTiming().iterations > 1)"))
    page.wait_for_timeout(100)
