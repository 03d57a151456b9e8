"""The Train page in a real Chromium: what a visitor presses, and what then moves, holds or comes back."""

from __future__ import annotations

import re

import pytest

from tests.browser.seen import button, until

pytestmark = pytest.mark.browser

SMALL = "architecture.code=4&architecture.width=32&training.epochs=10000"


def curves(page):
    return page.get_by_test_id("live-curves")


def data(page, name: str) -> str:
    return curves(page).get_attribute(f"data-{name}") or ""


def step(page) -> int:
    return int(data(page, "step"))


def ready(page):
    until(page, lambda: data(page, "status") == "ready" and data(page, "loss"))
    until(page, lambda: f"run={data(page, 'job')}" in page.url)
    return page


def take_steps(page, count: int) -> list[str]:
    """Press Step so many times from step 0; the loss after each."""
    losses = []
    for at in range(1, count + 1):
        button(page, "Step").click()
        page.wait_for_selector(f"[data-testid=live-curves][data-step='{at}']", state="attached")
        losses.append(data(page, "loss"))
    return losses


def train_path(page) -> str:
    return curves(page).locator("path.train").get_attribute("d") or ""


def settled(page) -> str:
    """The train curve when the axes have stopped gliding."""
    before = ""
    while (now := train_path(page)) != before:
        before = now
        tick(page, 3)
    return now


def tick(page, times: int = 1) -> None:
    page.wait_for_timeout(130 * times)


def test_train_moves_the_curve_and_pause_holds_it(visit):
    page = ready(visit(SMALL))
    first = train_path(page)
    button(page, "Train").click()
    until(page, lambda: step(page) > 50 and train_path(page) != first)
    button(page, "Pause").click()
    button(page, "Resume").wait_for()
    until(page, lambda: data(page, "status") == "paused")
    held, at = settled(page), step(page)
    tick(page, 4)
    assert (train_path(page), step(page)) == (held, at)
    button(page, "Resume").click()
    until(page, lambda: step(page) > at)
    button(page, "Stop").click()
    until(page, lambda: data(page, "status") == "stopped")


def test_step_adds_exactly_one_and_reset_returns_to_the_first_loss(visit):
    page = ready(visit(SMALL))
    first = data(page, "loss")
    take_steps(page, 3)
    tick(page, 3)
    assert step(page) == 3 and data(page, "loss") != first
    button(page, "Reset").click()
    until(page, lambda: step(page) == 0 and data(page, "status") == "ready")
    assert data(page, "loss") == first
    button(page, "Reseed").click()
    until(page, lambda: data(page, "status") == "ready" and data(page, "loss") != first)
    page.wait_for_url("**training.seed=1**")


@pytest.mark.parametrize("apart", [0, 5, 40])  # milliseconds
def test_of_two_quick_clicks_none_is_lost(visit, apart):
    page = ready(visit(SMALL))
    page.evaluate("""apart => {
        const find = name => [...document.querySelectorAll('button')].find(b => b.innerText.trim() === name);
        find('Reseed').click();
        setTimeout(() => find('Step').click(), apart);
    }""", apart)
    page.wait_for_url("**training.seed=1**")
    until(page, lambda: step(page) == 1 and data(page, "status") == "paused")
    tick(page, 5)
    assert "training.seed=1" in page.url and step(page) == 1


def test_a_link_reproduces_the_run(visit):
    page = ready(visit(f"variant=sparse&{SMALL}"))
    losses = [data(page, "loss"), *take_steps(page, 3)]
    link = re.sub(r"&?run=[^&]*", "", page.url)  # as it arrives on another machine, where the run is not known
    other = ready(visit(address=link))
    assert data(other, "job") != data(page, "job")
    assert [data(other, "loss"), *take_steps(other, 3)] == losses
    assert len(set(losses)) == 3  # the first step's loss is measured before it, so it is the one at the start


def test_a_reload_in_mid_run_keeps_the_run_and_its_curve(visit):
    page = ready(visit(SMALL))
    button(page, "Train").click()
    until(page, lambda: step(page) > 100)
    run, before = data(page, "job"), step(page)
    page.reload()
    page.wait_for_selector("[data-testid=live-curves][data-status=running]", state="attached")
    assert data(page, "job") == run and step(page) >= before
    until(page, lambda: len(train_path(page)) > 20)
    button(page, "Pause").click()
    button(page, "Resume").wait_for()


def test_a_live_knob_keeps_the_run_and_marks_the_curve(visit):
    page = ready(visit(f"variant=sparse&{SMALL}"))
    button(page, "Train").click()
    until(page, lambda: step(page) > 20)
    run = data(page, "job")
    page.locator(".st-key-knob-variant-sparse-beta input").first.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: data(page, "marks") == "1")
    assert curves(page).locator(".markt").text_content() == "β = 3.0"
    assert data(page, "job") == run and data(page, "status") == "running"
    button(page, "Stop").click()


def test_a_structural_change_redraws_the_network_and_keeps_the_earlier_run_by_name(visit):
    page = ready(visit(SMALL))
    network = page.get_by_test_id("network")
    before = network.get_attribute("data-parameters")
    button(page, "Train").click()
    until(page, lambda: step(page) > 100)
    page.locator(".st-key-knob-architecture-dense-code input").first.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: network.get_attribute("data-parameters") != before)
    until(page, lambda: data(page, "status") == "ready")
    assert curves(page).locator("div.past button").inner_text() == "earlier: Undercomplete 4"
    page.get_by_role("radio", name="Convolutional").click()
    until(page, lambda: network.locator(".sheet").count() > 4)


