"""The Inside page in a real Chromium, variant by variant: pictures are there, follow the image, and are the API's."""

from __future__ import annotations

import pytest

from tests.browser.conftest import HARMLESS
from tests.browser.looked import (
    COLOURS,
    LEARNT,
    PIXELS,
    PLANE,
    SMALL,
    api,
    by,
    choose,
    colours,
    shown,
    tab,
    told,
    until,
)
from tests.browser.seen import button

pytestmark = pytest.mark.browser
SPARSE = f"{SMALL}&variant=sparse&architecture.depth=1"
CONTRACTIVE = f"{SMALL}&variant=contractive&architecture.activation=tanh"


@pytest.fixture(scope="module")
def inside(browser, server):
    """inside(query): the page of a run that has learnt a little, paused; its console must stay clean."""
    said, pages = [], {}

    def opened(query: str, **settings):
        key = query, *settings
        if key not in pages:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings})
            page = context.new_page()
            page.set_default_timeout(30_000)
            page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(f"{server.address}/?{query}")
            curves = page.get_by_test_id("live-curves")
            curves.wait_for(state="attached")
            until(page, lambda: told(curves, "status") == "ready")
            button(page, "Train").click()
            until(page, lambda: int(told(curves, "step") or 0) > LEARNT)
            button(page, "Pause").click()
            button(page, "Resume").wait_for()
            page.get_by_role("link", name="Inside").click()
            by(page, "page").and_(page.locator("[data-status=ready]")).wait_for(state="attached")
            page.wait_for_url("**run=**")
            pages[key] = page
        return pages[key]

    yield opened
    for page in pages.values():
        page.context.close()
    assert [text for text in said if not any(harmless in text for harmless in HARMLESS)] == []


def test_the_network_filters_and_reconstruction_follow_the_image(inside):
    page = inside(SMALL)
    tab(page, "Layers", "layers")
    assert min(colours(page, name) for name in ("input", "output", "filters")) > 8
    nodes = page.locator(".net [data-layer='0'] canvas")
    first, before = nodes.evaluate(PIXELS), told(by(page, "output"), "psnr")
    choose(page, 3, "layers")
    answer = api(page, "forward", {"image": 3})
    assert nodes.evaluate(PIXELS) != first and told(by(page, "output"), "psnr") != before
    assert float(told(by(page, "output"), "psnr")) == pytest.approx(answer["psnr"], abs=1e-6)
    for layer, one in enumerate(answer["layers"]):
        peak = float(told(page.locator(f".net [data-layer='{layer}']"), "peak"))
        assert peak == pytest.approx(one["peak"], rel=1e-5)
    assert float(told(by(page, "filters"), "norm")) == pytest.approx(api(page, "filters")["filters"]["norms"][0])
    page.get_by_role("button", name="Layer 2, dense, 6").click()
    until(page, lambda: told(by(page, "units"), "layer") == "1")
    assert by(page, "units").locator("rect").count() == 6


def test_what_a_code_entry_draws_and_answers_to(inside):
    page = inside(SMALL)
    tab(page, "Code entries", "code")
    assert colours(page, "columns") > 30 and colours(page, "ecolumn") > 8
    before, again = shown(page, "code"), []
    page.on("request", lambda request: again.append(request.url) if request.url.endswith("/columns") else None)
    by(page, "columns").focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: shown(page, "code") > before)
    entry = int(told(by(page, "columns"), "entry"))
    excited, columns = api(page, f"excite?entry={entry}"), api(page, "columns", {})["columns"]
    assert told(by(page, "exciting"), "index") == ",".join(map(str, excited["index"]))
    assert float(told(by(page, "columns"), "norm")) == pytest.approx(columns["norms"][entry])
    assert not again  # one entry's column was there with all others
    picture, before = by(page, "columns").evaluate(PIXELS), shown(page, "code")
    button(page, "At this image").click()
    until(page, lambda: shown(page, "code") > before)
    assert by(page, "columns").evaluate(PIXELS) != picture
    button(page, "Unit step").click()
    by(page, "exciting").locator("button").first.click()
    until(page, lambda: told(by(page, "strip"), "chosen") == str(excited["index"][0]))


def test_undercomplete_error_against_code_size(inside):
    page = inside(SMALL)
    tab(page, "Code size", "undercomplete")
    sizes, plot = api(page, "sizes"), by(page, "sizes")
    own = next(run for run in sizes["runs"] if run["code"] == 6)
    assert float(told(plot, "error")) == pytest.approx(own["error"], rel=1e-4)
    until(page, lambda: told(plot, "pca"))
    assert float(told(plot, "pca")) == pytest.approx(api(page, "pca")["errors"][6])
    before, path = int(told(plot, "runs")), plot.locator("path.curve").get_attribute("d")
    assert path and path.count("L") >= 6
    page.get_by_role("button", name="Train 7 other sizes").or_(page.get_by_role("button", name="other size")).click()
    until(page, lambda: int(told(plot, "runs")) >= before + 3, seconds=90)
    assert plot.locator("circle.dot.train, circle.dot.learning").count() == int(told(plot, "runs"))


