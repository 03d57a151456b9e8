"""The Retrieve page: an image's like among many, by a model's code and by pixels, row above row."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import streamlit as st

from playground.coder import Choice
from playground.data.own import imported
from playground.found import caption, page, table
from playground.images import to_bytes
from playground.lab.applications import Application, applications
from playground.lab.pieces import pieces
from playground.lab.session import Visit
from playground.labelling.classify import seen
from playground.paint_routes import url_of
from playground.retriever import BYS, Question, Retriever, Searched, first

HELD_OUT, DRAWN, OWN = "Held out", "Drawn", "Your own"
OWN_PICTURE = "your own"
STRIP = 24  # images to choose from at a time


@applications.register("retrieve")
class Retrieving(Application):
    rank = 5
    title = "Retrieve"
    wanting = "Draw something, or bring a picture: PNG, JPEG, WebP, BMP, GIF or TIFF."
    motto = "An image's like among thousands, by a code of a few bytes."
    notice = (
        "Pixels find strokes in the same place: shifted or slanted a little, a like one is far away. The code finds "
        "what the network took for alike, from an index a fraction as large, in less time; how often "
        "it is right says how much of the class the code kept, though no label was ever shown. The model for hashing "
        "has bits for a code, which do nearly as well as numbers since noise in training has made them bits; turn that "
        "noise down, train, and compare."
    )
    train = "task=retrieve&architecture.code=32&training.loss=bce&training.rate=0.003"

    def __init__(self, visit: Visit):
        super().__init__(visit)
        self.asker = Retriever(visit.bench)
        self.ready: Searched | None = None
        self.question: Question = 0
        self.whose = "held out"

    @property
    def first(self) -> str:  # type: ignore[override]
        return first()

    def settings(self) -> dict[str, Any]:
        return {}

    def picture(self, choice: Choice) -> np.ndarray | None:
        """What is searched, and with what image; the code of all is made here, with its progress."""
        said = st.selectbox(
            "Against", ["", *(f"own:{name}" for name in imported())], key="retrieve.against",
            format_func=lambda one: one.removeprefix("own:") + ", your pictures" if one else "What it learnt on",
            help="Pictures of your own are brought on the Train page, under the images.",
        )  # fmt: skip
        bar = st.empty()
        try:
            def report(fraction: float) -> None:
                bar.progress(fraction, "Encoding the images …")

            self.ready = asyncio.run(self.asker.ready(choice.name, self.asker.against(choice.name, said), report))
        finally:
            bar.empty()
        way = st.segmented_control("Image", (HELD_OUT, DRAWN, OWN), default=HELD_OUT, key="retrieve.way", required=True)
        if way == HELD_OUT:
            return self._held_out(self.ready)
        picture = self.own() if way == OWN else self._drawing(choice)
        self.whose = OWN_PICTURE if way == OWN else "your drawing"
        self.question = picture if picture is not None else 0
        return picture

    def _drawing(self, choice: Choice) -> np.ndarray | None:
        """The visitor's drawing, in the middle and as large as the images that the model learnt on."""
        drawing = self.drawn(choice)
        if drawing is None:
            return None
        return to_bytes(seen(drawing, choice.shape, self.visit.bench.experiment(choice.name).data)[0])

    def show(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        assert self.ready is not None
        ready, found = self.ready, {}
        for by in BYS:
            found[by] = asyncio.run(self.asker.find(ready, self.question, by=by))
        st.html(page(ready, self.question, found, self.asker.shown(ready, self.question), self.whose))
        figures = st.empty()
        figures.html(table(ready, found, None))
        if ready.among.asking is not None and ready.among.classes:
            with st.spinner("Asking with many held-out images …", show_time=False):
                precisions = asyncio.run(self.asker.precision(ready))
            figures.html(table(ready, found, precisions))
        for sentence in filter(None, (ready.among.no_precision, *ready.among.problems, self._sees(choice, picture))):
            st.caption(sentence)
        st.caption(caption(ready))

    def _sees(self, choice: Choice, picture: np.ndarray) -> str:
        """What the model sees a picture of one's own as, in a sentence, where that is something else."""
        if self.whose != OWN_PICTURE or picture.shape == choice.shape:
            return ""
        channels, height, width = choice.shape
        grey = " in grey" if channels < len(picture) else ""
        return f"The model sees your picture as {width} × {height} pixels{grey}."

    def _held_out(self, ready: Searched) -> np.ndarray | None:
        """A strip of held-out images, of which one is chosen."""
        asking, classes = ready.among.asking, ready.among.classes
        if asking is None or not len(asking.images):
            st.caption("Nothing is held out here: bring a picture.")
            return None
        state = st.session_state
        first = state.get("retrieve.first", 0) % len(asking.images)
        chosen = min(state.get("retrieve.number", 0), len(asking.images) - 1)

        def choose() -> None:
            act = state["retrieve.strip"].get("act")
            if isinstance(act, dict) and isinstance(act.get("number"), int):
                state["retrieve.number"] = max(0, act["number"])

        def others() -> None:
            state["retrieve.first"] = state["retrieve.number"] = (first + STRIP) % len(asking.images)

        numbers = range(first, min(first + STRIP, len(asking.images)))
        pieces()["strip"](key="retrieve.strip", on_act_change=choose, data={
            "name": "Held-out images", "chosen": chosen, "images": tuple({
                "number": i, "url": url_of(asking.images[i]),
                "label": classes[asking.labels[i]] if classes else "",
            } for i in numbers),
        })  # fmt: skip
        if len(asking.images) > STRIP:
            st.button("Others", key="retrieve.others", on_click=others, width="stretch")
        self.question = chosen
        return asking.images[chosen]
