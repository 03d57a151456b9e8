"""The Inside page's speed: from a click on an image to the network drawn for it, in a real Chromium."""

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
from benchmarks.paint_page import trained
from benchmarks.report import publish
from playground.device import choose_device, describe

RUN = "data=glyphs&data.size=28&data.count=2000&architecture.width=512&training.epochs=10000"
LARGE = "data=shapes&data.size=64&architecture=convolutional&architecture.depth=3&architecture.code=64"
AIM = "p95 below 150 ms"
ASK = """job => {
    window.__asking = true;
    const asked = { method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({image: 1}) };
    (async () => { while (window.__asking) await fetch(`/inspect/${job}/jacobian`, asked); })();
}"""


def clicks(page: Page, times: int) -> list[float]:
    """Milliseconds from each choice of an image to the frame that draws the network for it."""
    strip = page.get_by_test_id("inside-strip")
    strip.focus()
    page.evaluate("() => { window.__insideMs = []; }")
    for i in range(times + 1):
        page.keyboard.press("ArrowRight" if i % 40 < 20 else "ArrowLeft")
        page.wait_for_function(f"() => window.__insideMs.length > {i}", timeout=30_000)
        page.wait_for_timeout(150)
    return page.evaluate("() => window.__insideMs")[1:]


def inside(page: Page) -> None:
    page.get_by_test_id("stTopNav").get_by_role("link", name="Inside").click()
    page.wait_for_selector("[data-testid=inside-page][data-status=ready]", state="attached", timeout=60_000)
    page.wait_for_timeout(1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40)
    times = parser.parse_args().times
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    figures: dict[str, Any] = {}
    rows: list[tuple[str, str, str]] = []
    os.environ.setdefault("PLAYGROUND_WARM", "0")

    def measure(page: Page, name: str, words: str) -> None:
        figures[name] = found = clicks(page, times)
        print(f"{words}: {', '.join(f'{value:.0f}' for value in found)}", file=sys.stderr, flush=True)
        told = f"{statistics.median(found):.0f} / {percentile(found, 0.95):.0f} ms"
        rows.append((f"{words}, median / p95 of {times}", told, AIM))

    with sync_playwright() as play, tempfile.TemporaryDirectory() as home, server(home) as served:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = opened(browser, f"{served.url}/?{RUN}")
        trained(page, 20)
        inside(page)
        measure(page, "rest_ms", "Click to the network drawn, 784-512-16")
        other = opened(browser, f"{served.url}/?{LARGE}")
        trained(other, 3)
        inside(other)
        other.evaluate(ASK, other.url.split("run=")[1].split("&")[0])
        measure(page, "jacobians_ms", "The same while another page asks for Jacobians without pause")
        other.evaluate("() => { window.__asking = false; }")
        other.close()
        page.get_by_role("button", name="Resume", exact=True).click()
        page.wait_for_timeout(500)
        measure(page, "training_ms", "The same while the run learns")
        browser.close()
    publish("inside", describe(choose_device()), ("Inside page", "measured", "aim"), rows, figures)


if __name__ == "__main__":
    main()
