"""The pages Teach and Models in a real Chromium: from a choice to the link that a class opens, from a file to a run."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from playground import incoming
from playground.library import SHIPPED
from tests.browser.seen import button, told, until
from tests.browser.test_train_page import SMALL

pytestmark = pytest.mark.browser
NAME = "undercomplete-digits-2"


def go_to(page, name: str) -> None:
    """A page under Learn, by the menu."""
    page.get_by_test_id("stTopNavSection").filter(has_text="Learn").click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=name).click()


def seen(picture: bytes) -> str:
    """What a camera reads on a picture of the screen."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return cv2.QRCodeDetectorAruco().detectAndDecode(pixels)[0]


def test_from_a_choice_to_the_opened_link_with_the_hidden_parts_gone(visit, server, tmp_path):
    page = visit(SMALL, color_scheme="dark", permissions=["clipboard-read", "clipboard-write"])
    go_to(page, "Teach")
    shared = page.get_by_test_id("share")
    shared.wait_for()
    for words in ("Reseed", "Network: Depth"):
        page.get_by_role("combobox", name="Leave out").fill(words)
        page.get_by_role("option", name=words, exact=True).wait_for()
        page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    link = f"{server.address}/?lesson=1&hide=reseed,depth"
    until(page, lambda: told(shared, "link") == link)
    code = shared.get_by_role("img", name="QR code of the link")
    code.scroll_into_view_if_needed()
    assert seen(code.screenshot()) == link and code.bounding_box()["width"] > 400
    button(page, "Copy link").click()
    until(page, lambda: page.evaluate("navigator.clipboard.readText()") == link)
    for kind in ("SVG", "PNG"):
        with page.expect_download() as saved:
            page.get_by_role("link", name=kind, exact=True).click()
        saved.value.save_as(tmp_path / saved.value.suggested_filename)
    assert seen((tmp_path / "playground.png").read_bytes()) == link
    assert (tmp_path / "playground.svg").read_text("utf-8").count("<svg") == 1

    page.goto(link)
    button(page, "Step").wait_for()
    page.get_by_test_id("lesson").wait_for()
    page.get_by_role("slider", name="Code").first.wait_for()
    assert button(page, "Reseed").count() == 0 and button(page, "Reset").count() == 1
    assert page.get_by_role("slider", name="Depth").count() == 0
    until(page, lambda: "hide=depth%2Creseed" in page.url and "lesson=1" in page.url)


def test_a_model_is_brought_opened_and_taken(visit, tmp_path):
    page = visit(SMALL)
    go_to(page, "Models")
    page.get_by_test_id("model").wait_for()  # by then all of the page is there
    upload, said = page.get_by_test_id("stFileUploader").locator("input"), page.get_by_test_id("models-said")
    (tmp_path / "broken.safetensors").write_bytes(b"nothing of the kind")
    upload.set_input_files(tmp_path / "broken.safetensors")
    until(page, lambda: "broken.safetensors is damaged" in said.inner_text())
    until(page, lambda: upload.count() == 1)  # the place for a file is made anew for the next one
    (tmp_path / "pickled.pt").write_bytes(b"another kind of file")
    upload.set_input_files(tmp_path / "pickled.pt")  # which the place for files refuses by itself: nothing else is said
    refused = page.get_by_test_id("models-refused")
    until(page, lambda: refused.is_visible() and not said.is_visible())
    assert "not taken" in refused.inner_text() and ".safetensors" in refused.inner_text()
    page.get_by_role("textbox", name="Or fetch it from a hub").fill("no name")
    button(page, "Fetch").click()
    until(page, lambda: said.is_visible() and "broken" not in said.inner_text())
    assert not refused.is_visible()
    until(page, lambda: upload.count() == 1)
    upload.set_input_files(SHIPPED / NAME / "model.safetensors")
    until(page, lambda: "model.safetensors is here" in said.inner_text())
    model = page.get_by_test_id("model")
    until(page, lambda: "Brought from" in model.inner_text())
    with page.expect_download() as saved:
        button(page, "Download the file (.safetensors)").click()
    saved.value.save_as(tmp_path / "mine.safetensors")
    ours, theirs = (incoming.read(path.read_bytes()).tensors
                    for path in (tmp_path / "mine.safetensors", SHIPPED / NAME / "model.safetensors"))
    assert ours.keys() == theirs.keys() and all(bool((ours[key] == theirs[key]).all()) for key in theirs)

    job = told(model, "model")
    model.get_by_role("link", name="Train", exact=True).click()
    curves = page.get_by_test_id("live-curves")
    until(page, lambda: told(curves, "job") == job and told(curves, "status") == "done")
    page.get_by_role("link", name="Latent space").click()
    until(page, lambda: f"model={job}" in page.url or f"run={job}" in page.url)
    page.get_by_test_id("latent-map").wait_for()
