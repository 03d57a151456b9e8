"""The page Teach: what a class is to open, what is left out of it, and the link with its QR code."""

from __future__ import annotations

import base64
import html
from functools import cache
from typing import Any

import streamlit as st
from streamlit import config

from playground.events import Trouble
from playground.experiment import Experiment
from playground.lab import qr, teaching
from playground.lab.own_images import complain
from playground.lab.pieces import pieces
from playground.lab.places import held, link, pages, places
from playground.lab.session import Visit
from playground.lessons import lessons

MOST_RUNS = 40  # in the list of runs
KEPT: dict[str, Any] = {"persist_state": "session"}  # what is chosen here is still chosen after a look elsewhere
SOURCES = {"lesson": "A lesson", "shipped": "A shipped model", "run": "One of your runs", "link": "A link, pasted"}
LONG = 2000  # characters of a link that every browser and proxy takes

Opened = tuple[str, dict[str, str], Experiment, str]  # page, what its link holds, the experiment, what it is called


class Teaching:
    """One visitor's page; widgets keep what was chosen."""

    def __init__(self, visit: Visit):
        self.visit = visit

    # What it opens --------------------------------------------------------------------------------------------------

    def opened(self) -> Opened | None:
        """What the link opens, drawn as controls; None while there is nothing to open. Trouble is one to be told."""
        kind = st.selectbox("Open", [*SOURCES], format_func=SOURCES.__getitem__, key="teach.kind", **KEPT)
        if kind == "lesson":
            return self._lesson()
        if kind == "link":
            return self._link()
        bench, viewer = self.visit.bench, self.visit.viewer
        if kind == "shipped":
            found = {one.name: (one.experiment, one.name) for one in bench.library.shipped_models()}
        else:
            runs = [one for one in bench.jobs() if one.steps_taken and viewer.owns(one.owner)][:MOST_RUNS]
            found = {one.job: (one.title, f"{one.title.title}, {one.title.data.title}, {one.job}") for one in runs}
        if not found:
            st.caption("You have no run that learnt anything yet: train one, or choose something else.")
            return None
        name = st.selectbox("Model", [*found], format_func=lambda one: found[one][1], key=f"teach.{kind}", **KEPT)
        return self._placed(found[name][0], name, kind == "run")

    def _lesson(self) -> Opened:
        told = st.selectbox("Lesson", range(len(lessons())), key="teach.lesson", **KEPT,
                            format_func=lambda one: f"{one + 1}. {lessons()[one].title}")
        one = lessons()[told]
        page, holds = teaching.of_lesson(one)
        return page, holds, one.experiment, f"Lesson {one.number}: {one.title}"

    def _link(self) -> Opened | None:
        text = st.text_input("Link", key="teach.link", placeholder="http://…/?data=mnist&variant=sparse",
                             help="Any page of any playground: its address is replaced by this server's.", **KEPT)
        if not text.strip():
            st.caption("Any page as you have prepared it: copy its address from the address bar.")
            return None
        page, holds = teaching.read(text)
        made = held(holds)
        return page, holds, made, f"{pages()[page]}: {made.title}"

    def _placed(self, made: Experiment, name: str, is_run: bool) -> Opened:
        where = places(made, name, is_run)
        page = st.selectbox("Page", [*where], format_func=pages().__getitem__, key=f"teach.page.{name}", **KEPT)
        if is_run and page == "" and not st.toggle("Show this very run", True, key="teach.very", **KEPT, help=(
                "On: they watch your run and what it has learnt; Train begins one of their own. Off: each begins "
                "anew, with the same settings.")):
            where = places(made, name, is_run, look=False)
        return page, where[page], made, f"{pages()[page]}: {made.title}"

    # What is left out, and where ------------------------------------------------------------------------------------

    def hidden(self, made: Experiment) -> list[str]:
        """The names to hide, chosen from what this experiment's Train page has."""
        words = teaching.hideable(made)
        before = {name: name for name in st.session_state.get("teach.hide", ()) if name not in words}
        return st.multiselect(
            "Leave out", [*words, *before], format_func=lambda name: {**before, **words}[name], key="teach.hide",
            placeholder="Nothing is left out", select_all=False, **KEPT,
            help="Controls of the Train page that a class is not to turn, so that what the lesson is about stays.",
        )  # fmt: skip

    def address(self) -> str:
        """The server's address as students reach it: found, and to be corrected. Trouble where it is none."""
        found, note = teaching.reachable(_seen(), config.get_option("server.address") or "0.0.0.0", _machine())
        text = st.text_input("Address for students", key="teach.address", placeholder=found, help=(
            "Where this server is for them. Leave it empty for the address that was found."), **KEPT)
        if text.strip():
            return teaching.address(text)
        st.caption(f"Found: `{found}`. {note}".strip())
        return found

    # Drawing --------------------------------------------------------------------------------------------------------

    def asked(self) -> tuple[str, str] | None:
        """The controls; the link and what it is called, None while there is none. Problems are told where they are."""
        try:
            opened = self.opened()
        except Trouble as trouble:
            complain(str(trouble))
            opened = None
        hidden = self.hidden(opened[2] if opened else self.visit.experiment)
        try:
            base = self.address()
        except Trouble as trouble:
            complain(str(trouble))
            return None
        if opened is None:
            return None
        page, holds, _, name = opened
        return link(page, teaching.with_hidden(holds, hidden), base), name


def share(made: str, name: str) -> None:
    """The link, the button that copies it, and its QR code to project and to save."""
    png = svg = ""
    try:
        png = "data:image/png;base64," + base64.b64encode(qr.png(made)).decode()
        svg = "data:image/svg+xml;base64," + base64.b64encode(qr.svg(made).encode()).decode()
    except Trouble as trouble:
        complain(str(trouble))
    pieces()["share"](key="share", data={"link": made, "caption": name, "png": png, "svg": svg})
    if len(made) > LONG:
        st.html(f'<p class="ap-said">{html.escape(f"At {len(made):,} characters some browsers may cut it off.")}</p>')


def _seen() -> str:
    """The address at which this browser sees the page."""
    if url := st.context.url:
        return url
    return f"http://{st.context.headers.get('Host') or 'localhost'}"


@cache
def _machine() -> str:
    return teaching.own_address()
