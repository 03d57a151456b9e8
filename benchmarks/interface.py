"""The interface's speed: start-up, idle memory, click to first point, a knob's round trip, fifty viewers."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import viewers
from benchmarks.report import publish
from benchmarks.visitor import Visitor
from playground.device import choose_device, describe

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RUNS, STREAMS, TABS = 10, 40, 10
LONG = "training.epochs=10000"

# Components live in shadow roots; `curves()` is the element of live-curves, which says in its data what it has drawn.
CURVES = """
window.curves = () => {
  const find = root => {
    const found = root.querySelector('[data-testid=live-curves]');
    if (found) return found;
    for (const one of root.querySelectorAll('*')) {
      const inside = one.shadowRoot && find(one.shadowRoot);
      if (inside) return inside;
    }
  };
  return window.__curves?.isConnected ? window.__curves : (window.__curves = find(document));
};
"""
FIRST_POINT = """
() => new Promise(done => {
  let clicked = 0;
  const button = [...document.querySelectorAll('button')].find(b => b.innerText.trim().endsWith('Train'));
  button.addEventListener('pointerdown', () => { clicked = performance.now(); }, { capture: true, once: true });
  const look = () => {
    if (clicked && Number(curves()?.dataset.step) > 0)
      requestAnimationFrame(() => done(performance.now() - clicked));
    else requestAnimationFrame(look);
  };
  look();
  window.__armed = true;
})
"""
COUNT = """
seconds => new Promise(done => {
  let count = 0;
  const watcher = new MutationObserver(() => count++);
  watcher.observe(curves(), { attributes: true, attributeFilter: ['data-step'] });
  setTimeout(() => { watcher.disconnect(); done(count / seconds); }, seconds * 1000);
})
"""


@dataclass
class Server:
    """The whole app in a process of its own."""

    process: subprocess.Popen
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def memory(self) -> float:
        """Resident memory in MB."""
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(self.process.pid)], capture_output=True, text=True)
        return int(said.stdout) / 1024


@contextmanager
def server(home: str) -> Iterator[Server]:
    """`python app.py` on a free port; stopped as Ctrl-C stops it."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    with open(Path(home) / "server.log", "ab") as log:
        process = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT, stdout=log, stderr=log,
                                   env=os.environ | {"PLAYGROUND_HOME": home})
    try:
        yield Server(process, port)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def opened(browser: Browser, url: str) -> Page:
    """The page once it can be used: its first run is ready and the curves know it."""
    page = browser.new_page()
    page.add_init_script(CURVES)
    deadline = time.monotonic() + 60
    while True:
        try:
            page.goto(url, wait_until="commit")
            break
        except Exception:  # the port is not open yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    page.wait_for_function("() => window.curves && curves()?.dataset.status", timeout=60_000)
    return page


def ready(page: Page) -> None:
    page.wait_for_function("() => curves()?.dataset.status === 'ready' && curves().dataset.step === '0'")
    page.get_by_role("button", name="Train", exact=True).wait_for()


def start_up(browser: Browser, times: int) -> tuple[list[float], list[float]]:
    """Seconds from the command to the page that can be used, and MB of the server left alone afterwards."""
    seconds, memory = [], []
    for _ in range(times + 1):
        with tempfile.TemporaryDirectory() as home:
            started = time.perf_counter()
            with server(home) as served:
                page = opened(browser, served.url)
                ready(page)
                seconds.append(time.perf_counter() - started)
                page.close()
                time.sleep(5)
                memory.append(served.memory())
    return seconds[1:], memory[1:]  # the first warmed the files


def first_points(browser: Browser, served: Server, times: int) -> list[float]:
    """Milliseconds from the press on Train to the frame that shows the first point."""
    page, found = opened(browser, f"{served.url}/?{LONG}"), []
    for _ in range(times + 1):
        ready(page)
        time.sleep(0.5)
        waiting = page.evaluate_handle(f"() => ({{ promise: ({FIRST_POINT})() }})")
        page.get_by_role("button", name="Train", exact=True).click()
        found.append(page.evaluate("held => held.promise", waiting))
        page.get_by_role("button", name="Reset", exact=True).click()
    page.close()
    return found[1:]


