"""The Classify page: what a picture shows, which classes are taken for which, and what labels are worth."""

from __future__ import annotations

import asyncio
import html
from typing import Any

import numpy as np
import streamlit as st

from playground.coder import Choice
from playground.events import Trouble
from playground.experiment import Experiment
from playground.images import to_bytes
from playground.lab import label_curve
from playground.lab.applications import OWN, Application, applications
from playground.lab.own_images import complain
from playground.lab.pieces import pieces
from playground.labelling.answers import Answers, answers, pictures
from playground.labelling.baselines import CLASSES_ABSENT, Nearest, nearest
from playground.labelling.classify import Classification, seen
from playground.labelling.curve import Point, curve, runs
from playground.paint_routes import url_of

HELD_OUT, DRAWN = "held-out", "drawn"
SOURCES = {HELD_OUT: "Held-out image", DRAWN: "Draw it", OWN: "Your own picture"}
SHOWN = 24  # images of a cell of the confusion matrix
SMALL = ("task=classify&architecture=convolutional&architecture.code=32&variant=denoising&training.loss=bce"
         "&training.schedule=cosine&training.rate=0.003&training.epochs=25")
SMALL_LABELS = (10, 30, 100)
MEASURED = ("MNIST, accuracy on 10,000 held-out images: a classifier on the frozen code of the shipped probe, whose "
            "encoder has seen 60,000 images and no label; the same, fine-tuned; and the same network from the labelled "
            "pixels alone. At ten labels the mean of five choices. Measured by python -m benchmarks.labels.")
HERE = "Handwritten digits, trained here: accuracy on 359 held-out images by labels per class."


