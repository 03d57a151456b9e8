"""The page "Does it hold?" in a real Chromium: what it shows is what was found, at any width and in either theme."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]


def test_every_paper_with_its_numbers_and_picture(visit):
    page = visit("variant=sparse")
    page.get_by_role("link", name="Does it hold?").click()
    page.get_by_test_id("papers").wait_for()
    page.wait_for_url("**variant=sparse**")  # the experiment of before is still there
    found = [json.loads(path.read_text()) for path in (ROOT / "benchmarks" / "results" / "papers").glob("*.json")]
    whole = {one["name"] for one in found if one["form"] == "full"}
    for one in (one for one in found if one["form"] == "full" or one["name"] not in whole):
        section = page.get_by_test_id(f"paper-{one['name']}")
        shown = section.locator("table").first.locator("tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))")
        met = {True: "yes", False: "no", None: ""}
        assert shown == [[row["what"], row["published"], row["obtained"], row["aim"], met[row["met"]]]
                         for row in one["rows"]]
        picture = section.locator("img").first
        picture.scroll_into_view_if_needed()
        picture.evaluate("image => image.decode()")
        assert picture.evaluate("image => image.naturalWidth") > 100 and picture.bounding_box()["width"] > 100
        assert one["command"] in section.inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert section.locator("tbody tr").first.bounding_box()["width"] <= 390
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_test_id("paper-baldi1989").get_by_role("link").first.click()
    page.wait_for_url("**architecture.output=linear**")  # the paper's experiment, ready to be trained
    page.get_by_test_id("live-curves").wait_for(state="attached")
