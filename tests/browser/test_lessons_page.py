"""A lesson's number, or a run's name, alone in the address: the page that a real Chromium ends on; and the gallery."""

from __future__ import annotations

import pytest

from tests.browser.seen import told, until
from tests.browser.test_teach_page import go_to
from tests.browser.test_train_page import SMALL

pytestmark = pytest.mark.browser


def test_a_lessons_number_alone_leads_to_its_page(visit, server):
    page = visit("lesson=7&hide=step")
    page.get_by_test_id("lesson").get_by_text("Sparse: many units").wait_for()
    until(page, lambda: all(one in page.url for one in ("architecture.code=400", "variant=sparse", "hide=step")))
    page.get_by_role("slider", name="Code").first.wait_for()
    page.get_by_text("400").first.wait_for()
    page.goto(f"{server.address}/?lesson=9")
    page.get_by_test_id("lesson").get_by_text("The manifold").wait_for()
    page.get_by_test_id("latent-map").wait_for()
    until(page, lambda: "/latent-space?" in page.url and "model=undercomplete-digits-2" in page.url)
    page.get_by_role("button", name="Walk").wait_for()


def test_the_name_of_a_run_alone_shows_it(visit, server):
    page = visit(f"{SMALL}&variant=sparse")
    curves = page.get_by_test_id("live-curves")
    job = told(curves, "job")
    page.goto(f"{server.address}/?run={job}&hide=reseed")
    until(page, lambda: told(curves, "job") == job and "variant=sparse" in page.url)
    until(page, lambda: "architecture.code=4" in page.url and "hide=reseed" in page.url)


def test_each_card_of_the_gallery_says_what_to_try(visit):
    page = visit(SMALL)
    go_to(page, "Gallery")
    card = page.locator("a.ap-card", has=page.get_by_role("heading", name="undercomplete-digits", exact=True))
    card.wait_for()
    assert "Try: set Code size to 2 and train" in card.inner_text()
    card.click()
    curves = page.get_by_test_id("live-curves")
    until(page, lambda: curves.count() == 1 and told(curves, "status") == "done")
    page.get_by_role("slider", name="Code size").first.wait_for()  # what it speaks of is there