@applications.register("classify")
class Classifying(Application):
    rank = 1
    title = "Classify"
    motto = "What a picture shows, told from its code."
    wanting = "Draw something, or bring a picture: PNG, JPEG, WebP, BMP, GIF or TIFF."
    notice = (
        "The encoder of a probe has never been told a class: it learnt from images alone, and a small classifier on "
        "its code needs few labels. Fine-tuning lets the labels reach the encoder too. From pixels, the same network "
        "learns from the labelled images only: with ten of each class it falls behind, with all of them it overtakes "
        "the probe. The nearest images by pixels need no learning at all, and among the small digits they are even "
        "ahead; but two pixels to the side lead them astray a third of the time or more, and the shipped networks "
        "seldom. In the matrix, look at what is off the diagonal: fours and nines, threes and fives."
    )
    train = SMALL

    truth: str | None = None  # the picture's class, where it is known

    def links(self) -> dict[str, str]:
        return {
            "Train a probe yourself": f"{self.train}&task.labels=10",
            "Train it fine-tuned": f"{self.train}&task.way=fine-tuned&task.labels=10",
            "Train it from pixels": f"{self.train}&task.way=pixels&task.labels=10",
        }

    def settings(self) -> dict[str, Any]:
        return {}

    def picture(self, choice: Choice) -> np.ndarray | None:
        """A held-out image of the model's data, the visitor's drawing, or a picture of theirs."""
        source = st.selectbox("Picture", [*SOURCES], format_func=SOURCES.__getitem__, key="classify.picture")
        if source == OWN:
            return self.own()
        if source == DRAWN:
            return self.drawn(choice)
        images = self.images(choice)
        at = self.held_out(images)
        self.truth = images.classes[images.labels[at]]
        return to_bytes(images.images[at])

    def show(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        labelled = asyncio.run(Classification(self.restorer).label(choice.name, picture))
        data = self.visit.bench.experiment(choice.name).data
        given = np.round(255 * seen(picture, choice.shape, data)[0]).astype(np.uint8)
        with st.container(key="told", horizontal=True, gap="large"):
            st.html(bars(labelled.scores, given, self.truth))
            if (beside := self._nearest(choice)) is not None:
                st.html(by_pixels(beside, given, self.truth))
        st.caption(f"{choice.title}, {1000 * labelled.seconds:.0f} ms. {labelled.note}")
        if beside is None:
            st.caption(CLASSES_ABSENT)

    def _nearest(self, choice: Choice) -> Nearest | None:
        with st.spinner("Looking at the labelled images …", show_time=False):
            return asyncio.run(nearest(self.visit.bench, choice.name))

    def also(self, choice: Choice) -> None:
        st.markdown("##### Which classes are taken for which")
        try:
            self._confusion(choice)
        except Trouble as trouble:
            complain(str(trouble))
        st.markdown("##### What labels are worth")
        if points := label_curve.shipped():
            self._drawn_curve("measured", label_curve.picture(points, MEASURED))
        self._curve_here(choice)

    def _confusion(self, choice: Choice) -> None:
        found = self._answers(choice)
        counts = tuple(tuple(row) for row in found.confusion.tolist())
        piece, key = pieces()["confusion"], f"confusion-{choice.name}"
        cell = st.session_state.get("classify.cell", {}).get(choice.name, "")
        images: tuple[dict[str, str], ...] = ()
        if cell:
            which = found.cell(*map(int, cell.split(",")))[:SHOWN]
            raw = asyncio.run(pictures(self.visit.bench, choice.name, which))
            images = tuple({"url": url_of(image), "note": f"{found.sure[i]:.0%}"} for i, image in zip(which, raw))
        st.caption(f"{len(found.truth):,} held-out images, {found.accuracy:.2%} named rightly.")
        if (beside := self._nearest(choice)) is not None:
            st.html(worth(found, beside))
        piece(key=key, data={"model": choice.name, "classes": found.classes, "counts": counts, "cell": cell,
                             "images": images}, on_cell_change=lambda: self._open(choice.name, key))

    @staticmethod
    def _open(model: str, key: str) -> None:
        """Remember which cell is open; one that the matrix does not have is nothing."""
        cell = st.session_state[key].get("cell") or ""
        if all(part.isdecimal() for part in cell.split(",")) and cell.count(",") == 1:
            st.session_state["classify.cell"] = {model: cell}

    def _answers(self, choice: Choice) -> Answers:
        """Of the model as it is now; asked again only once it has learnt more."""
        snapshot = self.visit.bench.snapshot(choice.name)
        key = choice.name, getattr(snapshot and snapshot.event, "step", None)
        kept = st.session_state.get("classify.answers")
        if kept is None or kept[0] != key:
            with st.spinner("Looking at the held-out images …", show_time=False):
                kept = key, asyncio.run(answers(self.visit.bench, choice.name))
            st.session_state["classify.answers"] = kept
        return kept[1]

    @staticmethod
    def _drawn_curve(name: str, drawn: str) -> None:
        pieces()["label_curve"](key=f"classify-curve-{name}", data={"drawn": drawn})

    def _curve_here(self, choice: Choice) -> None:
        told = "Train nine small networks on the handwritten digits, three ways with 10, 30 and 100 labels per class."
        if st.button("Run it here, on digits", key="classify.run", help=told):
            bar = st.progress(0.0, "Nine small networks")

            def report(share: float, points: list[Point]) -> None:
                bar.progress(share, f"{len(points)} of {len(SMALL_LABELS) * 3} networks")

            experiments = runs(SMALL, SMALL_LABELS)
            try:
                found = asyncio.run(curve(self.visit.bench, choice.name, Experiment().data, experiments, report))
                st.session_state["classify.curve"] = found
            except Trouble as trouble:
                complain(str(trouble))
            bar.empty()
        if kept := st.session_state.get("classify.curve"):
            self._drawn_curve("here", label_curve.picture(kept, HERE))


def bars(scores: dict[str, float], given: np.ndarray, truth: str | None) -> str:
    """What the network was given (c, h, w) uint8, its true class, and each class's probability as a bar, as HTML."""
    best = next(iter(scores))
    rows = "".join(
        f'<tr{" class=ap-best" if name == best else ""}><th scope="row">{html.escape(name)}</th>'
        f'<td class="ap-track"><i style="width:{100 * share:.1f}%"></i></td><td>{100 * share:.1f} %</td></tr>'
        for name, share in sorted(scores.items())
    )
    known = "" if truth is None else f"<p data-testid=truth>Truth: <b>{html.escape(truth)}</b></p>"
    return (
        f'<div class="ap-classes" data-testid="classes" data-class="{html.escape(best)}"><figure>'
        f'<img src="{url_of(given)}" alt=""><figcaption>What the network was given</figcaption></figure><div>{known}'
        f'<p data-testid="verdict">The model says <b>{html.escape(best)}</b>{_right(best, truth)}</p>'
        f"<table><tbody>{rows}</tbody></table></div></div>"
    )


def by_pixels(beside: Nearest, given: np.ndarray, truth: str | None) -> str:
    """What the nearest labelled images say of what the network was given (c, h, w) uint8, and these, as HTML."""
    said, near = beside.says(given)
    images = "".join(f'<figure><img src="{url_of(image)}" alt="A labelled image"><figcaption>{html.escape(name)}'
                     "</figcaption></figure>" for image, name in near)  # fmt: skip
    count = len(beside.places)
    of = f"{count:,}" if count == beside.of else f"{count:,} of the {beside.of:,}"
    return (
        f'<div class="ap-baseline" data-testid="baseline" data-class="{html.escape(said)}">'
        f"<p>Pixels alone say <b>{html.escape(said)}</b>{_right(said, truth)}</p><div>{images}</div>"
        f"<small>The nearest by their pixels of {of} labelled training images.</small></div>"
    )


def _right(said: str, truth: str | None) -> str:
    """Whether an answer is right, in words; nothing where nobody knows."""
    if truth is None:
        return ""
    return ", <em>right</em>" if said == truth else ", <em class=ap-wrong>wrong</em>"


def worth(found: Answers, beside: Nearest) -> str:
    """How often the model and the nearest by pixels are right on the same held-out images, as an HTML table."""
    asked = min(beside.asked, len(found.truth))
    mine = float((found.truth == found.answer)[:asked].mean())
    shares = (("model", "Model", mine), ("pixels", "Nearest by pixels", beside.accuracy))
    rows = "".join(f'<tr data-by="{by}"><th scope="row">{name}</th><td>{100 * share:.1f} %</td></tr>'
                   for by, name, share in shares)  # fmt: skip
    of = f"the first {asked:,}" if asked < len(found.truth) else f"{asked:,}"
    return (f'<table class="ap-worth" data-testid="worth"><thead><tr><th></th><th scope="col">right, of {of} held-out '
            f"images</th></tr></thead><tbody>{rows}</tbody></table>")
