"""The Restyle page in a real Chromium: from a photograph, and one's own, to the painting beside the filter's."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.seen import button, until
from tests.browser.test_applications import go_to, pictures, worth

pytestmark = pytest.mark.browser


def test_a_photograph_is_painted_by_the_shipped_model_beside_the_filter(visit):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    go_to(page, "restyle")
    until(page, lambda: pictures(page) == ["Photo", "Median", "Model", "Truth"])
    assert worth(page, "Model") > worth(page, "Median") + 2 > worth(page, "Photo") + 2
    page.get_by_text("The filter itself took").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("combobox", name="Picture").click()
    page.get_by_role("option", name="Your own picture").click()
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (23, 700, 3), np.uint8)).save(file, "PNG")
    chooser = page.locator("[data-testid=stFileUploader] input[type=file]")
    chooser.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()})
    page.get_by_text("The whole picture").click()
    until(page, lambda: pictures(page) == ["Photo", "Model"])
    with page.expect_download() as saved:
        button(page, "Save the model's picture").click()
    with Image.open(saved.value.path()) as picture:
        assert picture.size == (700, 23) and picture.mode == "RGB"
