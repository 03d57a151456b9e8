"""The Latent space page in a real Chromium: hover, click, lasso, draw, walk; by mouse, keyboard, touch and camera."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import math

import pytest

from tests.browser.mapped import (  # noqa: F401  (fixtures)
    GREYS,
    LEARNT,
    PICTURE,
    WINDOW,
    alike,
    answer,
    choose_map,
    explored,
    latent_map,
    middle,
    narrow,
    opened,
    page,
    shown,
)
from tests.browser.seen import button, told, until

pytestmark = pytest.mark.browser


def test_hovering_shows_the_image_and_its_decoding_without_a_request(page):
    x, y, r = middle(page)
    lens, seen = latent_map(page).locator("xpath=..").locator(".lens"), set()
    page.mouse.move(x, y)
    until(page, lambda: told(lens, "source") == "exact")  # what rests is decoded exactly; that question is over
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for k in range(30):
        page.mouse.move(x + r * 0.5 * math.cos(k / 5), y + r * 0.5 * math.sin(k / 5))
        page.wait_for_timeout(16)
        seen.add(told(latent_map(page), "hover"))
        assert lens.is_visible() and told(lens, "source") in ("blend", "exact")
    assert len(seen) > 10 and not [url for url in asked if "/explore/" in url and "decode" not in url]
    until(page, lambda: told(lens, "source") == "exact")


def test_a_click_decodes_the_place_exactly(page):
    x, y, r = middle(page)
    page.mouse.click(x + 0.97 * r, y + 0.5 * r)  # where no point is near
    until(page, lambda: told(shown(page), "source") == "exact" and "," in told(latent_map(page), "chosen"))
    u, v = map(float, told(latent_map(page), "chosen").split(","))
    decoded = answer(page, "decode", {"x": u, "y": v, "map": {"kind": "pca"}})
    assert alike(shown(page).evaluate(GREYS), shown(page).evaluate(PICTURE, decoded["image"]))
    assert float(told(shown(page), "distance")) == pytest.approx(decoded["distance"], abs=2e-3)
    assert page.locator(".nrow[data-row='by code'] button").count() == 8


def test_the_keyboard_moves_a_cursor_and_enter_decodes(page):
    before = told(latent_map(page), "chosen")
    latent_map(page).focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    assert told(latent_map(page), "hover")
    page.keyboard.press("Enter")
    until(page, lambda: told(latent_map(page), "chosen") != before and told(shown(page), "source") == "exact")
    page.keyboard.press("a")
    strip = page.get_by_test_id("interpolation")
    until(page, lambda: told(strip, "ready") == "true" and told(strip, "a") == told(latent_map(page), "hover"))
    button(page, "Lasso").click()  # Enter begins its line and closes it
    latent_map(page).focus()
    for key in ("Enter", *["Shift+ArrowUp"] * 4, *["Shift+ArrowLeft"] * 4, *["Shift+ArrowDown"] * 4, "Enter"):
        page.keyboard.press(key)
    until(page, lambda: told(shown(page), "source") == "mean")
    assert 0 < int(told(latent_map(page), "group")) == int(told(shown(page), "count"))
    button(page, "Lasso").click()


def test_a_lasso_tells_of_its_group_and_saves_it(page, tmp_path):
    x, y, r = middle(page)
    button(page, "Lasso").click()
    page.mouse.move(x + 1.3 * r, y)
    page.mouse.down()
    for k in range(1, 21):
        page.mouse.move(x + 1.3 * r * math.cos(k * math.tau / 20), y + 0.95 * r * math.sin(k * math.tau / 20))
    page.mouse.up()
    until(page, lambda: told(shown(page), "source") == "mean")
    count = int(told(latent_map(page), "group"))
    assert 100 < count <= int(told(latent_map(page), "points")) and told(shown(page), "count") == str(count)
    assert page.get_by_text("images in the lasso").is_visible()
    assert page.locator(".nrow[data-row=worst] button").count() == 8
    with page.expect_download() as download:
        button(page, "Save as CSV").click()
    download.value.save_as(tmp_path / "selection.csv")
    assert len((tmp_path / "selection.csv").read_text().splitlines()) == count + 1
    button(page, "Lasso").click()


def test_a_drawing_is_placed_with_its_neighbours(page):
    page.get_by_role("tab", name="Draw").click()
    box = page.get_by_test_id("draw-pad").bounding_box()
    page.mouse.move(box["x"] + 92, box["y"] + 30)
    page.mouse.down()
    for k in range(12):
        page.mouse.move(box["x"] + 92 + k % 2, box["y"] + 30 + 10 * k)
    page.mouse.up()
    until(page, lambda: page.locator(".nrow[data-row='by pixels'] button").count() == 10)
    place = [float(v) for v in told(latent_map(page), "placed").split(",")]
    assert told(shown(page), "source") == "own"
    assert all(abs(v) <= 1.5 for v in place), place
    assert page.locator(".nrow[data-row='by code'] button").count() == 10
    hits = page.locator(".hits")
    hits.wait_for()
    rows = page.request.get(explored(page, "scores"), headers={"referer": page.url}).json()["rows"]
    by_code, by_pixels = (f"{100 * rows[name]['precision']:.1f} % by {name}" for name in ("code", "pixels"))
    assert hits.inner_text().endswith(f"over the held-out set: {by_code}, {by_pixels}.")
    page.get_by_role("tab", name="Scores").click()
    for score in rows["code"]:
        told_scores = page.locator(f"[data-score={score}] td").all_inner_texts()
        expected = [rows[name][score] for name in ("code", "pca", "pixels", "map")]
        assert told_scores == ["–" if value is None else f"{value:.3f}" for value in expected]
    page.locator("[data-score=silhouette]").hover()
    page.get_by_text("How much nearer an image lies to its own class").wait_for()
    button(page, "Set as B").click()
    strip = page.get_by_test_id("interpolation")
    until(page, lambda: told(strip, "ready") == "true" and told(strip, "b") == "own")


def test_a_walk_begins_and_ends_with_the_two_reconstructions(page):
    x, y, r = middle(page)
    strip = page.get_by_test_id("interpolation")
    button(page, "Pick A and B").click()
    page.mouse.click(x - 0.5 * r, y)
    page.mouse.click(x + 0.5 * r, y + 0.2 * r)
    until(page, lambda: told(strip, "ready") == "true" and (told(strip, "a") + told(strip, "b")).isdigit())
    for how in ("Spherical", "Straight"):
        button(page, how).click()
        until(page, lambda how=how: told(strip, "how") == how.lower() and told(strip, "ready") == "true")
        for end, cell in (("a", 0), ("b", 10)):
            decoded = answer(page, "decode", {"index": int(told(strip, end)), "map": {"kind": "pca"}})
            canvas = strip.locator(".cells.code canvas").nth(cell)
            assert alike(canvas.evaluate(GREYS), canvas.evaluate(PICTURE, decoded["image"]))
    slider = strip.get_by_role("slider")
    slider.focus()
    page.keyboard.press("End")
    until(page, lambda: told(shown(page), "source") == "walk" and "100 %" in strip.inner_text())
    last = strip.locator(".cells.code canvas").nth(10).evaluate(GREYS)
    assert alike(shown(page).evaluate(GREYS), last)


def test_a_fit_of_umap_can_be_cancelled_and_the_map_stays(page):
    button(page, "UMAP").click()
    until(page, lambda: told(latent_map(page), "fitting") == "true")
    page.get_by_text("Fitting UMAP").wait_for()
    button(page, "Cancel").click()
    until(page, lambda: told(latent_map(page), "fitting") == "")
    assert told(latent_map(page), "kind") == "pca" and button(page, "PCA").get_attribute("aria-pressed") == "true"


def test_entries_colours_and_steering(page):
    choose_map(page, "Entries")
    page.wait_for_url("**map.kind=entries**")
    page.get_by_label("Colour by").select_option("entry 0")
    until(page, lambda: told(latent_map(page), "colour") == "entry 0" and page.locator(".scale").count() == 1)
    page.get_by_label("Colour by").select_option("class")
    slider = page.get_by_label("Direction 1, in standard deviations")
    slider.focus()
    before = shown(page).evaluate(GREYS)
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    until(page, lambda: told(shown(page), "source") == "code")
    until(page, lambda: not alike(shown(page).evaluate(GREYS), before))  # the answer to the last key press
    steered = shown(page).evaluate(GREYS)
    button(page, "Surprise me").click()
    until(page, lambda: not alike(shown(page).evaluate(GREYS), steered))
    assert page.get_by_text("A random code").is_visible() and told(shown(page), "source") == "code"


def test_a_run_is_followed_while_it_learns(page):
    assert len(page.followed) > 5 and page.followed[0] < LEARNT  # it moved many times, from early on
    button(page, "Watch it form").click()
    until(page, lambda: int(told(latent_map(page), "frames") or 0) > 1)
    scrub = page.get_by_label("Step of the run")
    scrub.focus()
    page.keyboard.press("End")
    until(page, lambda: int(told(latent_map(page), "step")) >= LEARNT)
    page.keyboard.press("Home")
    until(page, lambda: told(latent_map(page), "step") == "0" and scrub.get_attribute("aria-valuetext") == "step 0")
    button(page, "Back to the map").click()
    until(page, lambda: told(latent_map(page), "kind") == "pca" and not scrub.is_visible())


def test_a_phone_needs_no_sideways_scrolling_and_taps_decode(page):
    narrow(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    x, y, r = middle(page)
    before = told(latent_map(page), "chosen")
    for across, down in ((-0.1, 0.15), (0.35, 0.1), (0.05, -0.25)):  # a tap on A or B is theirs; one is free
        page.touchscreen.tap(x + across * r, y + down * r)
        page.wait_for_timeout(500)
        if told(latent_map(page), "chosen") != before:
            break
    until(page, lambda: told(latent_map(page), "chosen") != before and told(shown(page), "source") == "exact")
    assert shown(page).bounding_box()["width"] >= 150


@pytest.mark.parametrize("scheme", ("dark", "light"))
def test_the_map_is_drawn_in_both_themes(page, scheme):
    page.emulate_media(color_scheme=scheme)
    drawn = lambda: latent_map(page).locator("canvas.base").evaluate("""canvas => {
        const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data, hues = new Set();
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) hues.add((d[i] >> 5) + ',' + (d[i + 1] >> 5) + ',' + (d[i + 2] >> 5));
        return hues.size;
    }""")  # noqa: E501, E731
    paper = "e => Number(getComputedStyle(e).backgroundColor.match(/\\d+/)[0])"
    until(page, lambda: (page.locator(".mapbox").evaluate(paper) < 60) == (scheme == "dark") and drawn() > 10)


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
