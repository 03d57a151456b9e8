"""Two browsers at a server that is shared: neither finds the other's run in a list, nor stops it; the teacher does."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Server
from tests.browser.seen import button, told, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
QUERY = "architecture.code=4&architecture.width=32&training.epochs=10000"


@pytest.fixture
def shared(tmp_path, monkeypatch, chromium):
    monkeypatch.setenv("PLAYGROUND_CAP_SHARED", "yes")
    monkeypatch.setenv("PLAYGROUND_TEACHER", "correct horse")
    running = Server(tmp_path).wait()
    yield running
    running.interrupt()


def arrive(context, address: str):
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_test_id("live-curves").wait_for(state="attached")
    until(page, lambda: status(page) not in ("", "opening"))
    return page


def status(page) -> str:
    return told(page.get_by_test_id("live-curves"), "status")


def run(page) -> str:
    return told(page.get_by_test_id("live-curves"), "job")


def listed(page) -> list[str]:
    """The runs and models that the Latent space page offers."""
    page.get_by_role("link", name="Latent space").click()
    chooser = page.get_by_test_id("latent-page").get_by_label("Model", exact=True)
    until(page, lambda: chooser.locator("option").count() > 0)
    return [one.get_attribute("value") for one in chooser.locator("option").all()]


def test_two_browsers(browser, shared):
    with browser.new_context() as anna, browser.new_context() as ben:
        page = arrive(anna, f"{shared.address}/?{QUERY}")
        button(page, "Train").click()
        until(page, lambda: status(page) == "running")
        annas = run(page)
        (key,) = [one for one in anna.cookies() if one["name"] == "playground"]
        assert key["httpOnly"] and key["sameSite"] == "Lax" and "playground" not in page.evaluate("document.cookie")

        other = arrive(ben, f"{shared.address}/?{QUERY}")
        assert annas not in listed(other) and run(page) == annas

        other = arrive(ben, f"{shared.address}/?{QUERY}&run={annas}")  # a link is enough to look
        assert run(other) == annas and button(other, "Stop").is_disabled()
        other.get_by_text("somebody else's").wait_for()
        button(other, "Train").click()
        until(other, lambda: run(other) != annas and status(other) == "running")
        bens = run(other)
        button(other, "Stop").click()
        until(other, lambda: status(other) == "stopped")
        assert status(page) == "running" and run(page) == annas

        page.reload()  # whose run it is knows the browser, not the page
        until(page, lambda: run(page) == annas and status(page) == "running")
        assert {annas, bens} & {*listed(page)} == {annas}

        other.goto(f"{shared.address}/about")
        other.get_by_label("Teacher's password").fill("correct horse")
        button(other, "See all runs").click()
        other.get_by_text("All runs of this server").wait_for()
        assert {annas, bens} <= {*listed(other)}