def test_back_propagation_step_by_step(inside):
    page = inside(SMALL)
    tab(page, "Back-propagation", "chain")
    answer, link = api(page, "chain"), by(page, "chain")
    assert float(told(link, "loss")) == pytest.approx(answer["loss"], rel=1e-5)
    forward = len(answer["shapes"])
    button(page, "First").click()
    assert told(link, "kind") == "forward" and float(told(link, "norm")) == pytest.approx(answer["norms"][0], rel=1e-5)
    page.get_by_label("Steps of back-propagation").focus()
    for _ in range(forward):
        page.keyboard.press("ArrowRight")
    assert told(link, "kind") == "total"
    pictures = set()
    for one in answer["links"]:
        page.keyboard.press("ArrowRight")
        assert (told(link, "kind"), told(link, "layer")) == (one["kind"], str(one["layer"] or 0))
        assert float(told(link, "norm")) == pytest.approx(one["norm"], rel=1e-5)
        assert link.locator("math").count() == 2 and colours(page, "gradient") > 3
        pictures.add(by(page, "gradient").evaluate(PIXELS))
    assert one["kind"] == "weights" and one["layer"] == 1 and len(pictures) >= len(answer["links"]) - 2
    assert button(page, "Next").is_disabled()
    page.keyboard.press("ArrowLeft")
    assert told(link, "beat") == str(forward + len(answer["links"]) - 1)


@pytest.mark.parametrize("query", [SPARSE, CONTRACTIVE], ids=["at the code", "at the weights"])
def test_a_penaltys_gradient_joins_the_chain(inside, query):
    page = inside(query)
    tab(page, "Back-propagation", "chain")
    answer, link = api(page, "chain"), by(page, "chain")
    assert float(told(link, "penalty")) == pytest.approx(answer["penalty"], rel=1e-6)
    for at, one in enumerate(answer["links"]):
        if one["kind"] == "penalty":
            by(page, "norms").locator("rect.bar").nth(at).click()
            assert told(link, "kind") == "penalty" and float(told(link, "norm")) == pytest.approx(one["norm"], rel=1e-5)
            assert "plus this" in link.inner_text() and colours(page, "gradient") > 3
    before, after = answer["links"][0], next(one for one in answer["links"] if one["kind"] == "penalty")
    assert before["norm"] != after["norm"] and link.locator("math").count() == 2


def test_the_address_holds_the_tab_and_a_reload_finds_it(inside):
    page = inside(SMALL)
    tab(page, "Back-propagation", "chain")
    page.wait_for_url("**inside=chain**")
    again = page.context.new_page()  # whose console is Streamlit's own: it looks for itself below the page's address
    again.goto(page.url)
    again.wait_for_selector("[data-testid=inside-page][data-status=ready]", state="attached")
    assert again.get_by_role("tab", name="Back-propagation").get_attribute("aria-selected") == "true"
    again.close()


def test_sparse_rates_live_and_two_images(inside):
    page = inside(SPARSE)
    tab(page, "Sparsity", "sparse")
    rates, answer = by(page, "rates"), api(page, "sparsity")
    assert float(told(rates, "first")) == pytest.approx(answer["rates"][0])
    assert float(told(by(page, "penalty"), "penalty")) == pytest.approx(answer["penalty"], rel=1e-6)
    assert by(page, "penalty").locator("circle.dot").count() == rates.locator("rect.bar").count() == 6
    assert by(page, "actives").locator("rect.bar").count() == 20
    assert float(told(by(page, "actives"), "share")) == pytest.approx(answer["share"], rel=1e-6)
    choose(page, 4, "sparse")
    two = {key: by(page, "two").locator(f"[data-side={key}]") for key in "AB"}
    b = int(told(page.locator(".strip .at.b"), "index") or 0) or None
    for key, index in (("A", 4), ("B", b)):
        if index is not None:
            code = api(page, "forward", {"image": index})["code"]
            assert int(told(two[key], "lit")) == sum(abs(v) > answer["threshold"] for v in code)
    nodes = [two[key].locator("canvas.nodes").evaluate(PIXELS) for key in "AB"]
    assert nodes[0] != nodes[1] and two["A"].locator("canvas.picture").evaluate(COLOURS) > 8
    before = int(told(rates, "step"))
    button(page, "Resume").click()
    until(page, lambda: int(told(rates, "step")) > before + 5)
    seen = told(rates, "mean")
    until(page, lambda: told(rates, "mean") != seen)
    button(page, "Pause").click()
    button(page, "Resume").wait_for()
    until(page, lambda: told(rates, "step") == str(api(page, "sparsity")["step"]))
    assert float(told(rates, "first")) == pytest.approx(api(page, "sparsity")["rates"][0])


