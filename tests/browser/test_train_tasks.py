"""The Train page's tasks in a real Chromium: another task is chosen, trained and left again."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.browser.test_train_page import SMALL, button, data, ready, step, until

pytestmark = pytest.mark.browser


def choose_task(page, title: str) -> None:
    page.get_by_role("combobox", name="Task").click()
    page.get_by_role("option", name=title).click()


def test_inpainting_is_chosen_trained_and_left_again(visit):
    page = ready(visit(f"{SMALL}&variant=sparse&variant.rho=0.2"))
    choose_task(page, "Inpaint")
    page.get_by_role("radio", name="U-Net").click()
    page.wait_for_url("**task=inpaint**")
    page.wait_for_url("**architecture=unet**")
    assert "variant" not in page.url and page.get_by_role("radio", name="Sparse").count() == 0
    ready(page)
    network = page.get_by_test_id("network")
    until(page, lambda: network.locator(".skip").count() == 3)
    button(page, "Train").click()
    pictures = page.get_by_test_id("live-reconstructions")
    until(page, lambda: step(page) > 3 and pictures.get_attribute("data-grades"))
    button(page, "Stop").click()
    until(page, lambda: data(page, "status") == "stopped")
    link = re.sub(r"&?run=[^&]*", "", page.url)
    choose_task(page, "Reconstruct")
    page.get_by_role("radio", name="Sparse").wait_for()
    page.wait_for_url("**variant.rho=0.2**")
    assert page.get_by_role("radio", name="Sparse").is_checked() and "architecture=unet" not in page.url
    assert page.get_by_role("radio", name="U-Net").count() == 0
    other = ready(visit(address=link))  # the link of before, on another machine
    assert other.get_by_role("radio", name="U-Net").is_checked() and "task=inpaint" in other.url


@pytest.mark.parametrize("query", ["variant=sparse", "task=segment&architecture=unet&data=shapes&data.count=300"])
def test_the_objectives_terms_stand_beside_each_other(visit, query):
    """Each with its value and words under it, the operators between them, none over another."""
    page = ready(visit(query))
    parts = page.get_by_test_id("objective").locator(".formula > *")
    boxes = [one.bounding_box() for one in parts.all()]
    assert parts.locator("math").count() == 3 and len(boxes) == 5
    for left, right in pairwise(boxes):  # in reading order, also where they go on in another row
        beside = left["x"] + left["width"] <= right["x"] + 1
        assert beside or left["y"] + left["height"] <= right["y"] + 1
    for one, box in zip(parts.all(), boxes, strict=True):
        for piece in one.locator("math, .value, .words").all():
            inside = piece.bounding_box()
            assert box["x"] - 1 <= inside["x"] and inside["x"] + inside["width"] <= box["x"] + box["width"] + 1


def test_who_leaves_as_a_run_ends_is_not_called_back(visit):
    """The page tells the script that a run has ended; that word must not undo a click on another page before it."""
    page = visit(SMALL.replace("training.epochs=10000", "training.epochs=1"))
    button(ready(page), "Train").click()
    until(page, lambda: data(page, "status") == "done")
    page.get_by_role("link", name="Paint").click()
    page.get_by_test_id("paint-page").wait_for()
    page.wait_for_timeout(1000)  # longer than the word takes
    assert page.get_by_test_id("paint-page").is_visible() and "/paint" in page.url


def test_the_first_page_shows_how_its_codes_came_to_lie_where_they_do(visit):
    page = visit()
    codes = page.get_by_test_id("live-codes")
    replay, words = codes.get_by_role("button", name="Replay"), codes.locator(".sub")
    until(page, lambda: int(codes.get_attribute("data-frame") or 0) > 1)  # by themselves
    assert replay.get_attribute("aria-pressed") == "true" and words.inner_text().startswith("step ")
    early = codes.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")
    until(page, lambda: replay.get_attribute("aria-pressed") == "false")
    assert codes.get_attribute("data-frame") == codes.get_attribute("data-film")
    assert "held-out images" in words.inner_text()
    assert codes.locator("canvas").first.evaluate("canvas => canvas.toDataURL()") != early
    replay.click()
    until(page, lambda: codes.get_attribute("data-frame") in ("1", "2"))
    button(page, "Reset").click()  # a run that has no film yet
    until(page, lambda: data(page, "status") == "ready" and replay.is_hidden())
    still = visit(reduced_motion="reduce")  # who wants nothing to move by itself
    still.wait_for_selector("[data-testid=live-codes][data-film]", state="attached")
    still.wait_for_timeout(300)
    assert still.get_by_test_id("live-codes").get_attribute("data-frame") is None
    still.get_by_role("button", name="Replay").click()
    until(still, lambda: int(still.get_by_test_id("live-codes").get_attribute("data-frame") or 0) > 1)


AT_THE_WORD = """() => {
    const real = window.setTimeout;
    let waits = true;
    window.setTimeout = (what, delay, ...more) => {
        const timer = real(what, delay, ...more);
        if (waits && new Error().stack.includes('scheduleFlush')) {
            waits = false;
            window.clicked = true;
            queueMicrotask(() => document.querySelector('a[href$="/paint"]').click());
        }
        return timer;
    };
}"""


def test_a_click_between_the_word_and_its_sending_comes_after_it(visit):
    """Streamlit sends a word of a component a turn later: a click on another page in between must not be overtaken."""
    page = ready(visit(SMALL))
    button(page, "Train").click()
    button(page, "Pause").wait_for()
    page.evaluate(AT_THE_WORD)
    other = visit(address=page.url)
    button(other, "Pause").click()  # of which the status line of the first page has to tell its script
    page.get_by_test_id("paint-page").wait_for()
    assert page.evaluate("window.clicked")
    page.wait_for_timeout(1000)
    assert page.get_by_test_id("paint-page").is_visible() and "/paint" in page.url
    page.get_by_role("link", name="Train").click()
    button(page, "Resume").wait_for()
    assert page.get_by_role("radio", name="Dense").is_checked()
