"""The Latent space page where the space is odd: no numbers, equal codes, one number, too many asked for; and its files.

The models are trained here for a moment, or spoilt, and laid among the server's saved runs.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from playground.workbench import Workbench
from tests.browser.conftest import HARMLESS
from tests.browser.mapped import GREYS, PICTURE, WINDOW, alike, choose_map, latent_map, shown
from tests.browser.seen import button, told
from tests.browser.seen import until as come_about
from tests.plugins import experiment, until

pytestmark = pytest.mark.browser

NOT_NUMBERS = "the server responded with a status of 400"  # what the browser itself says of a refused question
PAGES_OWN = "the server responded with a status of 404"  # Streamlit looks for itself below a page's address, too
CODES = {"odd-plain": 6, "odd-pair": 2, "odd-one": 1, "odd-nan": 4, "odd-equal": 4, "odd-class": 3}


def spoil(path, what: str) -> None:
    """Make a saved network give codes that are no numbers, or the same one for every image."""
    with safe_open(path, "pt") as file:
        about, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
    for name in [name for name in tensors if name.startswith("model.encoder")]:
        tensors[name] = tensors[name].fill_(float("nan")) if what == "odd-nan" else tensors[name].zero_()
    save_file(tensors, path, about)


@pytest.fixture(scope="module")
def models(server, tmp_path_factory):
    """Runs of these names on the server, done."""
    bench = Workbench(tmp_path_factory.mktemp("models"), "cpu")
    (server.home / "runs").mkdir(exist_ok=True)
    for name, code in CODES.items():
        made = experiment(epochs=4 if name == "odd-plain" else 1, data="cells" if name == "odd-class" else "digits")
        if name == "odd-class":
            made = replace(made, data=replace(made.data, cells=1))
        job = bench.start(replace(made, architecture=replace(made.architecture, code=code)))
        until(bench, job, "done", seconds=120)
        path = server.home / "runs" / f"{name}.safetensors"
        shutil.copy(bench.library.path(job), path)
        if name in ("odd-nan", "odd-equal"):
            spoil(path, name)
    bench.close()


@pytest.fixture
def look(browser, server, models):
    """look(name, **knobs) opens the page on a model; the console must say nothing but what a refused question does."""
    said, windows = [], []

    def open_page(name: str, **knobs):
        windows.append(browser.new_context(viewport=WINDOW, accept_downloads=True))
        page = windows[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        query = "".join(f"&map.{knob}={value}" for knob, value in knobs.items())
        page.goto(f"{server.address}/latent-space?model={name}{query}")
        return page

    yield open_page
    for window in windows:
        window.close()
    assert [one for one in said if not any(word in one for word in (*HARMLESS, NOT_NUMBERS, PAGES_OWN))] == []


def ready(page, kind: str):
    page.wait_for_selector(f"[data-testid=latent-map][data-status=ready][data-kind={kind}]", state="attached")
    return page


def test_codes_that_are_no_numbers_are_one_sentence_and_nothing_can_be_pressed_wrong(look):
    page = look("odd-nan")
    alert = page.locator(".notice.alert .words")
    alert.wait_for()
    sentence = alert.inner_text()
    assert "not numbers" in sentence and sentence.endswith(".")
    for name in ("Walk", "Surprise me", "Lasso", "Whole map", "Zoom in"):
        button(page, name).click()
    page.get_by_role("tab", name="Map and files").click()
    for name in ("CSV", "PNG", "HTML"):
        button(page, name).click()
    assert alert.inner_text() == sentence


def test_equal_codes_say_so_on_every_map(look):
    page = ready(look("odd-equal", kind="pca"), "pca")
    come_about(page, lambda: "All codes are equal" in page.locator(".how").inner_text())
    choose_map(page, "UMAP")
    assert "All codes are equal" in page.locator(".how").inner_text()


def test_a_code_of_one_number_walks_from_pin_to_pin(look):
    page = ready(look("odd-one"), "plane")
    strip = page.get_by_test_id("interpolation")
    come_about(page, lambda: told(strip, "ready") == "true")
    assert "one number" in page.locator(".how").inner_text()
    come_about(page, lambda: told(shown(page), "source") == "exact")
    come_about(page, lambda: page.locator(".nrow[data-row='by code'] button").count() == 8)


def test_one_class_has_no_colours_and_no_scores_of_classes(look):
    page = ready(look("odd-class", kind="pca"), "pca")
    assert page.get_by_label("Colour by").input_value() == "none" and not page.locator(".legend button").count()
    come_about(page, lambda: page.locator(".nrow[data-row='by code'] button").count() == 8)
    assert page.locator(".facts dt").all_inner_texts() == ["Encoded again, it lands", "Reconstruction"]
    page.get_by_role("tab", name="Scores").click()
    scores = lambda name: page.locator(f"[data-score={name}] td").all_inner_texts()  # noqa: E731
    come_about(page, lambda: scores("trustworthiness"))
    assert "–" not in scores("trustworthiness") and {*scores("knn_accuracy"), *scores("silhouette")} == {"–"}


def test_too_many_points_and_too_few_are_one_sentence(look):
    page = ready(look("odd-plain", count=50_000, kind="entries"), "entries")
    page.get_by_text("At most 10,000 codes are drawn.").wait_for()
    assert int(told(latent_map(page), "points")) == 1797
    few = look("odd-pair", count=6, kind="umap")
    few.get_by_text("UMAP needs at least 10 images, so this is the PCA map.").wait_for()
    assert int(told(latent_map(few), "points")) == 6


def test_a_chosen_pair_of_entries_and_the_raw_plane(look):
    page = ready(look("odd-plain", kind="entries", second=4), "entries")
    come_about(page, lambda: page.locator(".how").inner_text() == "Entries 1 and 5 of 6; the others at their mean")
    page.get_by_role("tab", name="Map and files").click()
    page.get_by_label("Entry to the right").select_option(label="entry 3")
    come_about(page, lambda: page.locator(".how").inner_text().startswith("Entries 3 and 5 of 6"))
    page.wait_for_url("**map.first=2**")
    pair = ready(look("odd-pair"), "plane")
    come_about(pair, lambda: pair.locator(".how").inner_text() == "The code itself: every place is a code")


def test_a_pointer_over_the_map_before_does_nothing_while_another_model_loads(look):
    page = ready(look("odd-plain", kind="pca"), "pca")
    come_about(page, lambda: told(shown(page), "source") == "exact")
    held = []
    page.route("**/explore/odd-pair/**", lambda route: held.append(route))
    page.get_by_label("Model").select_option(value="odd-pair")
    come_about(page, lambda: held)
    box = latent_map(page).bounding_box()
    for k in range(8):
        page.mouse.move(box["x"] + (0.2 + 0.08 * k) * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
    page.unroute("**/explore/odd-pair/**")  # which lets go what was held
    ready(page, "pca")  # what was chosen stays, although this code could be drawn as it is
    come_about(page, lambda: told(shown(page), "source") == "exact")


def test_uploaded_pictures_are_the_ends_of_a_walk(look, tmp_path):
    page = ready(look("odd-plain", kind="pca"), "pca")
    strip = page.get_by_test_id("interpolation")
    come_about(page, lambda: told(strip, "ready") == "true")
    page.get_by_role("tab", name="Draw").click()
    recovered = {}
    for end, (left, width) in {"A": (20, 8), "B": (8, 32)}.items():
        array = np.zeros((48, 48), np.uint8)
        array[6:42, left : left + width] = 255
        Image.fromarray(array).save(tmp_path / f"{end}.png")
        before = told(latent_map(page), "placed")
        with page.expect_file_chooser() as chooser:
            button(page, "Upload").click()
        chooser.value.set_files(tmp_path / f"{end}.png")
        come_about(page, lambda before=before: told(latent_map(page), "placed") not in ("", before))
        button(page, f"Set as {end}").wait_for()
        recovered[end] = shown(page).evaluate(GREYS)
        button(page, f"Set as {end}").click()
        come_about(page, lambda end=end: told(strip, end.lower()) == "own" and told(strip, "ready") == "true")
    for cell, end in ((0, "A"), (10, "B")):
        assert alike(strip.locator(".cells.code canvas").nth(cell).evaluate(GREYS), recovered[end])


def test_a_file_that_is_no_picture_is_one_sentence_that_stays(look, tmp_path):
    page = ready(look("odd-plain", kind="umap", count=60), "pca")
    page.get_by_role("tab", name="Draw").click()
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with page.expect_file_chooser() as chooser:
        button(page, "Upload").click()
    chooser.value.set_files(tmp_path / "bad.png")
    page.get_by_text("This file is not a picture that can be read.").wait_for()


def test_umaps_own_inverse_decodes_a_click_where_it_is_chosen(look):
    knobs = {"kind": "umap", "count": 60, "neighbours": 100}
    page = ready(look("odd-plain", **knobs), "umap")
    how, box = page.locator(".how"), latent_map(page).bounding_box()
    few = "With 60 images a neighbourhood has at most 59 codes."
    assert how.inner_text() == f"Way back from UMAP: the 40 nearest codes, weighted by distance. {few}"
    for k in range(12):  # until no point and no end of the walk lies under the click
        page.mouse.click(box["x"] + (0.4 + 0.02 * k) * box["width"], box["y"] + 0.5 * box["height"])
        if "," in told(latent_map(page), "chosen"):
            break
    come_about(page, lambda: told(shown(page), "source") == "exact")
    place = dict(zip("xy", map(float, told(latent_map(page), "chosen").split(",")), strict=True))
    held, before = [], told(shown(page), "distance")
    page.mouse.move(4, 4)  # a pointer that rests on the map asks what lies there: nobody else's question is to be held
    page.route("**/decode?**", lambda route: held.append(route))
    page.get_by_role("tab", name="Map and files").click()
    page.get_by_label("Way back to a code").select_option(label="UMAP's inverse")
    come_about(page, lambda: held)
    page.get_by_text("UMAP's inverse: some seconds").wait_for()
    assert how.inner_text().startswith("Way back from UMAP: its own inverse for a click among the points, else the 40")
    strip = page.get_by_test_id("interpolation")
    button(page, "Spherical").click()  # nothing else waits for what takes seconds
    come_about(page, lambda: told(strip, "how") == "spherical" and told(strip, "ready") == "true")
    page.unroute("**/decode?**")  # which lets go what was held
    come_about(page, lambda: told(shown(page), "source") == "exact")
    question = {**place, "map": {**knobs, "way": "inverse"}}
    expected = page.request.post(page.url.split("/latent-space")[0] + "/explore/odd-plain/decode", data=question,
                                 headers={"referer": page.url}).json()
    assert alike(shown(page).evaluate(GREYS), shown(page).evaluate(PICTURE, expected["image"]))
    assert float(told(shown(page), "distance")) == pytest.approx(expected["distance"], abs=2e-3) != float(before)
    lands = page.locator(".facts").inner_text()
    assert "Encoded again, it lands" in lands and f"{100 * expected['distance']:.1f} %" in lands
    page.wait_for_url("**map.way=inverse**")


def test_files_of_the_map_open_elsewhere(look, browser, tmp_path):
    page = ready(look("odd-plain", kind="pca"), "pca")
    page.get_by_role("tab", name="Map and files").click()
    for kind in ("CSV", "NPZ", "PNG", "HTML"):
        with page.expect_download() as download:
            button(page, kind).click()
        download.value.save_as(tmp_path / f"map.{kind.lower()}")
    assert len((tmp_path / "map.csv").read_text().splitlines()) == 1798
    with np.load(tmp_path / "map.npz", allow_pickle=False) as file:
        assert file["codes"].shape == (1797, 6)
    assert len(np.unique(np.asarray(Image.open(tmp_path / "map.png").convert("L")))) > 10
    with browser.new_context(viewport={"width": 390, "height": 844}, offline=True) as alone:
        map_page, said = alone.new_page(), []
        map_page.on("pageerror", lambda error: said.append(str(error)))
        map_page.goto(f"file://{tmp_path / 'map.html'}")
        assert map_page.evaluate("document.documentElement.scrollWidth <= 390")
        map_page.focus("#map")
        words = map_page.locator("#words")
        map_page.keyboard.press("ArrowRight")
        first = words.inner_text()
        map_page.keyboard.press("ArrowRight")
        assert "error" in first and words.inner_text() != first and map_page.locator("#tile").is_visible()
        assert map_page.evaluate("[...document.querySelectorAll('#keys button')].length") == 10 and not said


def test_a_picture_that_lies_beyond_what_is_seen_is_brought_into_view(look, tmp_path):
    page = look("odd-plain", kind="pca")
    page.wait_for_selector("[data-testid=latent-map][data-status=ready]", state="attached")
    latent_map(page).focus()
    for _ in range(12):
        page.keyboard.press("+")
    page.get_by_role("tab", name="Draw").click()
    page.mouse.move(2, 2)
    drawn = """e => [...e.querySelectorAll('canvas')].some(c => c.matches('.top') && c.width
        && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 128))"""
    come_about(page, lambda: not told(latent_map(page), "flying"))
    Image.fromarray(np.repeat(np.uint8([255, 0]), 8)[:, None].repeat(16, 1)).save(tmp_path / "above.png")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "above.png")
    come_about(page, lambda: told(latent_map(page), "placed"))
    assert max(abs(float(v)) for v in told(latent_map(page), "placed").split(",")) > 0.4
    come_about(page, lambda: latent_map(page).evaluate(drawn))