def test_contractive_jacobian_spectrum_and_twin(inside):
    page = inside(CONTRACTIVE)
    tab(page, "Contraction", "contractive")
    assert min(colours(page, name) for name in ("rows", "most", "least")) > 8
    pictures = by(page, "jacobian").evaluate(PIXELS)
    choose(page, 2, "contractive")
    answer = api(page, "jacobian", {"image": 2})
    assert by(page, "jacobian").evaluate(PIXELS) != pictures
    assert float(told(by(page, "jacobian"), "norm2")) == pytest.approx(answer["norm2"], rel=1e-5)
    assert float(told(by(page, "spectrum"), "first")) == pytest.approx(answer["values"][0])
    moved = by(page, "moved")
    assert float(told(moved, "moved")) == pytest.approx(api(page, "displacement")["moved"][-1])
    assert not told(moved, "twin")
    button(page, "Train the twin").click()
    until(page, lambda: told(moved, "status") == "done" and told(moved, "twin"), seconds=60)
    assert float(told(moved, "twin")) == pytest.approx(api(page, "displacement")["twin"]["moved"][-1])
    assert moved.locator("path.curve").count() == 2


def test_denoising_pictures_and_their_psnr(inside):
    page = inside("architecture=convolutional&architecture.width=4&architecture.code=6&variant=denoising")
    tab(page, "Denoising", "denoising")
    levels = by(page, "noise")
    choose(page, 1, "denoising")
    answer = api(page, "noise", {"image": 1})
    assert [float(v) for v in told(levels, "after").split(",")] == pytest.approx(answer["after"])
    assert [float(v) for v in told(by(page, "psnrs"), "after").split(",")] == pytest.approx(answer["all_after"])
    canvases = levels.locator("canvas")
    assert canvases.count() == 2 * len(answer["levels"]) + 1
    pictures = [canvases.nth(i).evaluate(PIXELS) for i in range(canvases.count())]
    assert len(set(pictures)) >= len(answer["levels"]) + 5 and canvases.nth(0).evaluate(COLOURS) > 8
    assert int(told(by(page, "arrows"), "count")) > 100 and colours(page, "arrows") > 3
    page.get_by_label("Noise", exact=True).select_option("masking")
    until(page, lambda: told(levels, "kind") == "masking")
    assert told(levels, "after") == ",".join(map(str, api(page, "noise", {"image": 1, "kind": "masking"})["after"]))
    tab(page, "Layers", "layers")
    assert colours(page, "maps") > 8
    maps = by(page, "maps").evaluate(PIXELS)
    choose(page, 0, "layers")
    assert by(page, "maps").evaluate(PIXELS) != maps


def test_the_field_on_the_plane_and_points_that_flow(inside):
    page = inside(PLANE)
    tab(page, "Denoising", "denoising")
    field = by(page, "field")
    assert int(told(field, "arrows")) == len(api(page, "field")["arrows"]) and colours(page, "field") > 3
    still = field.evaluate(PIXELS)
    button(page, "Flow").click()
    seen = set()
    until(page, lambda: seen.add(told(field, "step")) or len(seen) > 3)
    until(page, lambda: page.get_by_role("button", name="Flow again").is_visible())
    assert field.evaluate(PIXELS) != still
    choose(page, 5, "denoising")
    assert float(told(by(page, "output"), "psnr")) == pytest.approx(api(page, "forward", {"image": 5})["psnr"])


def test_a_u_net_says_what_it_lacks_and_shows_the_rest(inside):
    page = inside("task=inpaint&architecture=unet&architecture.width=4&architecture.depth=2")
    assert page.get_by_role("tab").all_inner_texts() == ["Layers", "Back-propagation"]
    assert "no code that everything passes through" in page.locator(".notice").inner_text()
    tab(page, "Layers", "layers")
    assert colours(page, "maps") > 8 and colours(page, "filters") > 3
    tab(page, "Back-propagation", "chain")
    assert float(told(by(page, "chain"), "loss")) == pytest.approx(api(page, "chain")["loss"], rel=1e-5)


def test_a_drawing_goes_through_the_network(inside):
    page = inside(SMALL)
    tab(page, "Layers", "layers")
    button(page, "Draw").click()
    box = page.get_by_test_id("draw-pad").bounding_box()
    before = by(page, "output").evaluate(PIXELS)
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    for k in range(10):
        page.mouse.move(box["x"] + 60 + 6 * k, box["y"] + 40 + 10 * k)
    page.mouse.up()
    until(page, lambda: page.locator(".which").inner_text() == "Your drawing")
    until(page, lambda: by(page, "output").evaluate(PIXELS) != before)
    assert colours(page, "input") > 4
    button(page, "Held-out").click()


def test_dark_and_390_pixels_wide(inside):
    page = inside(f"{SMALL}&variant=sparse", viewport={"width": 1280, "height": 800}, color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(600)
    for name, key in (("Layers", "layers"), ("Sparsity", "sparse"), ("Back-propagation", "chain")):
        tab(page, name, key)
        wide = page.evaluate("document.scrollingElement.scrollWidth")
        box = by(page, "page").bounding_box()
        assert wide <= 390 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert colours(page, "output") > 4 and by(page, "network").bounding_box()["width"] <= 390
    assert "sideways" in by(page, "swipe").inner_text() and by(page, "network").evaluate("e => e.scrollWidth") > 390