def test_nothing_flickers(visit):
    page = ready(visit(f"variant=sparse&{SMALL}"))
    page.evaluate("""() => {
        const find = name => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
            .map(e => e.shadowRoot?.querySelector(name)).find(Boolean);
        window.kept = ['[data-testid=live-curves] svg', '.pictures canvas', '.pad > canvas'].map(find);
        window.shift = 0;
        const add = e => { if (!e.hadRecentInput) window.shift += e.value; };
        new PerformanceObserver(list => list.getEntries().forEach(add)).observe({ type: 'layout-shift' });
    }""")
    button(page, "Train").click()
    until(page, lambda: step(page) > 50)
    page.locator(".st-key-knob-variant-sparse-rho input").first.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: data(page, "marks") == "1")
    button(page, "Pause").click()
    button(page, "Resume").wait_for()
    assert page.evaluate("window.kept.every(e => e && e.isConnected)")
    assert page.evaluate("window.shift") < 0.02
    button(page, "Stop").click()


def test_pictures_follow_the_run(visit):
    page = ready(visit(SMALL))
    pictures, codes = page.get_by_test_id("live-reconstructions"), page.get_by_test_id("live-codes")
    until(page, lambda: pictures.get_attribute("data-grades") and codes.get_attribute("data-codes"))
    before = float(pictures.get_attribute("data-grades"))
    button(page, "Train").click()
    until(page, lambda: float(pictures.get_attribute("data-grades")) > before + 1)
    assert int(codes.get_attribute("data-codes")) > 100 and int(codes.get_attribute("data-step")) > 0
    button(page, "Stop").click()


def test_a_run_at_its_end_says_how_good_it_is(visit):
    page = ready(visit("architecture.code=4&architecture.width=32&training.epochs=1"))
    button(page, "Train").click()
    until(page, lambda: data(page, "status") == "done")
    until(page, lambda: re.search(r"held-out PSNR \d+\.\d dB", page.get_by_test_id("run-status").inner_text()))


def test_a_phone_needs_no_sideways_scrolling_and_has_the_buttons_at_hand(visit):
    page = ready(visit(SMALL, viewport={"width": 390, "height": 844}, has_touch=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    box = button(page, "Train").bounding_box()
    assert box["y"] + box["height"] <= 844 and box["height"] >= 44
    button(page, "Train").tap()
    until(page, lambda: step(page) > 5)
    button(page, "Stop").tap()


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_both_themes_draw_something(visit, scheme):
    from io import BytesIO

    from PIL import Image

    page = ready(visit(SMALL, color_scheme=scheme))
    tick(page, 4)
    image = Image.open(BytesIO(page.screenshot())).convert("L")
    ground = image.getpixel((640, 1190 // 2 - 590))
    assert (ground < 60) == (scheme == "dark")
    for name in ("live-reconstructions", "live-codes", "network"):
        box = page.get_by_test_id(name).bounding_box()
        left, top, width, height = (int(box[key]) for key in ("x", "y", "width", "height"))
        levels = image.crop((left, top, left + width, top + height)).getextrema()
        assert levels[1] - levels[0] > 80, name


def test_the_keyboard_reads_values_from_the_curve(visit):
    page = ready(visit(SMALL))
    take_steps(page, 3)
    curves(page).locator(".plot").focus()
    page.keyboard.press("ArrowLeft")
    read = curves(page).locator(".read")
    read.wait_for()
    assert "held-out" in read.inner_text() and "epoch" in read.inner_text()


def test_a_data_set_that_cannot_come_says_so_and_the_page_goes_on(visit):
    page = ready(visit(SMALL))
    page.locator(".st-key-knob-data input").click()
    page.get_by_role("option", name="My own pictures").click()
    alert = page.get_by_role("alert").filter(has_text="There are no pictures called")
    alert.wait_for()
    page.locator(".st-key-knob-data input").click()
    page.get_by_role("option", name="Handwritten digits").click()
    ready(page)
    assert not alert.is_visible()


def test_own_pictures_become_the_data(visit, tmp_path):
    from PIL import Image

    for i in range(12):
        Image.new("RGB", (40, 30), (20 * i, 255 - 20 * i, 90)).save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    page = ready(visit(SMALL))
    page.get_by_text("Your own images").click()
    files = sorted(tmp_path.glob("*.png"))
    page.locator(".st-key-own_files input[type=file]").set_input_files(files)
    button(page, "Use these pictures").click()
    said = page.get_by_role("alert").filter(has_text="broken.png")
    said.wait_for()
    ready(page)
    tick(page, 6)  # the page has run again since, for the buttons
    assert said.is_visible()
    assert "data=own" in page.url
    until(page, lambda: "64 × 64" in page.get_by_test_id("live-reconstructions").inner_text())


def test_a_run_shared_by_two_pages_is_paused_for_both(visit):
    one = ready(visit(SMALL))
    two = ready(visit(address=one.url))
    button(one, "Train").click()
    button(two, "Pause").wait_for()
    button(two, "Pause").click()
    button(one, "Resume").wait_for()
