"""The Studio in a real Chromium: painting by mouse and by touch, each way, training live, and who else is asked."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from playground import aec
from playground.images import to_png
from tests.browser import seen
from tests.browser.axe import severe, severe_in_both_themes

until = partial(seen.until, seconds=20.0)
pytestmark = pytest.mark.browser

OURS = ("No draw texture found for layer",)  # Gradio's editor says so of a layer that is not there yet


def facts(page) -> str:
    return page.locator("#restore-facts").inner_text()


def told(page, name: str, piece: str = "live-curves") -> str:
    return page.get_by_test_id(piece).get_attribute(f"data-{name}") or ""


def _left(text: str) -> bool:
    """Whether Gradio only says that its stream was cut off as the page was left."""
    return text.startswith("AbortError: signal is aborted") or "Connection errored out" in text


@pytest.fixture(scope="module")
def window(browser):
    """One window for all tests here that train nothing: what it has loaded once it need not load again."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as opened:
        yield opened


@pytest.fixture
def studio(browser, window, server):
    """studio(**settings) opens the page with its first picture restored; it asks nobody else, without complaint.

    In a window of its own if `mine`, or if it has settings: runs are their browser's own, and chosen by themselves.
    """
    opened, said, strangers = [], [], []

    def open_page(mine: bool = False, **settings):
        where = window
        if mine or settings:
            where = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings})
        page = where.new_page()
        opened.append(page if where is window else where)
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                strangers.append(asked.url) if not asked.url.startswith((server.address, "data:", "blob:")) else None
            ),
        )
        page.goto(f"{server.address}/studio/", timeout=120_000)  # the first one has Gradio loaded
        page.wait_for_selector("#restore-editor canvas")
        until(page, lambda: "hidden" in facts(page))
        page.wait_for_timeout(600)  # the editor draws its picture
        return page

    yield open_page
    for one in opened:
        one.close()
    assert strangers == [] and [text for text in said if text not in OURS and not _left(text)] == []


def middle(page) -> tuple[float, float]:
    page.locator("#restore-editor canvas").first.scroll_into_view_if_needed()
    box = page.locator("#restore-editor canvas").first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def result(page) -> list[str]:
    return page.locator("#restore-result img").evaluate_all("all => all.map(one => one.src)")


def test_a_stroke_of_the_mouse_changes_the_result(studio):
    page = studio()
    before, seen = facts(page), result(page)
    x, y = middle(page)
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    for k in range(12):
        page.mouse.move(x - 60 + 8 * k, y - 60)
    page.mouse.up()
    until(page, lambda: facts(page).split("%")[0] != before.split("%")[0] and result(page) != seen)


def test_a_finger_paints_too_and_the_page_fits_a_phone(studio):
    page = studio(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    before = facts(page)
    x, y = middle(page)
    hand = page.context.new_cdp_session(page)
    hand.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x - 50, "y": y - 50}]})
    for k in range(10):
        hand.send(
            "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x - 50 + 8 * k, "y": y - 50}]}
        )
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    until(page, lambda: facts(page).split("%")[0] != before.split("%")[0])


def test_an_example_runs_on_click(studio):
    page = studio()
    seen = result(page)
    page.locator("#restore-examples button:has(img)").nth(2).click()
    until(page, lambda: result(page) != seen)


def test_an_example_is_labelled_on_click_whatever_is_asked_of_it(studio):
    page = studio()
    page.get_by_role("tab", name="Label").click()
    examples, way = page.locator("#label-examples button:has(img)"), page.locator("#label-ways label:has(:checked)")
    shown = page.locator("#label-result img")
    for number, name in ((1, "Every pixel"), (4, "Boxes"), (0, "Its class")):
        before = shown.evaluate_all("all => all.map(one => one.src)")
        examples.nth(number).click()
        until(page, lambda name=name: way.inner_text().strip() == name)
        until(page, lambda before=before: shown.evaluate_all("all => all.map(one => one.src)") != before)
    until(page, lambda: "%" in page.locator("#label-scores").inner_text())


