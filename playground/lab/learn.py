"""Lessons and the gallery as HTML: a lesson's strip over the page it is about, all of them, and every shipped model."""

from __future__ import annotations

import html
from collections.abc import Iterable

from playground.lessons import Lesson, lessons
from playground.library import SHIPPED
from playground.recipes import RECIPES, Recipe
from playground.server import PREVIEWS


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
    """Every shipped model as a card: what it makes of images, what it is for, where it fails."""
    cards = [
        f'<a class="ap-card" href="{_text(link(one))}">'
        f'<img src="{PREVIEWS}/{one.name}/preview.png" alt="What {one.name} makes of held-out images" loading="lazy">'
        f"<h2>{_text(one.name)}</h2><p>{_text(one.about)}</p><p><small>{_text(one.limits)}</small></p></a>"
        for one in recipes if (SHIPPED / one.name / "preview.png").exists()
    ]  # fmt: skip
    about = "Models that are here already: open one and try it, or train it again from its recipe."
    more = '<a href="/models">Bring a model of your own, or take one along</a>'
    return _page("Gallery", about, cards, "gallery", more)


def link(recipe: Recipe) -> str:
    """Where a shipped model is best tried: an application's page, the map for two numbers, else the Train page."""
    made = recipe.experiment
    if made.task.name == "inpaint":
        return f"/paint?paint.use=inpaint&paint.model={recipe.name}&paint.data={made.data.name}"
    if made.task.name != "reconstruct":
        return f"/{made.task.name}?model={recipe.name}"
    page = "latent-space" if made.architecture.code == 2 else ""
    return f"/{page}?{recipe.query}" + (f"&model={recipe.name}" if page else "")


def _page(title: str, about: str, cards: list[str], name: str, more: str = "") -> str:
    return (f'<div class="ap-learn" data-testid="{name}"><h1>{title}</h1><p>{about} {more}</p>'
            f'<div class="ap-cards">{"".join(cards)}</div></div>')


def _text(words: str) -> str:
    return html.escape(words)
