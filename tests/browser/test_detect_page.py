"""The Detect page in a real Chromium: from a scene, held out or one's own, to boxes, heat maps and the truth."""

from __future__ import annotations

import pytest

from playground.data import datasets
from playground.images import to_png
from tests.browser.seen import told, until
from tests.browser.test_applications import go_to, pictures

pytestmark = pytest.mark.browser


def found(page) -> int:
    return int(told(page.locator(".sums"), "found"))


def choose(page, name: str, option: str) -> None:
    page.get_by_role("combobox", name=name).click()
    page.get_by_role("option", name=option).click()


def test_a_scene_is_found_and_weighed_against_the_truth_on_a_phone_too(visit):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    go_to(page, "detect")
    until(page, lambda: pictures(page) == ["Found", "Heat map", "Truth", "Threshold"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sums = page.locator(".sums")
    assert told(sums, "right") == told(sums, "things") == str(found(page))  # the first held-out scene is an easy one
    page.get_by_text("mean average precision at IoU 0.5 is").wait_for()
    assert page.locator("figure[data-picture=Truth] b").all_inner_texts()[0].split(", IoU ")[1] > "0.5"
    slider, before = page.get_by_role("slider", name="Score from"), found(page)
    slider.focus()
    page.keyboard.press("Home")  # acts in the page itself, at once
    assert found(page) >= before
    page.keyboard.press("End")
    assert found(page) < before and "missed" in page.locator("figure[data-picture=Truth]").inner_text()
    heat = page.locator("figure[data-picture='Heat map']")
    whole = heat.locator(".heat").get_attribute("src")
    page.get_by_role("radio", name="star").click()
    assert told(heat, "heat") == "star" and heat.locator(".heat").get_attribute("src") != whole
    choose(page, "Picture", "A fresh scene")
    until(page, lambda: page.get_by_role("spinbutton", name="Seed").count() == 1 and told(sums, "found") == "0"
          and told(sums, "things") != "")  # fmt: skip
    assert told(heat, "heat") == "star" and page.locator(".sure output").inner_text() == "0.95"  # as they were left


def test_ones_own_picture_has_boxes_and_no_truth_and_a_bad_one_is_named(visit):
    page = visit()
    go_to(page, "detect")
    choose(page, "Picture", "Your own picture")
    page.get_by_text("Bring a picture").wait_for()
    chooser = page.locator("[data-testid=stFileUploader] input[type=file]")
    chooser.set_input_files({"name": "odd.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_role("alert").filter(has_text="odd.png").wait_for()
    scene = to_png(datasets["shapes"](count=100, seed=77).load().images[0])
    chooser.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": scene})
    until(page, lambda: pictures(page) == ["Found", "Heat map", "Threshold"])
    assert page.locator("tbody tr:not([hidden])").count() == found(page) > 0
    page.get_by_text("Beside a threshold").click()
    until(page, lambda: pictures(page) == ["Found", "Heat map"])
