"""The pages under Applications: what a network is good for, one file each; this folder is the registry."""

from __future__ import annotations

import asyncio
import sys
from abc import ABC, abstractmethod
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from playground.coder import Choice, usual
from playground.data import ImageSet
from playground.data.photos import PHOTOS, UNSEEN, photograph
from playground.events import Trouble
from playground.explore_answers import picture_bytes
from playground.images import read_image, to_png
from playground.lab.own_images import PICTURES, complain
from playground.lab.pieces import pieces
from playground.lab.session import Visit
from playground.paint_routes import url_of
from playground.probes import photographs
from playground.registry import Registry
from playground.restorer import Restored, Restorer

applications = Registry("application")
OWN = "own"
NAMES = {
    **{name: f"{name.capitalize()}, never seen in training" for name in UNSEEN},
    **{name: f"{name.capitalize()}, parts of it trained on" for name in PHOTOS},
    OWN: "Your own picture",
}
PATIENCE = 120.0  # seconds for a data set to load
SIDE = 512  # pixels a side: of larger pictures whose truth is to be known, the middle is taken

Pictures = dict[str, np.ndarray]


class Application(ABC):
    """One page: what is asked at the left, what came of it at the right.

    name: what its models do, a way that `coder.ways` knows. rank: its place in the list. first: the model that it opens
    with, where there are several. train: a link's query for a model of one's own.
    """

    name: str
    title: str
    motto: str
    notice: str
    train: str
    first = ""
    wanting = "Bring a picture: PNG, JPEG, WebP, BMP, GIF or TIFF."

    def __init__(self, visit: Visit):
        self.visit, self.restorer = visit, Restorer(visit.bench)

    def draw(self) -> None:
        """The whole page."""
        with st.container(key="application", horizontal=True, gap="large"):
            with st.container(key="asked", gap="small"):
                st.markdown(f"#### {self.title}\n\n{self.motto}")
                choice = self.model()
                picture = self._asked(choice) if choice else None
                settings = self.settings() if choice and picture is not None else {}
                for words, query in self.links().items():
                    st.link_button(words, f"/?{query}", width="stretch")
                st.markdown(f"**What to notice.** {self.notice}")
            with st.container(key="answered", gap="small"):
                if choice is None:
                    st.info("There is no model for this yet: train one, and it is listed here at once.")
                elif picture is None:
                    st.info(self.wanting)
                else:
                    self._shown(choice, picture, settings)
                if choice is not None:
                    self.also(choice)
        self.visit.write_address(**({"model": choice.name} if choice else {}))

    def links(self) -> dict[str, str]:
        """Words -> a link's query, for models of one's own."""
        return {"Train it yourself": self.train}

    def also(self, choice: Choice) -> None:  # noqa: B027 (a page may have no more to show)
        """What is shown of a model below, whatever the picture; nothing here."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The page's own controls, drawn, and their values: what `show` is given."""

    @abstractmethod
    def show(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        """Draw what comes of a picture (c, h, w) uint8; Trouble becomes a sentence on the page."""

    def model(self) -> Choice | None:
        """The models that can do it, as a list to choose from; the one that the link names first of all."""
        key, asked = f"{self.name}.model", st.query_params.get("model", "")
        known = st.session_state.get(key, asked)
        found = {one.name: one for one in self.restorer.choices(self.name, self.visit.viewer, known)}
        titles = {name: one.title if one.shipped else f"{one.title}, {name}" for name, one in found.items()}
        if not found:
            return None
        if key not in st.session_state:
            st.session_state[key] = next(one for one in (asked, self.first, usual(found.values())) if one in found)
        return found[st.selectbox("Model", [*found], format_func=titles.__getitem__, key=key)]

    def picture(self, choice: Choice) -> np.ndarray | None:
        """A built-in photograph or the visitor's own picture, to be chosen; Trouble becomes a sentence on the page."""
        name = st.selectbox("Picture", [*NAMES], format_func=NAMES.__getitem__, key=f"{self.name}.picture")
        return self.own() if name == OWN else photograph(name)

    def own(self) -> np.ndarray | None:
        """The picture that the visitor brings; what is wrong with it is said in a sentence."""
        file = st.file_uploader("Your own picture", PICTURES, key=f"{self.name}.file", label_visibility="collapsed")
        if file is None:
            return None
        try:
            return read_image(file.getvalue(), file.name)
        except Trouble as trouble:
            complain(str(trouble))
            return None

    def drawn(self, choice: Choice) -> np.ndarray | None:
        """What the visitor draws, or photographs: (c, h, w) uint8; None before there is anything."""
        said = pieces()["drawing"](key=f"{self.name}-drawing", data={"ink": choice.shape[0] == 1},
                                   on_picture_change=lambda: None)
        return read_image(picture_bytes(said.picture), "the drawing") if said.picture else None

    def images(self, choice: Choice) -> ImageSet:
        """The data set of a model, loaded; Trouble where it cannot be, or takes too long for now."""
        bench = self.visit.bench
        with st.spinner("Loading the images …", show_time=False):
            try:
                found = bench.supply.look(bench.experiment(choice.name).data, choice.name).result(PATIENCE).source
            except TooSlow:
                raise Trouble("The model's images are still being loaded: look again in a moment.") from None
        if found.stand_in:
            st.caption(found.stand_in)
        return found

    def held_out(self, images: ImageSet, label: str = "Number") -> int:
        """Which held-out image is chosen, counted from 1: its place in the set."""
        last = len(images.held_out)
        return int(images.held_out[int(st.number_input(label, 1, last, 1, key=f"{self.name}.number.{last}")) - 1])

    def _asked(self, choice: Choice) -> np.ndarray | None:
        try:
            return self.picture(choice)
        except Trouble as trouble:
            self.wanting = "There is no picture to show yet: the left says why."
            complain(str(trouble))
            return None

    def _shown(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        try:
            self.show(choice, picture, settings)
        except Trouble as trouble:
            complain(str(trouble))


@dataclass(frozen=True)
class Answer:
    """Pictures (c, h, w) uint8 by name, the model's among them; the truth, where it is known; and what was done.

    rim: pixels at the edge that do not count.
    """

    pictures: Pictures
    truth: np.ndarray | None
    result: Restored
    rim: int = 0


class Comparison(Application):
    """A page whose answer is a picture: the classical ways and the model's side by side, under one lens."""

    @abstractmethod
    async def answer(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> Answer:
        """What is to be seen of a picture (c, h, w) uint8."""

    def show(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        with st.spinner("At work …", show_time=False):
            answer = asyncio.run(self.answer(choice, picture, settings))
        pieces()["compare"](key=f"compare-{self.name}", data={"pictures": told(answer)})
        note = f" {answer.result.note}" if answer.result.note else ""
        st.caption(f"{choice.title}, {1000 * answer.result.seconds:.0f} ms.{note}")
        st.download_button("Save the model's picture", to_png(answer.result.image), f"{self.name}.png", "image/png",
                           key=f"{self.name}.save")


def middle(picture: np.ndarray) -> np.ndarray:
    """The middle of a picture (c, h, w), at most SIDE pixels a side."""
    top, left = (max(0, side - SIDE) // 2 for side in picture.shape[1:])
    return np.ascontiguousarray(picture[:, top : top + SIDE, left : left + SIDE])


def told(answer: Answer) -> tuple[dict[str, Any], ...]:
    """What the component is told of each picture: its name, the picture, and what it is worth where that is known."""
    worth = {name: {} if answer.truth is None else photographs.worth(image, answer.truth, answer.rim)
             for name, image in answer.pictures.items()}
    best = max((one["psnr"] or 0 for one in worth.values() if one), default=None)
    shown = [
        {"name": name, "url": url_of(image), "numbers": tuple(
            (label, f"{value:.2f}{unit}", metric == "psnr" and value == best)
            for metric, label, unit in (("psnr", "PSNR", " dB"), ("ssim", "SSIM", ""))
            if (value := worth[name].get(metric)) is not None
        )}
        for name, image in answer.pictures.items()
    ]  # fmt: skip
    if answer.truth is not None:
        shown.append({"name": "Truth", "url": url_of(answer.truth), "numbers": ()})
    return tuple(shown)


applications.discover(sys.modules[__name__])