def drawn() -> bytes:
    """A one, in ink on paper, as a PNG."""
    image = np.full((1, 50, 50), 255, np.uint8)
    image[:, 8:42, 22:28] = 0
    return to_png(image)


def brought(page, place: str, name: str, data: bytes) -> None:
    page.locator(f"{place} input[type=file]").first.set_input_files({"name": name, "mimeType": "", "buffer": data})


def complaints(page) -> list[str]:
    """What the page's notices complain of, a sentence for each time."""
    return page.locator("[data-testid=toast-text]").all_inner_texts()


def test_a_picture_finds_its_like_and_one_that_is_none_is_complained_of_once(studio):
    page = studio()
    page.get_by_role("tab", name="Label").click()
    brought(page, "#label-picture", "text.png", b"no picture")
    until(page, lambda: len(complaints(page)) == 1)
    page.locator("#label-picture img").wait_for(state="detached")
    with page.expect_response(lambda answer: "queue/join" in answer.url):
        page.get_by_role("button", name="Label it").click()
    page.wait_for_timeout(500)
    assert len(complaints(page)) == 1
    page.locator("#label-examples button:has(img)").last.click()
    neighbours = {by: page.locator(f"#label-like [data-by={by}] figure") for by in ("code", "pixels")}
    worth = {by: page.locator(f"#label-worth [data-by={by}] .precision") for by in neighbours}
    until(page, lambda: all(one.count() == 10 for one in neighbours.values()))
    until(page, lambda: all("%" in one.inner_text() for one in worth.values()))
    assert page.locator("#label-model input").input_value().startswith("Undercomplete 16")
    distances = neighbours["code"].first.inner_text()
    page.locator("#label-model input").click()
    page.get_by_role("option", name="Linear").first.click()  # another model answers at once
    until(page, lambda: neighbours["code"].first.inner_text() != distances)
    asked = page.locator("#label-like .asked img")
    before = asked.get_attribute("src")
    page.get_by_role("button", name="Remove Image").click()
    brought(page, "#label-picture", "mine.png", drawn())
    until(page, lambda: asked.get_attribute("src") != before)
    assert neighbours["pixels"].locator("b").all_inner_texts().count("1") >= 7  # found although it is dark on light
    assert severe(page) == []


def test_a_picture_becomes_a_file_and_the_file_a_picture(studio):
    page = studio()
    title = page.locator("#restore-editor [data-testid=block-label]")
    page.locator("#restore-examples button:has(img)").last.click()
    save = page.locator("#restore-packed")
    save.wait_for()
    until(page, lambda: "Model, 4 bits" in facts(page) and "WebP" in facts(page))
    assert title.inner_text() == "Picture to compress"
    with page.expect_download() as saved:
        save.click()
    data = saved.value.path().read_bytes()
    assert aec.read(data).bits == 4 and f"{len(data)} bytes" in facts(page)
    brought(page, "#restore-unpack", "mine.aec", data)
    page.locator("#restore-unpacked img").first.wait_for()
    page.get_by_text(f"1 picture of {len(data)} bytes.").wait_for()
    page.locator("#restore-unpack").get_by_role("button", name="Clear").click()
    brought(page, "#restore-unpack", "half.aec", data[:30])
    until(page, lambda: complaints(page) == ["half.aec is damaged or cut off."])
    page.get_by_role("radio", name="8 bits").click()
    until(page, lambda: "Model, 8 bits" in facts(page))
    assert severe(page) == []
    page.get_by_role("radio", name="Make it larger").click()
    save.wait_for(state="detached")
    until(page, lambda: title.inner_text() == "Picture to make larger")


def test_axe_finds_nothing_severe_in_any_tab(studio):
    page, found = studio(), {}
    for name in dict.fromkeys(filter(None, page.get_by_role("tab").all_inner_texts())):
        page.get_by_role("tab", name=name, exact=True).first.click()
        page.wait_for_timeout(300)
        found[name] = severe_in_both_themes(page)
        until(page, lambda: page.evaluate("document.body.classList.contains('dark')"))
    assert {*found} >= {"Restore", "Label", "Explore", "Train"}
    assert not {name: faults for name, faults in found.items() if faults}


