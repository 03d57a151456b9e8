"""The Latent space page's speed in a real Chromium: first map, hover, click to decoded image, clicks during a fit."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.interface import ROOT, opened, percentile, server
from benchmarks.report import publish
from playground.device import choose_device, describe

QUERY = "data=mnist&architecture.code=32&training.batch=128&training.epochs=1"
POINTS = 10_000
READY = "[data-testid=latent-map][data-status=ready][data-kind={kind}]"
FRAMES = """
() => new Promise(done => {
  const gaps = []; let last = performance.now();
  const tick = now => { gaps.push(now - last); last = now; gaps.length < 180 ? requestAnimationFrame(tick) : done(gaps.slice(5)); };
  requestAnimationFrame(tick);
})
"""  # noqa: E501


def trained(home: str) -> str:
    """A run on MNIST with 32 code entries, saved in `home`; its name."""
    env = os.environ | {"PLAYGROUND_HOME": home, "PLAYGROUND_DATASETS": str(ROOT.parent / "shared" / "datasets")}
    subprocess.run([sys.executable, "-m", "playground", "train", QUERY], cwd=ROOT, env=env, check=True,
                   capture_output=True)
    return next(Path(home, "runs").glob("*.safetensors")).stem


def place(page: Page) -> tuple[float, float]:
    box = page.get_by_test_id("latent-map").bounding_box()
    assert box is not None
    return (box["x"] + box["width"] * random.uniform(0.25, 0.75), box["y"] + box["height"] * random.uniform(0.25, 0.75))


def click(page: Page) -> float:
    """Milliseconds from a click on the map to the exact image drawn, by the page's own clock."""
    hero = page.get_by_test_id("decoded-image")
    hero.evaluate("hero => { hero.dataset.source = 'asked'; }")
    x, y = place(page)
    page.mouse.move(x, y)
    page.evaluate("() => { addEventListener('pointerup', () => { window.up = performance.now(); }, true); }")
    page.mouse.click(x, y)
    return hero.evaluate("""hero => new Promise(done => {
      const look = () => hero.dataset.source === 'exact' || hero.dataset.source === 'image' && hero.dataset.ms
        ? done(performance.now() - window.up) : requestAnimationFrame(look);
      look();
    })""")


def main() -> None:
    random.seed(0)
    os.environ["PLAYGROUND_DATASETS"] = str(ROOT.parent / "shared" / "datasets")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        name = trained(home)
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                     "--disable-sync"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        with server(home) as served:
            page = opened(browser, f"{served.url}/?model={name}&map.count={POINTS}&map.kind=pca")
            firsts = []
            for _ in range(3):
                before = page.evaluate("performance.now()")
                page.get_by_role("link", name="Latent space").click()
                page.wait_for_selector(READY.format(kind="pca"), state="attached")
                firsts.append(page.evaluate("performance.now()") - before)
                page.get_by_role("link", name="Train", exact=True).click()
                page.get_by_test_id("live-curves").wait_for(state="attached")
            page.get_by_role("link", name="Latent space").click()
            page.wait_for_selector(READY.format(kind="pca") + "[data-grid=ready]", state="attached")
            clicks = [click(page) for _ in range(30)]
            frames = []
            for _ in range(3):
                page.mouse.move(*place(page))
                watching = page.evaluate_handle(f"() => {{ window.frames3 = ({FRAMES.strip()})(); }}")
                for _ in range(100):
                    page.mouse.move(*place(page))
                frames += page.evaluate("() => window.frames3")
                watching.dispose()
            page.get_by_role("group", name="Map").get_by_role("button", name="UMAP").click()
            fitting = []
            for _ in range(400):
                if page.locator(READY.format(kind="umap")).count():
                    break
                fitting.append(click(page))
                page.wait_for_timeout(100)
        browser.close()

    def ms(values: list[float]) -> str:
        return f"{statistics.median(values):.0f} / {percentile(values, 0.95):.0f} ms"

    publish(
        "latent-page", describe(choose_device()), ("Latent space page, 10,000 codes of 32", "median / p95", "aim"),
        [
            ("From the click on the page's link to the PCA map, first visit", f"{firsts[0]:.0f} ms", "1,000 ms"),
            ("The same, later visits", ms(firsts[1:]), "1,000 ms"),
            ("Click on the map to the exact image", ms(clicks), "below 100 ms"),
            ("Frame while the pointer moves", ms(frames), "16.7 ms"),
            ("Click to the exact image while UMAP is fitted", ms(fitting) if fitting else "no fit seen", "p95 150 ms"),
        ],
        {"first_map_ms": firsts, "click_ms": clicks, "frame_ms": frames, "click_while_fitting_ms": fitting},
    )


if __name__ == "__main__":
    main()
