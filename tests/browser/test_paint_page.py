"""The Paint page in a real Chromium: strokes by mouse, touch and keys, undo, masks, pictures, reloads."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.painted import (  # noqa: F401  (fixtures)
    WINDOW,
    at,
    button,
    canvas,
    finger,
    hidden,
    look,
    opened,
    page,
    result,
    settled,
    stroke,
    until,
)

pytestmark = pytest.mark.browser


def test_the_page_opens_with_a_result(opened):
    settled(opened)
    assert hidden(opened) == 196  # a quarter of 28 × 28, always the same
    for of in ("model", "telea", "biharmonic"):
        figure = opened.locator(f"canvas[data-of={of}]")
        assert 3 < float(figure.get_attribute("data-psnr")) < 60 and figure.get_attribute("data-ssim")
    assert opened.get_by_text("PSNR inside the hole").is_visible()
    assert "paint.data=glyphs" in opened.url and "paint.model=telea" in opened.url
    main = opened.get_by_test_id("stMain").evaluate("e => e.scrollHeight")
    assert main <= WINDOW["height"]  # it fits without scrolling


def test_a_stroke_by_mouse_changes_the_result_and_undo_brings_it_back(page):
    clean = look(page, result(page))
    stroke(page, (0.4, 0.45), (0.6, 0.5))
    once = settled(page)
    painted, count = look(page, result(page)), hidden(page)
    assert painted != clean and 20 < count < 200
    page.keyboard.press("Control+z")
    until(page, lambda: hidden(page) == 0)
    assert settled(page) != once and look(page, result(page)) == clean
    page.keyboard.press("Control+Shift+z")
    until(page, lambda: hidden(page) == count)
    settled(page)
    assert look(page, result(page)) == painted
    button(page, "Undo").click()
    page.keyboard.press("Control+y")
    until(page, lambda: hidden(page) == count)


def test_eraser_rectangle_and_invert_by_their_keys(page):
    page.keyboard.press("r")
    stroke(page, (0.251, 0.251), (0.749, 0.499))  # pixels 7 to 20 across, 7 to 13 down
    until(page, lambda: hidden(page) == 14 * 7)
    page.keyboard.press("i")
    until(page, lambda: hidden(page) == 784 - 98)
    page.keyboard.press("i")
    until(page, lambda: hidden(page) == 98)
    page.keyboard.press("e")
    stroke(page, (0.3, 0.3), (0.6, 0.3))
    until(page, lambda: 30 < hidden(page) < 98)
    page.keyboard.press("b")
    assert button(page, "Brush").get_attribute("aria-pressed") == "true"
    size = page.get_by_label("Brush size").locator("xpath=..").locator("output")
    before = size.inner_text()
    page.keyboard.press("]")
    assert int(size.inner_text().split()[0]) == int(before.split()[0]) + 1
    page.keyboard.press("[")
    assert size.inner_text() == before


def test_the_keyboard_paints_with_a_cursor(page):
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.down("Space")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    page.keyboard.up("Space")
    until(page, lambda: hidden(page) > 20)
    page.keyboard.press("Control+z")
    page.keyboard.press("r")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    until(page, lambda: hidden(page) == 4)


def test_holding_shows_the_original(page):
    stroke(page, (0.3, 0.5), (0.7, 0.5))
    settled(page)
    covered = look(page, canvas(page))
    page.mouse.move(5, 5)
    page.keyboard.down("o")
    page.wait_for_timeout(60)
    original = look(page, canvas(page))
    page.keyboard.up("o")
    page.wait_for_timeout(60)
    assert original != covered == look(page, canvas(page))
    box = button(page, "Hold for original").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.wait_for_timeout(60)
    assert look(page, canvas(page)) == original
    page.mouse.up()


def test_a_finger_paints_without_scrolling_and_two_fingers_zoom(page):
    page.set_viewport_size({"width": 390, "height": 700})  # here the page could scroll
    page.wait_for_timeout(300)
    main = page.get_by_test_id("stMain")
    canvas(page).scroll_into_view_if_needed()
    scrolled, clean = main.evaluate("e => e.scrollTop"), look(page, result(page))
    assert main.evaluate("e => e.scrollHeight > e.clientHeight") and main.evaluate("e => e.scrollWidth") <= 390
    finger(page, "touchStart", at(page, 0.3, 0.3))
    for k in range(1, 9):
        finger(page, "touchMove", at(page, 0.3, 0.3 + k * 0.05))
    finger(page, "touchEnd")
    until(page, lambda: hidden(page) > 20)
    settled(page)
    assert main.evaluate("e => e.scrollTop") == scrolled and look(page, result(page)) != clean
    count = hidden(page)
    finger(page, "touchStart", at(page, 0.45, 0.5))
    finger(page, "touchStart", at(page, 0.45, 0.5), at(page, 0.55, 0.5))
    for k in range(1, 6):
        finger(page, "touchMove", at(page, 0.45 - k * 0.05, 0.5), at(page, 0.55 + k * 0.05, 0.5))
    finger(page, "touchEnd")
    page.wait_for_timeout(60)
    assert float(canvas(page).get_attribute("data-zoom")) > 2 and hidden(page) == count
    assert main.evaluate("e => e.scrollTop") == scrolled
    canvas(page).focus()
    page.keyboard.press("0")
    until(page, lambda: canvas(page).get_attribute("data-zoom") == "1.00")


def test_the_wheel_zooms_where_the_pointer_is(page):
    page.mouse.move(*at(page, 0.25, 0.25))
    page.mouse.wheel(0, -700)
    until(page, lambda: float(canvas(page).get_attribute("data-zoom")) > 2)
    stroke(page, (0.25, 0.25), (0.25, 0.25))
    until(page, lambda: hidden(page) > 0)
    button(page, "Whole picture").click()
    page.wait_for_timeout(60)
    until(page, lambda: canvas(page).get_attribute("data-zoom") == "1.00")
    page.keyboard.press("e")
    count = hidden(page)
    stroke(page, (0.25, 0.25), (0.25, 0.25))  # the same place of the picture
    until(page, lambda: hidden(page) < count)


def test_strokes_survive_a_reload_a_page_change_and_a_lost_connection(page, server):
    stroke(page, (0.35, 0.4), (0.65, 0.6))
    settled(page)
    count, seen = hidden(page), look(page, result(page))
    page.reload()
    page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
    settled(page)
    assert hidden(page) == count and look(page, result(page)) == seen
    stroke(page, (0.2, 0.2), (0.2, 0.2))
    until(page, lambda: hidden(page) > count)
    more = hidden(page)
    page.get_by_test_id("stTopNav").get_by_role("link", name="Train").click()
    page.get_by_test_id("live-curves").wait_for(state="attached")
    page.get_by_role("link", name="Paint").click()
    page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
    until(page, lambda: hidden(page) == more)
    page.keyboard.press("Control+z")  # what was done before the page was left can be undone
    until(page, lambda: hidden(page) == count)
    page.context.set_offline(True)
    stroke(page, (0.8, 0.8), (0.8, 0.8))
    page.get_by_text("does not answer").wait_for()
    page.context.set_offline(False)
    assert hidden(page) > count
    stroke(page, (0.9, 0.9), (0.9, 0.9))
    page.wait_for_timeout(50)
    settled(page)
    told = page.get_by_test_id("paint-page").get_attribute("data-desk")
    assert page.request.get(f"{server.address}/paint/desk/{told}", headers={"referer": page.url}).ok


def test_masks_come_at_random_and_go_out_and_in(page, tmp_path):
    for name in ("Box", "Half", "Scratches", "Text", "Noise"):
        before, turn = look(page, canvas(page)), settled(page)
        button(page, name).click()
        until(page, lambda before=before: look(page, canvas(page)) != before)
        until(page, lambda turn=turn: page.get_by_test_id("paint-page").get_attribute("data-working") != turn)
        assert 0 < hidden(page) < 784
    count = hidden(page)
    with page.expect_download() as download:
        button(page, "Download the mask").click()
    download.value.save_as(tmp_path / "mask.png")
    saved = np.asarray(Image.open(tmp_path / "mask.png").convert("L"))
    assert saved.shape == (28, 28) and (saved > 127).sum() == count
    button(page, "Clear").click()
    page.locator(".maskfile").set_input_files(tmp_path / "mask.png")
    until(page, lambda: hidden(page) == count)
    settled(page)
    with page.expect_download() as download:
        button(page, "Download the result").click()
    download.value.save_as(tmp_path / "result.png")
    assert Image.open(tmp_path / "result.png").size == (28, 28)


def test_pictures_are_uploaded_drawn_and_refused_in_a_sentence(page, tmp_path):
    section = page.get_by_test_id("paint-page")
    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    page.locator("input.file").set_input_files(tmp_path / "broken.png")
    page.get_by_text("broken.png is not a PNG").wait_for()
    assert section.get_attribute("data-picture") == "glyphs 0"  # the one before stays
    picture, file = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8), io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    (tmp_path / "mine.png").write_bytes(file.getvalue())
    page.locator("input.file").set_input_files(tmp_path / "mine.png")
    until(page, lambda: section.get_attribute("data-picture") == "upload")
    settled(page)
    assert hidden(page) > 0 and page.get_by_text("nothing to compare with").is_visible()
    page.get_by_label("Compare with what I hide").check()
    page.get_by_text("PSNR inside the hole").wait_for()
    page.reload()  # an own picture comes back too
    page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
    assert section.get_attribute("data-picture") == "upload"
    button(page, "Draw").click()
    box = page.get_by_test_id("drawing").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 300, steps=5)
    page.mouse.up()
    button(page, "Use this drawing").click()
    until(page, lambda: section.get_attribute("data-picture") == "drawing")


def test_a_drawing_by_keyboard_and_escape_leads_back(page):
    button(page, "Draw").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("drawing").wait_for()
    page.keyboard.press("Escape")
    page.get_by_test_id("drawing").wait_for(state="hidden")
    for key in ("Enter", "Enter", "Shift+ArrowDown", "Shift+ArrowDown", "Enter", "Tab", "Enter"):  # from the button on
        page.keyboard.press(key)
    until(page, lambda: page.get_by_test_id("paint-page").get_attribute("data-picture") == "drawing")


def test_noise_is_removed_by_the_visitors_own_run(page):
    page.get_by_test_id("stTopNav").get_by_role("link", name="Train").click()
    button(page, "Train").click()
    curves = page.get_by_test_id("live-curves")
    until(page, lambda: int(curves.get_attribute("data-step") or 0) > 20)
    button(page, "Stop").click()
    page.get_by_role("link", name="Paint").click()
    page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
    button(page, "Remove noise").click()
    page.get_by_text("(before:").wait_for()
    settled(page)
    assert "paint.way=noise" in page.url or page.wait_for_url("**paint.way=noise**") is None
    whole = result(page).get_attribute("data-psnr")
    stroke(page, (0.3, 0.3), (0.7, 0.7))
    until(page, lambda: result(page).get_attribute("data-psnr") != whole)
    page.get_by_text("where noise was painted").wait_for()
    button(page, "Fill a hole").click()
    page.get_by_text("PSNR inside the hole").wait_for()
    page.get_by_label("Model", exact=True).select_option(
        label=page.locator("optgroup[label^=Projection] option").first.inner_text()
    )
    page.get_by_text("(projection)").wait_for()


def test_a_refused_camera_is_one_sentence_and_a_file_instead(page):
    refused = "Promise.reject(new DOMException('no', 'NotAllowedError'))"
    page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = () => {refused}; }}")  # a visitor who says no
    with page.expect_file_chooser():
        button(page, "Camera").click()
    page.get_by_text("may not use a camera").wait_for()


def test_a_server_that_forgot_the_picture_is_given_it_again(page):
    section = page.get_by_test_id("paint-page")
    stroke(page, (0.4, 0.4), (0.6, 0.4))
    settled(page)
    count, before = hidden(page), page.evaluate("JSON.parse(sessionStorage['playground.paint']).desk")
    gone = {"status": 404, "json": {"problem": "There is no picture of that name here any more: choose one again."}}
    page.route("**/restore", lambda route: route.fulfill(**gone), times=1)
    stroke(page, (0.4, 0.7), (0.6, 0.7))
    until(page, lambda: page.evaluate("JSON.parse(sessionStorage['playground.paint']).desk") != before)
    settled(page)
    assert hidden(page) > count and section.get_attribute("data-status") == "ready"
    assert float(result(page).get_attribute("data-psnr")) > 3