def test_training_is_live_in_the_same_element_until_stop_and_then_explored(studio):
    page = studio(mine=True)
    page.get_by_role("tab", name="Train").click()
    page.get_by_text("More").click()
    page.get_by_role("spinbutton", name="number input for Epochs").fill("1000")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Train", exact=True).click()
    until(page, lambda: int(told(page, "step") or 0) > 50)
    page.evaluate("window.first = document.querySelector('#train-curves .ap-piece').shadowRoot.querySelector('svg')")
    step = int(told(page, "step"))
    until(page, lambda: int(told(page, "step")) > step + 200)
    same = "window.first === document.querySelector('#train-curves .ap-piece').shadowRoot.querySelector('svg')"
    assert page.evaluate(f"{same} && window.first.isConnected && window.first.clientHeight > 100")
    assert page.get_by_test_id("live-reconstructions").locator("canvas").first.is_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    until(page, lambda: told(page, "status") == "stopped")
    page.get_by_role("tab", name="Explore").click()
    page.wait_for_selector("[data-testid=latent-map][data-status=ready][data-grid=ready]", state="attached")
    until(page, lambda: told(page, "source", "decoded-image") == "exact")
    page.get_by_test_id("latent-map").scroll_into_view_if_needed()
    box, before = page.get_by_test_id("latent-map").bounding_box(), told(page, "chosen", "latent-map")
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    until(
        page, lambda: told(page, "chosen", "latent-map") != before and told(page, "source", "decoded-image") == "exact"
    )
    page.get_by_role("slider", name="Direction 1, in standard deviations").wait_for()
    page.get_by_test_id("interpolation").wait_for()


def test_the_lab_and_the_studio_lead_to_each_other_and_share_their_models(studio, visit):
    lab = visit("architecture.code=3&architecture.width=16&training.epochs=2")
    lab.get_by_role("button", name="Train", exact=True).click()
    until(lab, lambda: told(lab, "status") == "done")
    job = told(lab, "job")
    lab.get_by_role("link", name="Studio").click()
    lab.wait_for_url("**/studio/**")
    key = lab.context.storage_state()
    lab.close()
    page = studio(storage_state=key)
    page.locator("#restore-model input").click()
    until(page, lambda: page.get_by_role("option", name="Undercomplete 3").count() > 0)
    page.get_by_role("link", name="Lab").click()
    page.wait_for_selector("[data-testid=live-curves]", state="attached")
    assert job


def test_inpainting_is_trained_stopped_resumed_and_then_fills(studio):
    page = studio(mine=True)
    page.get_by_role("tab", name="Train").click()
    variant = page.locator("#train-variant")
    variant.wait_for()
    page.get_by_role("radio", name="Inpaint").click()
    variant.wait_for(state="hidden")
    page.get_by_role("radio", name="U-Net").click()
    page.get_by_text("Middle maps").first.wait_for()
    go, stop, resume = (page.get_by_role("button", name=name, exact=True) for name in ("Train", "Stop", "Resume"))
    assert resume.is_disabled()
    go.click()
    until(page, lambda: int(told(page, "step") or 0) > 2, seconds=60)
    stop.click()
    until(page, lambda: told(page, "status") == "stopped" and resume.is_enabled())
    step, run = int(told(page, "step")), told(page, "job")
    resume.click()
    until(page, lambda: int(told(page, "step")) > step and told(page, "job") == run, seconds=60)
    stop.click()
    until(page, lambda: told(page, "status") == "stopped" and resume.is_enabled())
    page.get_by_role("radio", name="Reconstruct").first.click()
    variant.wait_for()
    assert page.get_by_role("radio", name="U-Net").count() == 0
    other = studio(storage_state=page.context.storage_state())  # the same browser, later: it is chosen by itself
    assert other.locator("#restore-model input").input_value().startswith("Inpaint 64")
    until(other, lambda: other.locator("#restore-result img").count() > 0 and "hidden" in facts(other))
    other.get_by_role("tab", name="Train").click()
    other.locator("#train-run input").click()
    other.get_by_role("option", name=run[:6]).click()
    until(other, lambda: told(other, "job") == run and other.get_by_role("button", name="Resume").is_enabled())
