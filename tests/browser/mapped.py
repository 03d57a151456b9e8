"""The Latent space page open in a real Chromium on a run that has learnt a little: what its browser tests share."""

from __future__ import annotations

import pytest

from tests.browser.conftest import HARMLESS
from tests.browser.seen import button, told, until

WINDOW = {"width": 1280, "height": 800}
SMALL = "architecture.code=4&architecture.width=32&training.epochs=10000"
LEARNT = 400  # steps: enough for classes to part, and for a drawn line to lie among them (after 150 it lies at 2)


def latent_map(page):
    return page.get_by_test_id("latent-map")


def shown(page):
    return page.get_by_test_id("decoded-image")


@pytest.fixture(scope="module")
def opened(browser, server):
    """One window for all tests here, whose console must stay clean: a run that was told to train on this page, followed
    for a while, and paused. `followed` holds the steps at which the map was seen to move."""
    said = []
    with browser.new_context(viewport=WINDOW, has_touch=True) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{server.address}/?{SMALL}")
        curves = page.get_by_test_id("live-curves")
        curves.wait_for(state="attached")
        until(page, lambda: told(curves, "status") == "ready")
        page.wait_for_url(f"**run={told(curves, 'job')}**")
        speed = page.get_by_role("slider", name="Speed")
        speed.focus()  # a hundred steps a second, so that a machine that halts for a while sees it from early on too
        speed.press("ArrowLeft")
        page.locator(".st-key-knob-speed").get_by_text("100 steps/s").first.wait_for()
        page.evaluate("new Promise(done => setTimeout(done, 500))")  # sliders wait a little before they tell the server
        page.get_by_role("link", name="Latent space").click()
        page.get_by_text("nothing has been learnt yet").wait_for()
        page.followed = learn(page)
        page.wait_for_selector("[data-testid=latent-map][data-status=ready][data-grid=ready]", state="attached")
        until(page, lambda: told(shown(page), "source") == "exact")
        yield page
    assert [text for text in said if not any(harmless in text for harmless in HARMLESS)] == []


def learn(page) -> list[int]:
    """Train from the Latent space page, and pause; the steps that the map told of meanwhile."""
    steps = []
    button(page, "Train").click()
    page.wait_for_selector("[data-testid=latent-page][data-status=live]", state="attached")
    while len(steps) < 6 or steps[-1] <= LEARNT:  # a fast machine has learnt enough within a few looks
        until(page, lambda: int(told(latent_map(page), "step") or 0) > (steps[-1] if steps else 0))
        steps.append(int(told(latent_map(page), "step")))
    button(page, "Pause").click()
    button(page, "Resume").wait_for()
    page.wait_for_selector("[data-testid=latent-page][data-status=ready]", state="attached")
    return steps


@pytest.fixture
def page(opened):
    """The window as it was at first: the PCA map, nothing selected, the first tab."""
    opened.set_viewport_size(WINDOW)
    opened.get_by_role("tab", name="Steer").click()
    choose_map(opened, "PCA")
    button(opened, "Whole map").click()
    latent_map(opened).focus()
    opened.keyboard.press("Escape")
    until(opened, lambda: not told(latent_map(opened), "flying"))
    return opened


def narrow(page) -> None:
    """A phone's window, once the map has taken it in."""
    page.set_viewport_size({"width": 390, "height": 844})
    until(page, lambda: latent_map(page).locator("canvas.base").evaluate(
        "c => c.getBoundingClientRect().width < 390 && Math.abs(c.width / devicePixelRatio - c.clientWidth) < 2"))


def choose_map(page, name: str) -> None:
    page.get_by_role("group", name="Map").get_by_role("button", name=name).click()
    until(page, lambda: told(latent_map(page), "kind") == name.lower())


def middle(page) -> tuple[float, float, float]:
    """The middle of the map and half its smaller side, in the window's pixels."""
    box = latent_map(page).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, min(box["width"], box["height"]) / 2


def answer(page, path: str, question: dict) -> dict:
    """What the explorer's route says of the run on the page."""
    return page.request.post(explored(page, path), data=question, headers={"referer": page.url}).json()


def explored(page, path: str) -> str:
    name = page.url.split("run=")[1].split("&")[0]
    return page.url.split("/latent-space")[0] + f"/explore/{name}/{path}"


# Grey levels, 0 to 255, of a canvas that shows ink in the theme's two colours.
GREYS = """canvas => {
    const c = canvas.getContext('2d'), d = c.getImageData(0, 0, canvas.width, canvas.height).data, probe = document.createElement('i');
    canvas.parentElement.append(probe);
    const red = name => { probe.style.color = `var(--ap-${name})`; return Number(getComputedStyle(probe).color.match(/\\d+/)[0]); };
    const low = red('low'), high = red('high'), greys = [];
    for (let i = 0; i < d.length; i += 4) greys.push((d[i] - low) / (high - low) * 255);
    probe.remove();
    return greys;
}"""  # noqa: E501
PICTURE = """async (canvas, url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const c = new OffscreenCanvas(image.width, image.height).getContext('2d');
    c.drawImage(image, 0, 0);
    return [...c.getImageData(0, 0, image.width, image.height).data].filter((_, i) => i % 4 === 0);
}"""


def alike(one: list[float], other: list[float], within: float = 2.5) -> bool:
    return len(one) == len(other) and max(abs(a - b) for a, b in zip(one, other)) <= within
