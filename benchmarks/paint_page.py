"""The Paint page's speed: from the pointer's rise to the picture drawn, in a real Chromium."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.interface import BROWSERS, opened, percentile, server
from benchmarks.report import publish
from playground.device import choose_device, describe

RUN = "data=glyphs&data.size={side}&data.count=400&architecture.width=256"
AIM = "below 200 ms"
TIMES = "() => (window.__paintMs ??= []).length"


def trained(page: Page, steps: int) -> None:
    """Have the run on the page take some steps, so that it can be used."""
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(f"() => Number(curves().dataset.step) >= {steps}", timeout=60_000)
    page.get_by_role("button", name="Stop", exact=True).click()


def settled(page: Page) -> None:
    page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached", timeout=60_000)
    page.wait_for_timeout(1500)  # the slow classical fill too


def strokes(page: Page, times: int) -> list[float]:
    """Milliseconds from each pointer-up to the frame that draws the result, each stroke a little further down."""
    box = page.get_by_test_id("mask-canvas").bounding_box()
    assert box is not None
    page.evaluate("() => { window.__paintMs = []; }")
    for i in range(times + 1):
        page.get_by_role("button", name="Clear", exact=True).click()
        page.wait_for_timeout(700)
        before = page.evaluate(TIMES)
        y = box["y"] + box["height"] * (0.3 + 0.4 * i / times)
        page.mouse.move(box["x"] + 0.3 * box["width"], y)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=8)
        page.mouse.up()
        page.wait_for_function(f"() => window.__paintMs.length > {before}", timeout=30_000)
        found = page.evaluate("() => window.__paintMs.at(-1)")
        page.evaluate("value => { (window.__kept ??= []).push(value); }", found)
    return page.evaluate("() => window.__kept.splice(0)")[1:]


def choose(page: Page, group: str) -> bool:
    """Choose the first model of a group; whether there is one."""
    option = page.locator(f"optgroup[label^='{group}'] option")
    if not option.count():
        return False
    page.get_by_label("Model", exact=True).select_option(value=option.first.get_attribute("value"))
    settled(page)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    figures: dict[str, Any] = {}
    rows: list[tuple[str, str, str]] = []
    os.environ.setdefault("PLAYGROUND_WARM", "0")
    with sync_playwright() as play, tempfile.TemporaryDirectory() as home, server(home) as served:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for side in (28, 128):
            page = opened(browser, f"{served.url}/?{RUN.format(side=side)}")
            trained(page, 20)
            page.get_by_test_id("stTopNav").get_by_role("link", name="Paint").click()
            settled(page)
            for group in ("Trained to fill", "Projection", "Without learning"):
                if not choose(page, group):
                    continue
                found = strokes(page, times)
                words = f"Pointer-up to the picture, {side} × {side}, {group.lower()}"
                figures[f"{group.split()[0].lower()}_{side}_ms"] = found
                print(f"{words}: {', '.join(f'{value:.0f}' for value in found)}", file=sys.stderr, flush=True)
                rows.append((f"{words}, median of {times}", f"{statistics.median(found):.0f} ms", AIM))
                rows.append((f"{words}, p95", f"{percentile(found, 0.95):.0f} ms", ""))
            page.close()
        browser.close()
    publish("paint", describe(choose_device()), ("Paint page", "measured", "aim"), rows, figures)


if __name__ == "__main__":
    main()
