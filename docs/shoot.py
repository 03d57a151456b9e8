"""The README's pictures, taken from the running app: `python -m docs.shoot` makes train.png and latent.png here."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.interface import BROWSERS, server

HERE = Path(__file__).resolve().parent
QUERY = "data=digits&architecture.code=16&training.epochs=60"


def train(page: Page) -> None:
    """The Train page with a run that has just learnt."""
    curves = page.get_by_test_id("live-curves")
    curves.wait_for(state="attached")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("[data-testid=live-curves][data-status=done]", state="attached", timeout=300_000)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)


def latent(page: Page) -> None:
    """The Latent space page of the same run: its UMAP, and the lens over a place between two classes."""
    page.get_by_role("link", name="Latent space").click()
    ready = "[data-testid=latent-map][data-kind=umap][data-grid=ready]"
    page.wait_for_selector(ready, state="attached", timeout=300_000)
    page.wait_for_timeout(2500)
    box = page.get_by_test_id("latent-map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.66 * box["width"], box["y"] + 0.78 * box["height"])
    page.wait_for_timeout(1500)


def wait_for(page: Page, url: str, tries: int = 600) -> None:
    """Until the server answers; what the last try says if it never does."""
    for left in range(tries, 0, -1):
        try:
            page.goto(f"{url}/health")
            return
        except Exception:  # the port is not open yet
            if left == 1:
                raise
            page.wait_for_timeout(100)


PICTURES: dict[str, Callable[[Page], None]] = {"train": train, "latent": latent}  # in this order, one after the other


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    with tempfile.TemporaryDirectory() as home, server(home) as served, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        wait_for(page, served.url)
        page.goto(f"{served.url}/?{QUERY}")
        for name, show in PICTURES.items():
            show(page)
            page.screenshot(path=HERE / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
