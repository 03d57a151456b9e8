"""Lessons and the gallery as HTML: a lesson's strip over the page it is about, all of them, and every shipped model."""

from __future__ import annotations

import html
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from playground.data import datasets
from playground.lessons import Lesson, lessons
from playground.library import SHIPPED
from playground.recipes import RECIPES, Recipe
from playground.server import PREVIEWS

TRIES = Path(__file__).resolve().with_name("tries.toml")
HEADINGS = {  # task -> what its models stand under in the gallery
    "inpaint": "Inpainting", "upscale": "Super-resolution", "denoise": "Noise in photographs", "detect": "Detection",
    "retrieve": "Retrieval", "compress": "Compression", "segment": "Segmentation", "restyle": "Painting",
    "classify": "Classification",
}  # fmt: skip


def strip(one: Lesson) -> str:
    """A lesson over the page that it is about; the answer behind a click."""
    count = len(lessons())
    near = [
        f'<a href="{_text(lessons()[number - 1].link)}">{name}</a>'
        for number, name in ((one.number - 1, "Previous"), (one.number + 1, "Next")) if 1 <= number <= count
    ]  # fmt: skip
    return (
        f'<details class="ap-lesson" data-testid="lesson" open><summary><small>Lesson {one.number} of {count}</small> '
        f"<b>{_text(one.title)}</b></summary><div><p>{_text(one.text)}</p>"
        f"<p><b>Try it.</b> {_text(one.change)}</p>"
        f"<details><summary>{_text(one.question)}</summary><p>{_text(one.answer)}</p></details>"
        f'<nav>{" ".join(near)} <a href="/lessons">All lessons</a></nav></div></details>'
    )


def lessons_page() -> str:
    """All lessons as cards, in the lecture's order."""
    cards = [
        f'<a class="ap-card" href="{_text(one.link)}"><small>Lesson {one.number}</small><h2>{_text(one.title)}</h2>'
        f"<p>{_text(one.text)}</p></a>"
        for one in lessons()
    ]
    about = "The lecture in twelve steps. Each opens a prepared experiment, says what to change, and asks one question."
    return _page("Lessons", about, cards, "lessons", '<a href="/teach">Prepare one for your class</a>')


def gallery_page(recipes: Iterable[Recipe] = tuple(RECIPES.values())) -> str:
    """Every shipped model as a card, under headings: what it makes of images, what it is for, where it fails, and what
    to try with it."""
    groups: dict[str, list[str]] = {}
    for one in recipes:
        if (SHIPPED / one.name / "preview.png").exists():
            groups.setdefault(heading(one), []).append(_model(one))
    sections = "".join(f"<section><h2>{_text(title)}</h2>{_cards(cards)}</section>" for title, cards in groups.items())
    return f'<div class="ap-learn" data-testid="gallery">{sections}</div>'


def gallery_title() -> str:
    """What stands over the gallery and its filter."""
    about = "Models that are here already: open one and try it, or train it again from its recipe."
    more = '<a href="/models">Bring a model of your own, or take one along</a>'
    return f'<div class="ap-learn"><h1>Gallery</h1><p>{about} {more}</p></div>'


@cache
def tries() -> dict[str, str]:
    """Name of a shipped model -> what to try with it on the page that its card leads to, in a short sentence."""
    return tomllib.loads(TRIES.read_text(encoding="utf-8"))


def _model(one: Recipe) -> str:
    told = tries().get(one.name, "")
    to_try = f"<p><b>Try:</b> {_text(told)}</p>" if told else ""
    return (
        f'<a class="ap-card" href="{_text(link(one))}">'
        f'<img src="{PREVIEWS}/{one.name}/preview.png" alt="What {one.name} makes of held-out images" loading="lazy">'
        f"<h3>{_text(one.name)}</h3><p>{_text(one.about)}</p>{to_try}<p><small>{_text(one.limits)}</small></p></a>"
    )


def heading(recipe: Recipe) -> str:
    """What a shipped model stands under in the gallery."""
    made = recipe.experiment
    if made.task.name in HEADINGS:
        return HEADINGS[made.task.name]
    if made.data.name == "plane":
        return "Points in the plane"
    if made.architecture.code == 2:
        return "Codes of two numbers: maps"
    linear = getattr(made.architecture, "activation", "") == "linear"
    return "Linear autoencoders: PCA" if linear else f"{made.variant.name.capitalize()} autoencoders"


def images_of(recipes: Iterable[Recipe]) -> dict[str, str]:
    """The data sets of the recipes, name -> title, in their order in lists."""
    found = {one.experiment.data.name: one.experiment.data for one in recipes}
    return {name: found[name].title for name in datasets if name in found}


def link(recipe: Recipe) -> str:
    """Where a shipped model is best tried: the page that its card tells of, the map for two numbers, else Train."""
    made = recipe.experiment
    if "Paint page" in recipe.about:
        inpaints = made.task.name == "inpaint"
        how = "paint.use=inpaint" if inpaints else "paint.way=noise&paint.use=denoise"
        return f"/paint?{how}&paint.model={recipe.name}&paint.data={made.data.name}"
    if made.task.name != "reconstruct":
        return f"/{made.task.name}?model={recipe.name}"
    page = "inside" if "Inside page" in recipe.about else "latent-space" if "Latent space page" in recipe.about else ""
    return f"/{page}?{recipe.query}" + (f"&model={recipe.name}" if page else "")


def _page(title: str, about: str, cards: list[str], name: str, more: str = "") -> str:
    return f'<div class="ap-learn" data-testid="{name}"><h1>{title}</h1><p>{about} {more}</p>{_cards(cards)}</div>'


def _cards(cards: list[str]) -> str:
    return f'<div class="ap-cards">{"".join(cards)}</div>'


def _text(words: str) -> str:
    return html.escape(words)
