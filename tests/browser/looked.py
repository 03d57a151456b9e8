"""Looking at the Inside page as a visitor does: what its browser tests share."""

from __future__ import annotations

from functools import partial

from tests.browser import seen
from tests.browser.seen import told

until = partial(seen.until, seconds=30.0)
SMALL = "architecture.code=6&architecture.width=16&training.epochs=10000"
PLANE = "data=plane&architecture.code=2&architecture.width=16&training.epochs=10000&variant=denoising"
LEARNT = 20  # steps
COLOURS = """canvas => {
    const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data, seen = new Set();
    for (let i = 0; i < d.length; i += 4) if (d[i + 3]) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
    return seen.size;
}"""
PIXELS = "canvas => canvas.toDataURL()"
CANVASES = ("input", "output", "maps", "filters", "columns", "ecolumn", "rows", "most", "least", "field", "arrows",
            "gradient")  # fmt: skip


def by(page, name: str):
    return page.get_by_test_id(f"inside-{name}")


def shown(page, tab: str) -> int:
    return int(told(page.locator(f"[data-tab={tab}]"), "shown") or 0)


def tab(page, name: str, key: str) -> None:
    """Open a tab and wait until it shows the image that is chosen now."""
    before = shown(page, key)
    page.get_by_role("tab", name=name).click()
    until(page, lambda: shown(page, key) > before)


def choose(page, index: int, key: str) -> None:
    """Choose a held-out image by the keyboard, and wait until picture and tab are its own."""
    strip, now = by(page, "strip"), int(told(by(page, "strip"), "chosen"))
    strip.focus()
    for _ in range(abs(index - now)):
        page.keyboard.press("ArrowRight" if index > now else "ArrowLeft")
    own = (by(page, "output"), page.locator(f"[data-tab={key}]"))
    until(page, lambda: all(told(one, "image") == str(index) for one in own))


def api(page, path: str, question: dict | None = None) -> dict:
    """What the routes say of the run on the page."""
    address = f"{page.url.split('/inside')[0]}/inspect/{page.url.split('run=')[1].split('&')[0]}/{path}".rstrip("/")
    of = {"headers": {"referer": page.url}}  # as the page's own requests have it
    answer = page.request.get(address, **of) if question is None else page.request.post(address, data=question, **of)
    assert answer.ok, answer.text()
    return answer.json()


def colours(page, name: str) -> int:
    return page.locator(f"canvas.{name}").first.evaluate(COLOURS)
