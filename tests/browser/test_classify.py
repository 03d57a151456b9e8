"""The Classify page in a real Chromium: an image and a drawing told, a cell of the matrix opened, a curve run."""

from __future__ import annotations

import pytest

from tests.browser.seen import told, until
from tests.browser.test_applications import go_to

pytestmark = pytest.mark.browser


def bars(page) -> dict[str, float]:
    """Class -> per cent, as the page tells them."""
    rows = page.locator("[data-testid=classes] tbody tr").all_inner_texts()
    return {row.split()[0]: float(row.split()[1]) for row in rows}


def choose(page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def draw(page, *points: tuple[float, float]) -> None:
    """One stroke over the sheet, places as shares of its sides."""
    pad = page.get_by_test_id("drawing")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def test_an_image_and_a_drawing_are_told_and_a_cell_opens_its_images(visit):
    page = visit()
    go_to(page, "classify")
    choose(page, "Model", "Fine-tuned 32, Handwritten digits")
    told_by = page.get_by_test_id("classes")
    told_by.wait_for()
    until(page, lambda: len(bars(page)) == 10)
    assert sum(bars(page).values()) == pytest.approx(100, abs=1)
    cells = page.locator("[data-testid=confusion] td button")
    until(page, lambda: cells.count() == 100)
    from playground.data import datasets

    digits, beside, truth = datasets["digits"]().load(), page.get_by_test_id("baseline"), page.get_by_test_id("truth")
    for number in (1, 5):
        page.get_by_role("spinbutton", name="Number").fill(str(number))
        page.keyboard.press("Enter")
        known = digits.classes[digits.labels[digits.held_out[number - 1]]]
        until(page, lambda known=known: truth.inner_text() == f"Truth: {known}")
        for said, text in ((told_by, page.get_by_test_id("verdict")), (beside, beside.locator("p"))):
            until(page, lambda known=known, said=said, text=text: text.inner_text().endswith(
                f"{told(said, 'class')}, {'right' if told(said, 'class') == known else 'wrong'}"))
    until(page, lambda: beside.locator("img").count() == 3)
    shares = {by: float(page.locator(f"[data-testid=worth] tr[data-by={by}] td").inner_text().split()[0])
              for by in ("model", "pixels")}
    assert shares["model"] == pytest.approx(98.05, abs=0.1) and 97 < shares["pixels"] < 100
    wrong = next(cell for cell in cells.all() if (text := cell.inner_text()).isdigit()
                 and len({*cell.get_attribute("data-cell").split(",")}) == 2 and int(text))
    wrong.click()
    images = page.locator("[data-testid=confused] img")
    until(page, lambda: images.count() == int(wrong.inner_text()))
    assert wrong.get_attribute("aria-pressed") == "true"
    assert page.locator("[data-testid=label-curve] polyline").count() == 3
    choose(page, "Picture", "Draw it")
    page.get_by_text("Draw something, or bring a picture").wait_for()
    draw(page, (0.5, 0.15), (0.5, 0.85))
    told_by.wait_for()
    until(page, lambda: told(told_by, "class") == "1")
    until(page, lambda: told(beside, "class") == "1")
    until(page, lambda: truth.count() == 0)  # nobody knows
    assert page.get_by_test_id("verdict").inner_text() == "The model says 1"
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_text("Draw something, or bring a picture").wait_for()
    draw(page, (0.5, 0.15), (0.25, 0.5), (0.5, 0.85), (0.75, 0.5), (0.5, 0.15))
    until(page, lambda: told_by.count() == 1 and told(told_by, "class") == "0")


def test_on_a_phone_nothing_leaves_the_page_and_a_bad_picture_is_named(visit):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    go_to(page, "classify")
    page.get_by_test_id("classes").wait_for()
    page.locator("[data-testid=confusion] td button").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    choose(page, "Picture", "Your own picture")
    page.get_by_text("Draw something, or bring a picture").wait_for()
    chooser = page.locator("[data-testid=stFileUploader] input[type=file]")
    chooser.set_input_files({"name": "odd.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_role("alert").filter(has_text="odd.png").wait_for()
