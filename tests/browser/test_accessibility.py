"""Accessibility of the Lab in a real Chromium: axe-core on every page that the menu knows, and hands off the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from playground.data import datasets
from tests.browser.axe import severe_in_both_themes
from tests.browser.seen import told, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWN = "[data-testid=stApp][data-test-script-state=notRunning]"
HERE = """async () => {
    let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    const look = async () => {
        await new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)));  // what React makes of it
        for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish();
        const looks = [];
        for (let one = e, i = 0; one && i < 5; one = one.parentElement, i++) {
            const { outline, boxShadow, borderColor, backgroundColor, transform } = getComputedStyle(one);
            looks.push(outline, boxShadow, borderColor, backgroundColor, transform);
        }
        return looks.join();
    };
    const box = e.getBoundingClientRect(), lit = await look();
    e.blur();
    const ring = await look() !== lit;
    e.focus({ focusVisible: true, preventScroll: true });
    const name = (e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || e.title || '').trim();
    return { name: name.split('\\n').at(-1), ring, left: box.left, top: box.top, page: e === document.body };
}"""


FOCUSED = """() => {
    let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    return (e.getAttribute('aria-label') || e.innerText).trim().split('\\n').at(-1);
}"""


def focused(page) -> str:
    """The name of what has the focus, which keeps it."""
    page.wait_for_timeout(100)
    return page.evaluate(FOCUSED)


def tab_to(page, name: str, most: int = 60, key: str = "Tab") -> dict:
    """Press Tab until what begins with that name has the focus; whatever is passed shows that it has it."""
    passed = []
    for _ in range(most):
        page.keyboard.press(key)
        here = page.evaluate(HERE)
        assert here["page"] or here["ring"], f"{here['name']} does not show that it has the focus"
        if here["name"].startswith(name):
            return here
        passed.append(here["name"])
    raise AssertionError(f"{name} is not reached by Tab: {passed}")


def each_page(page) -> Iterator[str]:
    """Open every page that the menu knows, one after the other; their titles."""
    tops, links = page.get_by_test_id("stTopNavLink"), page.get_by_test_id("stTopNavDropdownLink")
    for top in tops.all():
        yield opened(page, top)
    for section in page.get_by_test_id("stTopNavSection").all():
        section.click()
        links.first.wait_for()
        for i in range(count := links.count()):
            yield opened(page, links.nth(i))
            if i < count - 1:
                section.click()
                links.first.wait_for()


def opened(page, link) -> str:
    """Open the page of a link of the menu, and wait until it is drawn."""
    title, path = link.inner_text(), urlsplit(link.get_attribute("href")).path
    link.click()
    until(page, lambda: urlsplit(page.url).path == path)
    page.wait_for_timeout(300)
    page.wait_for_selector(f"{DRAWN} [data-testid=stMain] [data-testid=stElementContainer]", state="attached")
    return title


def test_axe_finds_nothing_severe_on_any_page(visit):
    page = visit()
    found = {title: severe_in_both_themes(page) for title in each_page(page)}
    assert len(found) > 12 and not {title: faults for title, faults in found.items() if faults}


def test_a_card_of_the_gallery_by_keyboard_alone(visit):
    page = visit()
    page.get_by_test_id("stTopNavSection").filter(has_text="Learn").click()
    opened(page, page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Gallery"))
    cards = page.locator(".ap-card")
    cards.first.wait_for()
    every = cards.count()
    tab_to(page, datasets["digits"].title, most=30)
    for _ in range(8):  # the filter is one stop of Tab's; arrows go through it
        if focused(page) == datasets["shapes"].title:
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    until(page, lambda: 0 < cards.count() < every)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "ap-card":
            break
    where = urlsplit(page.evaluate("document.activeElement.href"))
    assert "shapes" in where.query
    page.keyboard.press("Enter")
    until(page, lambda: urlsplit(page.url).path == where.path and "shapes" in urlsplit(page.url).query)
    page.wait_for_selector(f"{DRAWN} [data-testid=stMain] [data-testid=stElementContainer]", state="attached")


def test_a_run_the_menu_a_drawing_and_a_cell_by_keyboard_alone(visit):
    page = visit("architecture.code=4&architecture.width=32&training.epochs=10000")
    curves = page.get_by_test_id("live-curves")
    until(page, lambda: told(curves, "status") == "ready")
    tab_to(page, "Skip to main content", most=2)
    page.keyboard.press("Enter")
    tab_to(page, "Train", most=4)  # past the menu
    page.keyboard.press("Enter")
    until(page, lambda: told(curves, "status") == "running" and int(told(curves, "step")) > 20)
    tab_to(page, "Pause", most=60)
    page.keyboard.press("Enter")
    until(page, lambda: told(curves, "status") == "paused")
    step = int(told(curves, "step"))
    tab_to(page, "Step")
    page.keyboard.press("Space")
    until(page, lambda: int(told(curves, "step")) == step + 1)
    tab_to(page, "Stop")
    page.keyboard.press("Enter")
    until(page, lambda: told(curves, "status") == "stopped")

    top = [tab_to(page, name, 90, "Shift+Tab") for name in ("Learn", "Applications")]
    assert top[0]["left"] > top[1]["left"] and top[0]["top"] == top[1]["top"]
    page.keyboard.press("Enter")
    link = page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Classify")
    link.wait_for()
    page.keyboard.press("Escape")
    link.wait_for(state="detached")
    assert focused(page) == "Applications"  # where it was
    page.keyboard.press("Enter")
    for _ in range(12):
        if focused(page) == "Classify":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_test_id("confusion").wait_for()

    tab_to(page, "Picture")
    page.keyboard.type("Draw it")
    page.keyboard.press("Enter")
    page.get_by_text("Draw something, or bring a picture").wait_for()
    tab_to(page, "Sheet to draw on")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.down("Space")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.up("Space")
    classes = page.get_by_test_id("classes")
    until(page, lambda: classes.count() == 1 and told(classes, "class") == "1")
    tab_to(page, "0 taken for 0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("1 taken for 1")
    page.keyboard.press("Enter")
    page.get_by_test_id("confused").locator("img").first.wait_for()
