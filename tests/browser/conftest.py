"""A real server on a free port with a home of its own, and pages in a real Chromium that watch their console."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
QUIET = ("background-networking", "component-update", "sync", "gpu")
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")  # a test picture, and no question
FLAGS = ["--no-sandbox", *(f"--disable-{name}" for name in QUIET), *CAMERA]
HARMLESS = ("ERR_NAME_NOT_RESOLVED", "ERR_INTERNET_DISCONNECTED")  # Streamlit asks the network for things of its own


class Server:
    """`python app.py`, or another command that serves it, as a person would start it from another folder."""

    def __init__(self, home: Path, command: tuple[str, ...] = (str(ROOT / "app.py"), "--port")):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.home = home
        own = {"PLAYGROUND_HOME": str(home), "PLAYGROUND_DEVICE": "cpu", "PLAYGROUND_WARM": "0"}  # nothing in passing
        outside = {name: home.with_name(f"{home.name}-{name.lower()}") for name in ("HOME", "TMPDIR", "PWD")}
        for folder in outside.values():
            folder.mkdir(exist_ok=True)
        self.outside = tuple(outside.values())
        environment = {**os.environ, **{name: str(folder) for name, folder in outside.items()}, **own}
        self.log = (home / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, *command, str(self.port)], cwd=outside["PWD"], env=environment, stdout=self.log,
            stderr=self.log,
        )  # fmt: skip

    def wait(self, seconds: float = 60.0) -> Server:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, (self.home / "server.log").read_text()
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not come up: " + (self.home / "server.log").read_text())

    def astray(self) -> list[Path]:
        """What the server wrote where it was started, in its user's home or among temporary files: nothing is right."""
        return [path for folder in self.outside for path in folder.rglob("*")]

    def interrupt(self) -> tuple[int, float, str]:
        """Ctrl-C: the exit code, how long it took, and all that was printed."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(120)
        self.log.close()
        assert self.astray() == []
        return code, time.monotonic() - started, (self.home / "server.log").read_text()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def server(tmp_path_factory, chromium):
    running = Server(tmp_path_factory.mktemp("home")).wait()
    yield running
    if running.process.poll() is None:
        running.interrupt()


@pytest.fixture(scope="session")
def browser(chromium):
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def context(browser):
    """One window for all tests that need nothing special: what it has loaded once it need not load again."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as opened:
        yield opened


def rest(page) -> None:
    """Pause the run that the page shows, if it learns: on a server of one's own it would go on, and take a core from
    all tests that come after."""
    pause = page.get_by_role("button", name="Pause", exact=True)
    for _ in range(20):
        if page.is_closed() or not pause.count():
            return
        page.wait_for_timeout(500)  # what the test pressed last comes first: Pause may become Resume
        pause.evaluate_all("buttons => buttons.forEach(button => button.click())")


@pytest.fixture
def visit(browser, context, server):
    """visit(query, **settings) opens the Train page and waits until it can be used; the console must stay clean."""
    opened, said = [], []

    def open_page(query: str = "", address: str | None = None, **settings):
        where = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings}) if settings else context
        page = where.new_page()
        opened.append(where if settings else page)
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address or f"{server.address}/?{query}")
        page.wait_for_selector("[data-testid=live-curves]:not([data-status=opening])", state="attached")
        return page

    yield open_page
    for one in opened:
        for page in [one] if hasattr(one, "url") else one.pages:
            rest(page)
        one.close()
    assert [text for text in said if not any(harmless in text for harmless in HARMLESS)] == []
