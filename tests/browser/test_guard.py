"""The guard in a real Chromium. That pages break none of their own rules, all browser tests hold: a violation is an
error in the console, which they want clean."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.conftest import Server, free_port
from tests.browser.seen import until

pytestmark = pytest.mark.browser
ELSEWHERE = "http://localhost:9999/"  # another origin, which the test answers for
VIOLATIONS = "window.said = []; addEventListener('securitypolicyviolation', e => said.push(e.effectiveDirective))"


@pytest.fixture
def page(browser):
    with browser.new_context() as context:
        context.add_init_script(VIOLATIONS)
        opened = context.new_page()
        opened.set_default_timeout(60_000)
        yield opened


def test_pages_under_learn_keep_the_rules_and_a_foreign_script_does_not_run(page, server):
    page.goto(f"{server.address}/")
    page.wait_for_selector("[data-testid=live-curves]", state="attached")
    for name, title in (("lessons", "Lessons"), ("gallery", "Gallery"), ("about", "About")):
        page.goto(f"{server.address}/{name}")
        page.get_by_role("heading", name=title).first.wait_for()
        assert page.evaluate("said") == []
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert page.evaluate("window.ran") is None
    until(page, lambda: page.evaluate("said") == ["script-src-elem"])


def test_a_page_of_another_origin_reaches_nothing_and_frames_nothing(page, server):
    page.route(ELSEWHERE, lambda route: route.fulfill(content_type="text/html", body="<p>elsewhere</p>"))
    page.goto(ELSEWHERE)
    paths = ("/explore/undercomplete-digits/map?kind=umap", "/explore/undercomplete-digits/decode")
    for path, method in zip(paths, ("GET", "POST"), strict=True):
        asked = f"fetch('{server.address}{path}', {{method: '{method}', mode: 'no-cors'}})"
        assert page.evaluate(f"{asked}.then(() => 'heard', () => 'refused')") == "refused"
    page.evaluate(f"window.live = new WebSocket('{server.address.replace('http', 'ws')}/live/x')")
    until(page, lambda: page.evaluate("live.readyState") == 3)
    page.evaluate(f"document.body.append(Object.assign(document.createElement('iframe'), {{src: '{server.address}'}}))")
    until(page, lambda: len(page.frames) == 2 and page.frames[1].url.startswith("chrome-error:"))


@pytest.fixture
def framing(tmp_path, monkeypatch, chromium):
    """The address of a page of another site, which this one lets frame it."""
    port = free_port()
    monkeypatch.setenv("PLAYGROUND_CAP_EMBED", f"http://localhost:{port}")
    running = Server(tmp_path).wait()
    inside = f"{running.address}/?architecture.code=4&training.epochs=1000"
    (tmp_path / "index.html").write_text(f"<iframe src='{inside}' width=1200 height=700></iframe>")
    # a real one: browsers let no page that only the test answers for reach this machine
    with ThreadingHTTPServer(("", port), partial(SimpleHTTPRequestHandler, directory=tmp_path)) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://localhost:{port}/"
        site.shutdown()
    running.interrupt()


@pytest.mark.slow
def test_where_embedding_is_configured_a_run_is_trained_inside_the_other_page(page, framing):
    page.goto(framing)
    frame = page.frame_locator("iframe")
    curves = frame.get_by_test_id("live-curves")
    until(page, lambda: curves.count() == 1 and curves.get_attribute("data-status") == "ready")
    frame.get_by_role("button", name="Train", exact=True).click()
    until(page, lambda: int(curves.get_attribute("data-step") or 0) > 20)
    frame.get_by_role("button", name="Pause", exact=True).click()
    until(page, lambda: curves.get_attribute("data-status") == "paused")
