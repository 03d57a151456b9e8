"""The Paint page open in a real Chromium, and hands on it: what its browser tests share."""

from __future__ import annotations

from functools import partial

import pytest

from tests.browser import seen
from tests.browser.conftest import HARMLESS
from tests.browser.seen import button

WINDOW = {"width": 1280, "height": 800}
LINK = "paint?data.count=1000&training.epochs=1000&paint.data=glyphs&paint.model=telea&paint.use=classical"
until = partial(seen.until, seconds=15.0)
EXPECTED = ("404 (Not Found)", "400 (Bad Request)")  # Streamlit looks for its own base; a broken picture is refused


def canvas(page):
    return page.get_by_test_id("mask-canvas")


def result(page):
    return page.get_by_test_id("inpainted-image")


def hidden(page) -> int:
    return int(canvas(page).get_attribute("data-hidden") or 0)


def settled(page) -> str:
    """Waits until the newest question is answered; its number."""
    section = page.get_by_test_id("paint-page")
    until(page, lambda: section.get_attribute("data-working") == section.get_attribute("data-done") is not None)
    page.wait_for_timeout(40)  # the frame that draws it
    return section.get_attribute("data-done")


def look(page, which) -> bytes:
    return which.evaluate("canvas => canvas.toDataURL()")


def at(page, x: float, y: float) -> tuple[float, float]:
    box = canvas(page).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def stroke(page, *places: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*at(page, *place), steps=6)
    page.mouse.up()


def finger(page, kind: str, *points: tuple[float, float]) -> None:
    touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    page.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


@pytest.fixture(scope="module")
def opened(browser, server):
    """One window for all tests here; its console must stay clean."""
    said = []
    with browser.new_context(viewport=WINDOW, has_touch=True, accept_downloads=True) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.session = context.new_cdp_session(page)
        page.goto(f"{server.address}/{LINK}")
        page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
        yield page
    assert [text for text in said if not any(part in text for part in (*EXPECTED, *HARMLESS))] == []


@pytest.fixture
def page(opened):
    """The window with the brush, a held-out picture and nothing hidden."""
    opened.set_viewport_size(WINDOW)
    if opened.get_by_test_id("paint-page").get_attribute("data-picture") != "glyphs 0":
        opened.locator(".thumbs [data-index='0']").click()
        until(opened, lambda: opened.get_by_test_id("paint-page").get_attribute("data-picture") == "glyphs 0")
    button(opened, "Brush").click()
    if hidden(opened):
        button(opened, "Clear").click()
    settled(opened)
    assert hidden(opened) == 0
    return opened
