"""The Latent space page in a real Chromium: hover, click, lasso, draw, walk, keyboard, touch, and a run that learns."""

from __future__ import annotations

import math
import time

import pytest

from tests.browser.conftest import HARMLESS

pytestmark = pytest.mark.browser

WINDOW = {"width": 1280, "height": 800}
SMALL = "architecture.code=4&architecture.width=32&training.epochs=10000"
LEARNT = 400  # steps: enough for classes to part, and for a drawn line to lie among them (after 150 it lies at 2)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def latent_map(page):
    return page.get_by_test_id("latent-map")


def shown(page):
    return page.get_by_test_id("decoded-image")


def told(element, name: str) -> str:
    return element.get_attribute(f"data-{name}") or ""


def until(page, true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time: " + page.get_by_role("status").last.inner_text()
        page.wait_for_timeout(30)


def latent(page):
    """From the Train page to the Latent space page, ready."""
    page.get_by_role("link", name="Latent space").click()
    page.wait_for_selector("[data-testid=latent-map][data-status=ready][data-grid=ready]", state="attached")
    until(page, lambda: told(shown(page), "source") == "exact")
    return page


@pytest.fixture(scope="module")
def opened(browser, server):
    """One window on a run that has learnt a little, paused, for all tests here; its console must stay clean."""
    said = []
    with browser.new_context(viewport=WINDOW, has_touch=True) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{server.address}/?{SMALL}")
        curves = page.get_by_test_id("live-curves")
        curves.wait_for(state="attached")
        until(page, lambda: told(curves, "status") == "ready")
        page.wait_for_url(f"**run={told(curves, 'job')}**")
        button(page, "Train").click()
        until(page, lambda: int(told(curves, "step") or 0) > LEARNT)
        button(page, "Pause").click()
        button(page, "Resume").wait_for()
        yield latent(page)
    assert [text for text in said if not any(harmless in text for harmless in HARMLESS)] == []


@pytest.fixture
def page(opened):
    """The window as it was at first: the PCA map, nothing selected, the first tab."""
    opened.set_viewport_size(WINDOW)
    opened.get_by_role("tab", name="Steer").click()
    choose_map(opened, "PCA")
    button(opened, "Whole map").click()
    latent_map(opened).focus()
    opened.keyboard.press("Escape")
    until(opened, lambda: not told(latent_map(opened), "flying"))
    return opened


def narrow(page) -> None:
    """A phone's window, once the map has taken it in."""
    page.set_viewport_size({"width": 390, "height": 844})
    until(page, lambda: latent_map(page).locator("canvas.base").evaluate(
        "c => c.getBoundingClientRect().width < 390 && Math.abs(c.width / devicePixelRatio - c.clientWidth) < 2"))


def choose_map(page, name: str) -> None:
    page.get_by_role("group", name="Map").get_by_role("button", name=name).click()
    until(page, lambda: told(latent_map(page), "kind") == name.lower())


def middle(page) -> tuple[float, float, float]:
    """The middle of the map and half its smaller side, in the window's pixels."""
    box = latent_map(page).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, min(box["width"], box["height"]) / 2


def answer(page, path: str, question: dict) -> dict:
    """What the explorer's route says of the run on the page."""
    return page.request.post(explored(page, path), data=question).json()


def explored(page, path: str) -> str:
    name = page.url.split("run=")[1].split("&")[0]
    return page.url.split("/latent-space")[0] + f"/explore/{name}/{path}"


# Grey levels, 0 to 255, of a canvas that shows ink in the theme's two colours.
GREYS = """canvas => {
    const c = canvas.getContext('2d'), d = c.getImageData(0, 0, canvas.width, canvas.height).data, probe = document.createElement('i');
    canvas.parentElement.append(probe);
    const red = name => { probe.style.color = `var(--ap-${name})`; return Number(getComputedStyle(probe).color.match(/\\d+/)[0]); };
    const low = red('low'), high = red('high'), greys = [];
    for (let i = 0; i < d.length; i += 4) greys.push((d[i] - low) / (high - low) * 255);
    probe.remove();
    return greys;
}"""  # noqa: E501
PICTURE = """async (canvas, url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const c = new OffscreenCanvas(image.width, image.height).getContext('2d');
    c.drawImage(image, 0, 0);
    return [...c.getImageData(0, 0, image.width, image.height).data].filter((_, i) => i % 4 === 0);
}"""


def alike(one: list[float], other: list[float], within: float = 2.5) -> bool:
    return len(one) == len(other) and max(abs(a - b) for a, b in zip(one, other)) <= within


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
    rows = page.request.get(explored(page, "scores")).json()["rows"]
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


def test_a_run_is_followed_while_it_learns(visit):
    page = visit(f"{SMALL}&training.seed=7")
    latent(page)
    page.get_by_text("nothing has been learnt yet").wait_for()
    button(page, "Train").click()
    page.wait_for_selector("[data-testid=latent-page][data-status=live]", state="attached")
    until(page, lambda: int(told(latent_map(page), "step") or 0) > 60)
    button(page, "Pause").click()
    page.wait_for_selector("[data-testid=latent-page][data-status=ready]", state="attached")
    button(page, "Watch it form").click()
    until(page, lambda: int(told(latent_map(page), "frames") or 0) > 1)
    button(page, "Back to the map").click()
    until(page, lambda: told(latent_map(page), "kind") == "pca")
    page.get_by_role("link", name="Train").click()
    button(page, "Stop").click()


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
