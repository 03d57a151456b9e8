"""The Paint page with a model that was trained to fill, and large pictures when the server was started anew."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import HARMLESS
from tests.browser.painted import EXPECTED, button, hidden, result, settled, stroke, until

pytestmark = pytest.mark.browser

QUICK = "task=inpaint&architecture=unet&architecture.width=4&architecture.depth=2&training.epochs=2&data.count=400"


@pytest.fixture
def paint(browser, server):
    """paint(query) opens the Paint page in a window of its own; its console must stay clean."""
    opened, said = [], []

    def open_page(query: str = "", **settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings})
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{server.address}/paint?{query}")
        page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
        return page

    yield open_page
    for context in opened:
        context.close()
    assert [text for text in said if not any(part in text for part in (*EXPECTED, *HARMLESS))] == []


def test_a_model_that_was_trained_to_fill_is_chosen_first(visit, server):
    page = visit(QUICK)
    button(page, "Train").click()
    curves = page.get_by_test_id("live-curves")
    until(page, lambda: curves.get_attribute("data-status") == "done", seconds=60)
    page.get_by_role("link", name="Paint").click()
    page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
    settled(page)
    select = page.get_by_label("Model", exact=True)
    assert select.evaluate("e => e.selectedOptions[0].parentElement.label") == "Trained to fill"
    assert "your run" in select.evaluate("e => e.selectedOptions[0].text")
    assert page.get_by_role("heading", name="Filled").is_visible()
    assert page.get_by_role("link", name="Train a model to fill").count() == 0
    before = float(result(page).get_attribute("data-psnr"))
    stroke(page, (0.2, 0.2), (0.4, 0.3))
    settled(page)
    assert before > 3 and float(result(page).get_attribute("data-psnr")) != before
    page.get_by_role("link", name="Latent space").click()
    page.wait_for_selector("[data-testid=latent-page][data-status=none]", state="attached")
    page.get_by_text("has no code that images come back from").wait_for()
    assert not page.get_by_test_id("latent-map").is_visible()


def test_a_good_experiment_is_a_click_away_where_none_fills(paint, server):
    page = paint("data=glyphs&data.count=1000")
    link = page.locator("a.train")  # it is seen where no model was trained to fill
    page.goto(server.address + link.get_attribute("href").removeprefix(server.address))
    page.wait_for_selector("[data-testid=live-curves]:not([data-status=opening])", state="attached")
    page.wait_for_url("**task=inpaint**")
    assert page.get_by_role("radio", name="U-Net").is_checked() and "training.loss=bce" in page.url
    assert "data=glyphs" in page.url


def test_another_link_in_the_same_window_opens_what_it_says(paint, server):
    fill = "paint.use=inpaint&paint.model=inpaint-shapes&paint.data=shapes"
    clean = "paint.way=noise&paint.use=denoise&paint.model=denoising-shapes&paint.data=shapes"
    page = paint(fill)
    for query, model, way in ((clean, "denoise:denoising-shapes", "noise"), (fill, "inpaint:inpaint-shapes", "fill")):
        page.goto(f"{server.address}/paint?{query}")
        for again in (False, True):
            if again:
                page.reload()
            page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
            settled(page)
            assert page.get_by_label("Model", exact=True).input_value() == model
            assert page.get_by_test_id("paint-page").get_attribute("data-way") == way
            assert "noise" != way or hidden(page) == 0  # what was to be filled is not all that noise is put in
            assert "fill" != way or hidden(page) > 0


def large(tmp_path):
    picture, file = np.random.default_rng(0).integers(0, 256, (900, 1400, 3), np.uint8), io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    (tmp_path / "mine.png").write_bytes(file.getvalue())
    assert len(file.getvalue()) > 3e6  # more than a session's storage is given for it
    return tmp_path / "mine.png"


def forget(page, what: str, times: int = 1) -> None:
    """Let the server answer as one that was started anew."""
    gone = {"status": 404, "json": {"problem": "There is no picture of that name here any more: choose one again."}}
    page.route(what, lambda route: route.fulfill(**gone), times=times)


def brought(paint, tmp_path):
    page = paint("data=glyphs&data.count=1000&paint.model=telea&paint.use=classical")
    section = page.get_by_test_id("paint-page")
    page.locator("input.file").set_input_files(large(tmp_path))
    until(page, lambda: section.get_attribute("data-picture") == "upload", seconds=40)
    stroke(page, (0.4, 0.4), (0.5, 0.45))
    settled(page)
    return page, section


def test_a_large_picture_comes_back_by_itself_to_a_server_that_was_started_anew(paint, tmp_path):
    page, section = brought(paint, tmp_path)
    count, before = hidden(page), section.get_attribute("data-desk")
    forget(page, f"**/paint/desk/{before}")
    page.reload()
    page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
    page.get_by_text("was brought to it again, with what you hid").wait_for()
    assert section.get_attribute("data-picture") == "upload" and section.get_attribute("data-desk") != before
    assert hidden(page) == count
    forget(page, "**/restore")  # and while the page stays open
    again = section.get_attribute("data-desk")
    stroke(page, (0.6, 0.6), (0.65, 0.65))
    until(page, lambda: section.get_attribute("data-desk") not in ("", again) or page.evaluate(
        "JSON.parse(sessionStorage['playground.paint']).desk") not in ("", again), seconds=30)
    settled(page)
    assert hidden(page) > count


def test_where_the_browser_kept_nothing_one_sentence_says_so(paint, tmp_path):
    page, section = brought(paint, tmp_path)
    page.evaluate("""() => new Promise(done => {
        const asked = indexedDB.open('playground.paint');
        asked.onsuccess = () => {
            const all = asked.result.transaction('files', 'readwrite').objectStore('files').clear();
            all.onsuccess = done;
        };
    })""")
    forget(page, f"**/paint/desk/{section.get_attribute('data-desk')}")
    page.reload()
    page.get_by_role("alert").filter(has_text="kept no copy of your picture: bring it again").wait_for()
    page.wait_for_selector("[data-testid=paint-page][data-done]", state="attached")
    assert section.get_attribute("data-picture") != "upload" and section.get_attribute("data-status") == "ready"