def trained(served: Server, count: int) -> list[Visitor]:
    """So many visitors, each with a run that trains."""
    visitors = []
    for i in range(count):
        visitor = Visitor(HOST, served.port, f"{LONG}&training.seed={i}")
        while "Train" not in visitor.buttons:
            visitor.run()
        visitor.press("Train")
        visitors.append(visitor)
    return visitors


def round_trips(served: Server, times: int) -> list[float]:
    """Milliseconds until the page is whole again after a live knob was turned, with two jobs training."""
    visitors = trained(served, 2)
    time.sleep(2)
    found = []
    for i in range(times):
        found.append(1000 * visitors[0].turn("Learning rate η", 2 + i % 2))
        time.sleep(0.1)
    for visitor in visitors:
        visitor.press("Stop")
        visitor.close()
    return found[5:]


def audience(browser: Browser, served: Server, seconds: float) -> tuple[list[float], list[float]]:
    """Updates a second that each of forty streams and each of ten tabs gets, ten runs training."""
    visitors = trained(served, RUNS)
    jobs = [visitor.job for visitor in visitors]
    tabs = [opened(browser, f"{served.url}/?{visitor.query}") for visitor in visitors[:TABS]]
    time.sleep(2)
    streams = viewers.start(HOST, served.port, [jobs[i % RUNS] for i in range(STREAMS)], seconds)
    counting = [tab.evaluate_handle(f"() => ({{ promise: ({COUNT})({seconds}) }})") for tab in tabs]
    in_tabs = [tab.evaluate("held => held.promise", handle) for tab, handle in zip(tabs, counting)]
    in_streams = viewers.finish(streams)
    for tab in tabs:
        tab.close()
    for visitor in visitors:
        visitor.press("Stop")
        visitor.close()
    return in_streams, in_tabs


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("start", "click", "knob", "viewers"), action="append")
    wanted = parser.parse_args().only or ["start", "click", "knob", "viewers"]
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    figures: dict[str, Any] = {}
    rows: list[tuple[str, str, str]] = []

    def add(key: str, words: str, values: list[float], aim: str, **shown: str) -> None:
        figures[key] = values
        print(f"{words}: {', '.join(f'{value:.4g}' for value in values)}", file=sys.stderr, flush=True)
        rows.extend((f"{words}, {which}" if which else words, text, aim) for which, text in shown.items())

    with sync_playwright() as play, tempfile.TemporaryDirectory() as home:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        if "start" in wanted:
            seconds, memory = start_up(browser, 3)
            add("start_seconds", "Start to the first page that can be used", seconds, "below 4 s",
                median=f"{statistics.median(seconds):.1f} s")
            add("idle_memory_mb", "Memory of the idle server", memory, "", median=f"{statistics.median(memory):.0f} MB")
        with server(home) as served:
            opened(browser, served.url).close()
            if "click" in wanted:
                found = first_points(browser, served, 20)
                add("click_ms", "Click on Train to the first point drawn", found, "below 300 ms",
                    median=f"{statistics.median(found):.0f} ms")
            if "knob" in wanted:
                found = round_trips(served, 105)
                add("round_trip_ms", "Round trip of a knob, two jobs training", found, "below 100 ms",
                    p50=f"{percentile(found, 0.5):.0f} ms", p95=f"{percentile(found, 0.95):.0f} ms")
            if "viewers" in wanted:
                streams, tabs = audience(browser, served, 10.0)
                for key, words, rates in (("streams", f"{STREAMS} streams", streams), ("tabs", f"{TABS} tabs", tabs)):
                    add(f"{key}_updates", f"Updates a second, {RUNS} runs, {words}", rates, "at least 5",
                        slowest=f"{min(rates):.1f}", median=f"{statistics.median(rates):.1f}")
        browser.close()
    publish("interface", describe(choose_device()), ("Interface", "measured", "aim"), rows, figures)


if __name__ == "__main__":
    main()
