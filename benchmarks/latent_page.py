"""The Latent space page in a real Chromium: first map, hover, click to decoded image, and clicks while UMAP is fitted.

A click that chooses nothing (it took hold of A or B, or the points were on their way) is counted and left out: waiting
for its image would never end.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.interface import BROWSERS, ROOT, Server, percentile, server
from benchmarks.report import publish
from benchmarks.training import bring_mnist
from playground.device import choose_device, describe

QUERY = "data=mnist&architecture.code=32&training.batch=128&training.epochs=1&training.seed={seed}"
POINTS = 10_000
WARMED = 60.0  # seconds after the start, by which umap-learn is compiled
CLICKS = 40  # on each map
PAUSE = 100  # ms between clicks
FIT = 120.0  # seconds that a fit may take at most
READY = "[data-testid=latent-map][data-status=ready][data-kind={kind}]"

# Milliseconds from the choice of a model to the frame after the one with its points. Not through Playwright, which
# would add its own way there and back.
FIRST_MAP = """
(select, name) => new Promise(done => {
  const host = select.getRootNode().querySelector('[data-testid=latent-map]'), started = performance.now();
  host.dataset.status = 'asked';
  select.value = name;
  select.dispatchEvent(new Event('change'));
  const look = () => host.dataset.status === 'ready'
    ? requestAnimationFrame(() => done(performance.now() - started)) : requestAnimationFrame(look);
  look();
})
"""
ARM = """
hero => {
  hero.dataset.source = 'asked';
  addEventListener('pointerup', () => { window.up = performance.now(); }, { capture: true, once: true });
}
"""
EXACT = """
hero => hero.dataset.source === 'asked' ? null : new Promise(done => {
  const look = () => hero.dataset.source === 'exact' || performance.now() - window.up > 5000
    ? done(performance.now() - window.up) : requestAnimationFrame(look);
  look();
})
"""
# Of each frame in which the pointer had moved: from its start until the lens is drawn, and the time to the next one.
HOVER = """
() => {
  let due = false, last = 0;
  const found = window.hovered = { work: [], gap: [] };
  window.addEventListener('pointermove', () => {
    if (due) return;
    due = true;
    requestAnimationFrame(now => {
      due = false;
      found.work.push(performance.now() - now);
      if (last && now - last < 200) found.gap.push(now - last);
      last = now;
    });
  });
}
"""


def trained(home: str, seed: int) -> str:
    """The name of a run on MNIST with 32 code entries, saved in `home`."""
    before = set(Path(home, "runs").glob("*.safetensors"))
    command = [sys.executable, "-m", "playground", "train", QUERY.format(seed=seed)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PLAYGROUND_HOME": home}, check=True, capture_output=True)
    return (set(Path(home, "runs").glob("*.safetensors")) - before).pop().stem


def somewhere(page: Page, rng: random.Random) -> tuple[float, float]:
    box = page.get_by_test_id("latent-map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * rng.uniform(0.25, 0.75), box["y"] + box["height"] * rng.uniform(0.25, 0.75)


def click(page: Page, rng: random.Random) -> float | None:
    """Milliseconds from a click on the map to the exact image drawn; None for a click that chose nothing."""
    hero = page.get_by_test_id("decoded-image")
    place = somewhere(page, rng)
    hero.evaluate(ARM)
    page.mouse.click(*place)
    found = hero.evaluate(EXACT)
    page.wait_for_timeout(PAUSE)
    return found


def hovered(page: Page, rng: random.Random) -> dict[str, list[float]]:
    """Milliseconds of work in each frame of a pointer that moves on, and between those frames."""
    page.evaluate(HOVER)
    x, y = somewhere(page, rng)
    for i in range(300):
        page.mouse.move(x + 0.3 * i, y + 20 * (i % 7) / 7)
    return page.evaluate("window.hovered")


def measured(page: Page, names: list[str]) -> dict[str, Any]:
    rng = random.Random(0)
    found: dict[str, Any] = {name: [] for name in ("first_map_ms", "umap_s", "click_fitting_ms", "click_umap_ms")}
    for name in names:
        page.wait_for_timeout(2000)
        found["first_map_ms"].append(page.locator(".model select").evaluate(FIRST_MAP, name))
        started = time.monotonic()
        while not page.locator(READY.format(kind="umap")).count() and time.monotonic() < started + FIT:
            found["click_fitting_ms"].append(click(page, rng))
        found["umap_s"].append(time.monotonic() - started)
        page.wait_for_selector(READY.format(kind="umap") + "[data-grid=ready]", state="attached")
        page.wait_for_timeout(2000)
        found["click_umap_ms"] += [click(page, rng) for _ in range(CLICKS)]
    found["hover"] = hovered(page, rng)
    return found


def open_page(browser: Any, served: Server) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    deadline = time.monotonic() + 60
    while True:
        try:
            page.goto(f"{served.url}/latent-space?map.count={POINTS}")
            break
        except Exception:  # the port is not open yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    page.wait_for_selector("[data-testid=latent-map][data-status=ready]", state="attached", timeout=60_000)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4, help="how many models are looked at, one after the other")
    runs = parser.parse_args().runs
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    with tempfile.TemporaryDirectory() as home, sync_playwright() as play:
        (Path(home) / "data").mkdir()
        (Path(home) / "runs").mkdir()
        bring_mnist(Path(home))
        names = [trained(home, seed) for seed in range(runs)]
        with server(home) as served:
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = open_page(browser, served)
            time.sleep(WARMED)
            found = measured(page, names)
            browser.close()
    lost = {name: sum(one is None for one in found[name]) for name in ("click_fitting_ms", "click_umap_ms")}
    for name in lost:
        found[name] = [one for one in found[name] if one is not None]

    def ms(values: list[float]) -> str:
        return f"{statistics.median(values):.0f} / {percentile(values, 0.95):.0f} ms ({len(values)})"

    first, later = found["first_map_ms"][0], found["first_map_ms"][1:]
    rows = [
        ("A model is chosen: its PCA map is drawn, images read from disk first", f"{first:.0f} ms", ""),
        ("The same, images there, median / slowest", f"{statistics.median(later or [first]):.0f} / "
                                                     f"{max(later or [first]):.0f} ms ({len(later)})", "1,000 ms"),
        ("Pointer moved: work until the lens is drawn, median / p95", ms(found["hover"]["work"]), "16.7 ms, a frame"),
        ("From such a frame to the next", ms(found["hover"]["gap"]), ""),
        ("Click on the map to the exact image, UMAP", ms(found["click_umap_ms"]), "median below 100 ms"),
        ("The same while UMAP is fitted", ms(found["click_fitting_ms"]), "p95 below 150 ms"),
        ("From the PCA map to the UMAP, clicked at meanwhile", f"{statistics.median(found['umap_s']):.1f} s", ""),
    ]
    head = (f"Latent space page, {POINTS:,} codes of 32", "measured", "aim")
    publish("latent-page", describe(choose_device()), head, rows, {**found, "clicks_that_chose_nothing": lost})


if __name__ == "__main__":
    main()
