"""The Retrieve page in a real Chromium: from an image to its like, by the model's bits and by pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.seen import button, told, until
from tests.browser.test_applications import go_to
from tests.browser.test_classify import draw

pytestmark = pytest.mark.browser
QUERY = "task=retrieve&architecture.code=32&architecture.width=64&training.loss=bce&training.epochs=20" \
        "&training.rate=0.003&task.noise=1"


def figures(page, by: str) -> list[str]:
    return page.locator(f".ap-found [data-by={by}] figure").evaluate_all("all => all.map(one => one.dataset.mark)")


def cell(page, by: str, what: str) -> str:
    return page.locator(f".ap-worth tr[data-by={by}] .{what}").inner_text()


def test_an_image_finds_its_like_by_bits_and_by_pixels_and_so_does_ones_own(visit):
    page = visit(QUERY)
    curves = page.get_by_test_id("live-curves")
    until(page, lambda: told(curves, "status") == "ready")
    button(page, "Train").click()
    until(page, lambda: told(curves, "status") == "done")
    job = told(curves, "job")
    go_to(page, "retrieve")
    page.get_by_role("combobox", name="Model").click()
    page.keyboard.type(job)  # the list is long, and what is not in view is not there yet
    page.get_by_role("option", name=job).click()
    page.get_by_text("code, 32 bits").wait_for()
    until(page, lambda: "%" in cell(page, "code", "precision") and "%" in cell(page, "pixels", "precision"))
    worth = {by: float(cell(page, by, "precision").split()[0]) for by in ("code", "pixels")}
    assert 30 < worth["code"] < 100 and 90 < worth["pixels"] < 100
    assert all(float(cell(page, by, "took").split()[0]) < 1000 for by in worth)
    asked = page.locator(".ap-found .asked")
    for image in (1, 3):  # another image, by the mouse and then by the keyboard
        before = asked.locator("img").get_attribute("src")
        if image == 1:
            page.locator("[data-testid=image-strip] label").nth(2).click()
        else:
            page.locator("[data-testid=image-strip] input:checked").press("ArrowRight")
        until(page, lambda before=before: asked.locator("img").get_attribute("src") != before)
        known = asked.locator("b").inner_text()
        until(page, lambda: len(figures(page, "code")) == len(figures(page, "pixels")) == 10)
        names = page.locator(".ap-found [data-by=pixels] figure b").all_inner_texts()
        assert figures(page, "pixels") == ["right" if name == known else "wrong" for name in names]
    page.get_by_role("radio", name="Your own").click()
    page.get_by_text("bring a picture").wait_for()
    chooser = page.locator("[data-testid=stFileUploader] input[type=file]")
    chooser.set_input_files({"name": "odd.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_role("alert").filter(has_text="odd.png").wait_for()
    drawn, file = np.full((50, 50), 255, np.uint8), io.BytesIO()
    drawn[8:42, 22:28] = 0  # a one, in ink on paper
    Image.fromarray(drawn).save(file, "PNG")
    chooser.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()})
    until(page, lambda: asked.count() == 1 and "your own" in asked.inner_text())
    until(page, lambda: figures(page, "pixels") == [""] * 10)  # nobody knows what it is
    names = page.locator(".ap-found [data-by=pixels] figure b").all_inner_texts()
    assert names.count("1") >= 7  # found although it is dark on light
    page.get_by_role("radio", name="Drawn").click()
    draw(page, (0.3, 0.2), (0.3, 0.8))  # far from the middle, where a one of the set stands
    until(page, lambda: asked.count() == 1 and "your drawing" in asked.inner_text())
    names = page.locator(".ap-found [data-by=pixels] figure b").all_inner_texts()
    assert names.count("1") >= 7
