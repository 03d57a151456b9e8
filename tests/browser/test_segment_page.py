"""The Segment page in a real Chromium: from a picture to its classes, with the truth, opacity and one's own pair."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.seen import button, told, until
from tests.browser.test_applications import go_to

pytestmark = pytest.mark.browser

QUERY = "task=segment&architecture=unet&architecture.width=4&architecture.depth=2&architecture.code=8&data=shapes" \
        "&data.size=16&data.count=300&training.rate=0.003&training.epochs=3"


def layers(page) -> list[str]:
    return page.locator("[data-testid=regions] figure").evaluate_all("all => all.map(one => one.dataset.picture)")


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_from_training_to_the_classes_of_ones_own_picture(visit):
    page = visit(QUERY)
    curves = page.get_by_test_id("live-curves")
    until(page, lambda: told(curves, "status") == "ready")
    button(page, "Train").click()
    until(page, lambda: told(curves, "status") == "done")
    page.get_by_text("held-out mean IoU").wait_for()
    job = told(curves, "job")
    go_to(page, "segment")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=job).click()
    until(page, lambda: layers(page) == ["Picture", "Model", "By colour", "Truth", "Wrong"])
    rows = page.locator("[data-testid=regions] tbody tr")
    classes = ["background", "circle", "square", "triangle", "star", "cross", "ring", "Mean"]
    until(page, lambda: rows.evaluate_all("all => all.map(one => one.dataset.class)") == classes)
    heads = page.locator("[data-testid=regions] thead th")
    figures = ["Class", "Share", "True share", "IoU", "IoU by colour", "Dice", "Dice by colour"]
    assert heads.all_inner_texts() == figures
    before = page.locator("figure[data-picture=Truth] img.layer").get_attribute("src")
    opacity = page.get_by_role("slider", name="Opacity of the colours")
    opacity.focus()
    page.keyboard.press("Home")
    shown = page.locator("figure[data-picture=Model] img.layer")
    assert shown.evaluate("one => getComputedStyle(one).opacity") == "0"  # at once, without the server
    page.keyboard.press("End")
    assert shown.evaluate("one => getComputedStyle(one).opacity") == "1"
    page.get_by_role("spinbutton", name="Number").fill("7")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("figure[data-picture=Truth] img.layer").get_attribute("src") != before)
    assert page.locator("figure[data-picture=Model] img.layer").evaluate("one => getComputedStyle(one).opacity") == "1"

    page.get_by_role("combobox", name="Picture").click()
    page.get_by_role("option", name="Your own picture").click()
    page.get_by_text("Bring a picture").wait_for()
    choosers = page.locator("[data-testid=stFileUploader] input[type=file]")
    image = np.random.default_rng(0).integers(0, 256, (21, 33, 3), np.uint8)
    mine = png(Image.fromarray(image))
    choosers.nth(0).set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": mine})
    until(page, lambda: layers(page) == ["Picture", "Model", "By colour"])
    small = png(Image.fromarray(np.zeros((5, 5), np.uint8)))
    choosers.nth(1).set_input_files({"name": "mask.png", "mimeType": "image/png", "buffer": small})
    page.get_by_role("alert").filter(has_text="5 × 5 pixels").wait_for()
    assert layers(page) == ["Picture", "Model", "By colour"]
    with page.expect_download() as saved:
        button(page, "Save the classes").click()
    with Image.open(saved.value.path()) as picture:
        assert picture.mode == "P" and picture.size == (33, 21)
        said = np.asarray(picture)
    assert said.max() < 7
    truth = np.where(np.random.default_rng(1).random(said.shape) < 0.7, said, 1).astype(np.uint8)
    choosers.nth(1).set_input_files({"name": "fit.png", "mimeType": "image/png", "buffer": png(Image.fromarray(truth))})
    until(page, lambda: layers(page) == ["Picture", "Model", "By colour", "Truth", "Wrong"])
    assert heads.all_inner_texts() == figures
    for k, name in enumerate(classes[:-1]):
        both, either = ((said == k) & (truth == k)).sum(), ((said == k) | (truth == k)).sum()
        wanted = f"{both / either:.1%}" if either else "–"
        assert rows.nth(k).locator("td").nth(figures.index("IoU") - 1).inner_text() == wanted, name
