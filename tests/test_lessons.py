"""Lessons and the gallery: every link leads where it says, every answer is there, every shipped model has its card."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from playground import server
from playground.data import datasets
from playground.experiment import Experiment
from playground.lab import learn
from playground.lab.applications import applications
from playground.lessons import lesson, lessons
from playground.library import SHIPPED
from playground.recipes import RECIPES
from tests.test_lab import address, bench, opened, page  # noqa: F401  (fixtures)

PAGES = {"", "latent-space", "inside", "paint", "does-it-hold", "lessons", "gallery", *applications}
GALLERY = Path(server.__file__).parent / "lab" / "views" / "gallery.py"
each = pytest.mark.parametrize("one", lessons(), ids=lambda one: str(one.number))


def addresses(page_html: str) -> list:
    return [urlsplit(html.unescape(found)) for found in re.findall(r'href="([^"]+)"', page_html)]


def test_there_are_twelve_in_the_lectures_order():
    titles = [one.title.lower() for one in lessons()]
    order = ("encoder", "bottleneck", "error", "overfitting", "pca", "contractive", "sparse", "denoising", "manifold",
             "classification", "super-resolution", "segmentation")
    assert len(titles) == len(order) and all(word in title for word, title in zip(order, titles))
    assert lesson("3") is lessons()[2] and lesson("13") is lesson("x") is lesson("") is None


@each
def test_a_lesson_is_short_and_whole(one):
    assert 2 <= len(re.findall(r"[.?!](?:\s|$)", one.text)) <= 4 and len(one.text) < 360
    assert one.change.endswith(".") and one.question.endswith("?") and one.answer.endswith(".")
    assert one.experiment == Experiment.from_query(one.query)[0]


@each
def test_a_lessons_link_leads_to_its_page_and_experiment(one):
    where = urlsplit(one.link)
    told = dict(parse_qsl(where.query))
    assert where.path.strip("/") in PAGES and told.pop("lesson") == str(one.number)
    model = told.pop("model", None)
    assert model is None or RECIPES[model].experiment == one.experiment
    assert Experiment.from_query("&".join(f"{name}={value}" for name, value in told.items())) == (one.experiment, [])


def test_what_a_lesson_sends_to_is_there():
    """Models is under Learn, and the model named there bends and does better; Segment is under Applications."""
    linear, models = lesson("5"), {name: one.experiment for name, one in RECIPES.items()}
    (named,) = [name for name in models if re.search(rf"(?<![\w-]){name}(?![\w-])", linear.change)]
    assert models[named].data == linear.experiment.data and models[named].architecture.activation != "linear"
    assert models[named].architecture.code == linear.experiment.architecture.code
    assert f"page {applications['segment'].title} under Applications" in lesson("12").text


@each
def test_its_strip_holds_all_of_it_and_leads_on(one):
    strip = learn.strip(one)
    for words in (one.title, one.text, one.change, one.question, one.answer):
        assert html.escape(words) in strip
    near = {address.query for address in addresses(strip) if address.query}
    assert near == {urlsplit(other.link).query for other in lessons() if abs(other.number - one.number) == 1}


def test_a_link_opens_the_lesson_over_the_page(page):
    test = page("lesson=6&variant=contractive")
    assert any(lesson("6").question in element.body for element in test.get("html"))
    assert test.session_state["experiment"].variant.name == "contractive" and not test.session_state["problems"]
    assert address(test)["lesson"] == "6"


@pytest.mark.parametrize("number", ["0", "99", "x", "<b>"])
@pytest.mark.slow
def test_a_lesson_that_there_is_not_is_no_trouble(page, number):
    test = page(f"lesson={number}&architecture.code=4")
    assert not any("ap-lesson\"" in element.body for element in test.get("html"))


def test_the_gallery_shows_every_shipped_model_and_leads_to_it():
    shown = learn.gallery_page()
    for name, recipe in RECIPES.items():
        assert f"/previews/{name}/preview.png" in shown and html.escape(recipe.about) in shown
        where = urlsplit(learn.link(recipe))
        told = dict(parse_qsl(where.query))
        assert where.path.strip("/") in PAGES
        if named := told.get("model", told.get("paint.model")):
            assert named == name
        else:
            assert Experiment.from_query(where.query) == (recipe.experiment, [])


def test_the_gallery_has_a_heading_for_every_kind_and_a_filter_by_images():
    shown = learn.gallery_page()
    for one in ("Undercomplete", "Contractive", "Sparse", "Denoising"):
        assert shown.count(f"<h2>{one} autoencoders</h2>") == 1
    for one in ("Codes of two numbers: maps", "Linear autoencoders: PCA", "Points in the plane", "Inpainting"):
        assert shown.count(f"<h2>{one}</h2>") == 1
    assert shown.count("ap-card") - shown.count("ap-cards") == len(RECIPES) == shown.count('loading="lazy"')
    titles = learn.images_of(RECIPES.values())
    assert [*titles] == [name for name in datasets if name in {one.experiment.data.name for one in RECIPES.values()}]
    some = [one for one in RECIPES.values() if one.experiment.data.name == "plane"]
    assert learn.gallery_page(some).count("<section>") == 1 and "sparse-mnist" not in learn.gallery_page(some)


SOURCES = {  # page -> where what it is made of stands, below playground/; on all others, applications
    "": ("lab/controls.py", "lab/actions.py", "lab/session.py", "lab/components/reconstructions.*", "experiment.py",
         "architectures/*.py"),
    "inside": ("lab/components/inside*",), "latent-space": ("lab/components/latent*",),
    "paint": ("lab/components/paint*", "lab/painting.py", "corruption.py", "data/*.py"),
}  # fmt: skip


def test_each_card_says_what_to_try_in_words_of_its_own():
    tries = learn.tries()
    assert tries.keys() == RECIPES.keys() and len(set(tries.values())) == len(tries)
    shown = learn.gallery_page()
    for said in tries.values():
        assert 30 < len(said) < 120 and said[0].islower()
        assert said[-1] in ".?" and len(re.findall(r"[.?](?:\s|$)", said)) == 1
        assert f"<b>Try:</b> {html.escape(said)}</p>" in shown


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_to_be_tried_is_on_the_page_that_the_card_leads_to(name):
    """A name of a control or a tab is written as on the page, with a capital: those are all that a sentence holds."""
    page = urlsplit(learn.link(RECIPES[name])).path.strip("/")
    own = (f"lab/applications/{page}.py", "lab/applications/__init__.py", "lab/components/*.html",
           "lab/components/detect.js", "examples.py", "data/photos.py")
    files = [file for one in SOURCES.get(page, own) for file in Path(learn.__file__).parents[1].glob(one)]
    held = " ".join(file.read_text(encoding="utf-8") for file in files).lower()
    for word in re.findall(r"\b[A-Z][a-z]{2,}\b", learn.tries()[name]):
        assert re.search(rf"\b{word.lower()}\b", held), word


def shown_gallery(test) -> str:
    return next(one.body for one in test.get("html") if 'data-testid="gallery"' in one.body)


def test_the_gallery_shows_the_models_of_the_images_chosen(bench):
    test = opened(GALLERY, {})
    assert "linear-mnist" in shown_gallery(test) and "linear-digits" in shown_gallery(test)
    test.button_group(key="gallery.data").set_value("mnist").run()
    assert not test.exception
    assert "linear-mnist" in shown_gallery(test) and "linear-digits" not in shown_gallery(test)


def test_previews_are_served_and_nothing_else():
    with TestClient(Starlette(routes=[Route(f"{server.PREVIEWS}/{{name}}/preview.png", server.preview)])) as client:
        name = next(iter(RECIPES))
        answer = client.get(f"/previews/{name}/preview.png")
        assert answer.content == (SHIPPED / name / "preview.png").read_bytes()
        for wrong in ("none", "..", "%2e%2e", "A"):
            assert client.get(f"/previews/{wrong}/preview.png").status_code == 404
