"""The pages under Applications in a real Chromium: from a picture to the answer beside the classical ones."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.seen import button, told, until

pytestmark = pytest.mark.browser

QUERY = "task={task}&architecture=residual&architecture.width=8&architecture.depth=2&data=photos&data.colour=false" \
        "&data.size=16&data.count=500&training.batch=32&training.epochs={epochs}&training.rate=0.003"


@pytest.fixture
def trained(visit):
    """trained(task, epochs) trains a small model in the Lab and opens the task's page on it."""

    def open_page(task: str, epochs: int, **settings):
        page = visit(QUERY.format(task=task, epochs=epochs), **settings)
        curves = page.get_by_test_id("live-curves")
        until(page, lambda: told(curves, "status") == "ready")
        button(page, "Train").click()
        until(page, lambda: told(curves, "status") == "done")
        job = told(curves, "job")
        go_to(page, task)
        page.get_by_role("combobox", name="Model").click()
        page.get_by_role("option", name=job).click()
        return page

    return open_page


def go_to(page, name: str) -> None:
    """The page of that name, by the menu."""
    if page.viewport_size["width"] < 700:
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_test_id("stSidebarNavLink").filter(has_text=name.capitalize()).click()
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    else:
        page.get_by_test_id("stTopNavSection").filter(has_text="Applications").click()
        page.get_by_test_id("stTopNavDropdownLink").filter(has_text=name.capitalize()).click()
    page.get_by_role("combobox", name="Model").wait_for()


def pictures(page) -> list[str]:
    shown = page.locator("[data-testid=application-result] figure")
    return shown.evaluate_all("all => all.map(one => one.dataset.picture)")


def worth(page, name: str) -> float:
    text = page.locator(f"figure[data-picture='{name}'] figcaption").inner_text()
    return float(text.split("PSNR ")[1].split(" dB")[0])


def test_a_picture_is_enlarged_beside_the_classical_ways_and_the_truth(trained):
    page = trained("upscale", 4)
    until(page, lambda: pictures(page) == ["Nearest", "Bilinear", "Bicubic", "Model", "Truth"])
    assert worth(page, "Nearest") < worth(page, "Bilinear") < worth(page, "Bicubic") < worth(page, "Model")
    lenses, grid = page.locator(".lens"), page.locator("[data-testid=application-result] .grid")
    box = page.locator("figure[data-picture=Model] .frame").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    until(page, lambda: told(grid, "lens") and lenses.evaluate_all("all => all.every(one => !one.hidden)"))
    at = [float(value) for value in told(grid, "lens").split(",")]
    assert at == pytest.approx([0.25, 0.5], abs=0.01)
    places = lenses.evaluate_all("all => all.map(one => one.style.backgroundPosition)")
    assert len({*places}) == 1  # the same place in all of them
    before = told(grid, "zoom")
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(100)
    assert told(grid, "zoom") == before  # the wheel is the page's until the pictures are clicked into
    page.mouse.down()
    page.mouse.up()
    page.mouse.wheel(0, -100)
    until(page, lambda: int(told(grid, "zoom")) > int(before))
    page.mouse.move(2, 2)
    until(page, lambda: not told(grid, "lens"))
    grid.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: told(grid, "lens") == "0.520,0.500")
    page.keyboard.press("Escape")
    until(page, lambda: not told(grid, "lens"))


def test_ones_own_picture_is_enlarged_as_it_is_and_a_bad_one_is_named(trained, tmp_path):
    page = trained("upscale", 1)
    page.get_by_role("combobox", name="Picture").click()
    page.get_by_role("option", name="Your own picture").click()
    page.get_by_text("Bring a picture").wait_for()
    chooser = page.locator("[data-testid=stFileUploader] input[type=file]")
    chooser.set_input_files({"name": "odd.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_role("alert").filter(has_text="odd.png").wait_for()
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (21, 33, 3), np.uint8)).save(file, "PNG")
    chooser.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()})
    until(page, lambda: "Truth" in pictures(page))
    page.get_by_text("Enlarge it as it is").click()
    until(page, lambda: pictures(page) == ["Nearest", "Bilinear", "Bicubic", "Model"])
    with page.expect_download() as saved:
        button(page, "Save the model's picture").click()
    with Image.open(saved.value.path()) as picture:
        assert picture.size == (66, 42) and picture.mode == "RGB"


def test_noise_is_taken_out_by_the_shipped_model_on_a_phone_too(visit):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    go_to(page, "denoise")
    until(page, lambda: pictures(page) == ["Noisy", "Non-local means", "Model", "Truth"])
    assert worth(page, "Model") > worth(page, "Non-local means") > worth(page, "Noisy") + 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    estimated = worth(page, "Model")
    page.get_by_text("Let it estimate the noise").click()
    told_it = page.get_by_role("slider", name="Noise the model is told")
    told_it.wait_for()
    told_it.focus()
    page.keyboard.press("End")
    until(page, lambda: worth(page, "Model") < estimated - 0.5)  # told too much, it smooths away what is there
