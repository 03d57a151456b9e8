"""The Latent space page by touch, by keyboard on a phone and by camera; its lens, and its themes while it is open."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import pytest

from tests.browser.test_latent_page import WINDOW, button, latent_map, middle, narrow, opened, page, shown, told, until  # noqa: F401

pytestmark = pytest.mark.browser


SPELT = """canvas => {
    const c = CanvasRenderingContext2D.prototype, was = c.fillText;
    window.spelt = [];
    c.fillText = function (words, ...rest) { window.spelt.push(words); return was.call(this, words, ...rest); };
}"""


def test_the_names_of_classes_outlive_a_change_of_theme(page):
    page.evaluate(SPELT)
    for scheme in ("dark", "light"):
        page.evaluate("window.spelt.length = 0")
        page.emulate_media(color_scheme=scheme)
        until(page, lambda: {"0", "1", "6"} & set(page.evaluate("window.spelt")))


def test_the_lens_can_be_put_away_and_the_panel_follows(page):
    x, y, r = middle(page)
    lens, before = latent_map(page).locator("xpath=..").locator(".lens"), told(latent_map(page), "chosen")
    latent_map(page).focus()
    page.keyboard.press("l")
    assert button(page, "Lens").get_attribute("aria-pressed") == "false"
    for k in range(5):
        page.mouse.move(x + 8 * k, y + 0.2 * r)
    until(page, lambda: told(shown(page), "source") in ("blend", "exact") and not lens.is_visible())
    assert page.get_by_text("Under the pointer").is_visible()
    page.mouse.move(2, 2)
    until(page, lambda: told(shown(page), "source") == "exact" and not page.get_by_text("Under the pointer").count())
    assert told(latent_map(page), "chosen") == before
    button(page, "Lens").click()
    page.mouse.move(x, y)
    until(page, lens.is_visible)
    page.mouse.down()  # nothing hides what is dragged
    assert not lens.is_visible()
    page.mouse.up()


def fingers(page, kind: str, *places: tuple[float, float]) -> None:
    points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
    page.touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_zoom_the_map_and_not_the_page(page):
    page.touches = page.context.new_cdp_session(page)
    x, y, _ = middle(page)
    latent_map(page).focus()
    canvas = latent_map(page).locator("canvas.base")
    before = canvas.evaluate("c => c.toDataURL()")
    chosen = told(latent_map(page), "chosen")
    fingers(page, "touchStart", (x - 40, y), (x + 40, y))
    for k in range(1, 9):
        fingers(page, "touchMove", (x - 40 - 10 * k, y), (x + 40 + 10 * k, y))
    fingers(page, "touchEnd")
    until(page, lambda: canvas.evaluate("c => c.toDataURL()") != before)
    assert page.evaluate("visualViewport.scale") == 1 and told(latent_map(page), "chosen") == chosen


def test_a_photograph_is_placed(browser, server, opened):
    with browser.new_context(viewport=WINDOW, permissions=["camera"]) as context:
        page = context.new_page()
        page.goto(opened.url)
        page.wait_for_selector("[data-testid=latent-map][data-status=ready]", state="attached")
        page.get_by_role("tab", name="Draw").click()
        button(page, "Camera").click()
        button(page, "Take it").click()
        until(page, lambda: told(shown(page), "source") == "own")
        assert page.get_by_text("Your photograph").is_visible() and button(page, "Camera").is_visible()


def test_the_keyboard_works_on_a_phone_too(page):
    narrow(page)
    before = told(latent_map(page), "chosen")
    latent_map(page).focus()
    for key in ("Shift+ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    until(page, lambda: told(latent_map(page), "chosen") != before and told(shown(page), "source") == "exact")
