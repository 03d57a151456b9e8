"""axe-core over an open page: what it finds of serious or critical impact, but for what is Gradio's own."""

from __future__ import annotations

import pytest

from tests.browser.seen import until

KNOWN = {  # (rule, part of the element's HTML): why it is not ours to mend
    ("aria-prohibited-attr", 'aria-label="Empty value"'): "Gradio labels the empty place of a picture or of scores, "
                                                          "a div without a role; nothing is lost by it",
}
SEVERE = ("serious", "critical")
BUSY = ("[data-status=opening], [data-status=loading], [data-testid=stSkeleton], [data-stale=true], .pending, "
        ".generating")


def severe(page, **options) -> list[str]:
    """Every element at fault with its rule and what is wrong, shadow trees included. options: axe.run's own."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the browser tests need axe-core").Axe()
    found = axe.run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in found for node in one["nodes"]
            if one["impact"] in SEVERE
            and not any(rule == one["id"] and part in node["html"] for rule, part in KNOWN)]


def severe_in_both_themes(page) -> list[str]:
    """All rules in the light theme, and in the dark one those that colours decide."""
    page.emulate_media(color_scheme="light")
    calm(page)
    light = severe(page)
    page.emulate_media(color_scheme="dark")
    calm(page)
    return light + [f"dark, {one}" for one in severe(page, runOnly=["color-contrast"])]


def calm(page) -> None:
    """Wait until nothing is being loaded and nothing fades."""
    until(page, lambda: page.locator(BUSY).locator("visible=true").count() == 0)
    until(page, lambda: page.evaluate(
        "document.getAnimations().every(one => one.playState !== 'running' || one.effect.getTiming().iterations > 1)"))
    page.wait_for_timeout(100)
