"""The pages under Applications: a picture in, the model's answer beside the classical ones and the truth."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from playground.coder import Choice
from playground.data.photos import PHOTOS, UNSEEN, photograph
from playground.events import Trouble
from playground.images import read_image, to_png
from playground.lab.own_images import PICTURES, complain
from playground.lab.pieces import pieces
from playground.lab.session import Visit
from playground.paint_routes import url_of
from playground.probes import photographs
from playground.restorer import Restored, Restorer
from playground.tasks.upscale import Upscale

OWN = "own"
NAMES = {
    **{name: f"{name.capitalize()}, never seen in training" for name in UNSEEN},
    **{name: f"{name.capitalize()}, parts of it trained on" for name in PHOTOS},
    OWN: "Your own picture",
}
SIDE = 512  # pixels a side: of larger pictures whose truth is to be known, the middle is taken

Pictures = dict[str, np.ndarray]


@dataclass(frozen=True)
class Answer:
    """Pictures (c, h, w) uint8 by name, the model's among them; the truth, where it is known; and what was done.

    rim: pixels at the edge that do not count.
    """

    pictures: Pictures
    truth: np.ndarray | None
    result: Restored
    rim: int = 0


class Application(ABC):
    """One page. way: what its models do, of restorer.WAYS. train: a link's query for a model of one's own."""

    title: str
    motto: str
    way: str
    notice: str
    train: str

    def __init__(self, visit: Visit):
        self.visit, self.restorer = visit, Restorer(visit.bench)

    def draw(self) -> None:
        """The whole page: what is asked at the left, what came of it at the right."""
        with st.container(key="application", horizontal=True, gap="large"):
            with st.container(key="asked", gap="small"):
                st.markdown(f"#### {self.title}\n\n{self.motto}")
                choice, picture = self._model(), self._picture()
                settings = self.settings() if choice and picture is not None else {}
                st.link_button("Train it yourself", f"/?{self.train}", width="stretch")
                st.markdown(f"**What to notice.** {self.notice}")
            with st.container(key="answered", gap="small"):
                if choice is None:
                    st.info("There is no model for this yet: train one, and it is listed here at once.")
                elif picture is None:
                    st.info("Bring a picture: PNG, JPEG, WebP, BMP, GIF or TIFF.")
                else:
                    self._show(choice, picture, settings)
        self.visit.write_address()

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The page's own controls, drawn, and their values: what `answer` is given."""

    @abstractmethod
    async def answer(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> Answer:
        """What is to be seen of a picture (c, h, w) uint8."""

    def _model(self) -> Choice | None:
        found = {one.name: one for one in self.restorer.choices(self.way)}
        titles = {name: one.title if one.shipped else f"{one.title}, {name}" for name, one in found.items()}
        if not found:
            return None
        return found[st.selectbox("Model", [*found], format_func=titles.__getitem__, key=f"{self.way}.model")]

    def _picture(self) -> np.ndarray | None:
        name = st.selectbox("Picture", [*NAMES], format_func=NAMES.__getitem__, key=f"{self.way}.picture")
        if name != OWN:
            return photograph(name)
        file = st.file_uploader("Your own picture", PICTURES, key=f"{self.way}.file", label_visibility="collapsed")
        if file is None:
            return None
        try:
            return read_image(file.getvalue(), file.name)
        except Trouble as trouble:
            complain(str(trouble))
            return None

    def _show(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        try:
            with st.spinner("At work …", show_time=False):
                answer = asyncio.run(self.answer(choice, picture, settings))
        except Trouble as trouble:
            st.error(str(trouble))
            return
        pieces()["compare"](key=f"compare-{self.way}", data={"pictures": told(answer)})
        note = f" {answer.result.note}" if answer.result.note else ""
        st.caption(f"{choice.title}, {1000 * answer.result.seconds:.0f} ms.{note}")
        st.download_button("Save the model's picture", to_png(answer.result.image), f"{self.way}.png", "image/png",
                           key=f"{self.way}.save")


class Upscaling(Application):
    title, way = "Upscale", "upscale"
    motto = "A picture two or four times as large, with the detail that interpolation cannot give."
    notice = (
        "Interpolation spreads what is there; the network has seen how edges and hair go on below the size of a pixel. "
        "It is sharpest along edges, and where texture is finer than the small picture can tell it guesses smoothly: "
        "what was lost is lost. It enlarges the brightness alone; colours come by bicubic interpolation, and the eye "
        "hardly minds."
    )
    train = "task=upscale&architecture=residual&data=photos&data.colour=false&training.loss=l1"

    def settings(self) -> dict[str, Any]:
        return {"small": st.toggle(
            "Enlarge it as it is", key="upscale.small",
            help="Off: the picture is made smaller first, so that the truth is known and can be measured against.",
        )}  # fmt: skip

    async def answer(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> Answer:
        task = self.restorer.workbench.experiment(choice.name).task
        assert isinstance(task, Upscale)
        truth = None
        if not settings["small"]:
            truth, picture = photographs.smaller(middle(picture), task.scale)
        result = await self.restorer.upscale(choice.name, picture, truth)
        classical = await asyncio.to_thread(photographs.interpolated, picture, task.scale)
        return Answer({**{how.capitalize(): image for how, image in classical.items()}, "Model": result.image}, truth,
                      result, task.scale)


class Denoising(Application):
    title, way = "Denoise", "denoise"
    motto = "Grain taken out of a photograph, its detail kept."
    notice = (
        "Told a noise stronger than there is, the network smooths away texture; told a weaker one, grain stays. Left "
        "to estimate it from the picture's finest detail it is close, but fine texture passes for noise. Non-local "
        "means averages patches that look alike; the network knows what patches look like."
    )
    train = "task=denoise&architecture=residual&data=photos&data.colour=false"

    def settings(self) -> dict[str, Any]:
        as_it_is = st.toggle("It is noisy already", key="denoise.noisy",
                             help="Off: noise is added to the picture, so that the truth is known.")
        sigma = st.slider("Noise to add, σ", 0, 55, 25, key="denoise.sigma", disabled=as_it_is,
                          help="Standard deviation of the noise in grey levels of 255.")
        told_it = st.slider("Noise the model is told, σ", 0, 75, 25, key="denoise.told",
                            disabled=st.session_state.get("denoise.estimate", True))
        estimate = st.toggle("Let it estimate the noise", True, key="denoise.estimate")
        return {"sigma": None if as_it_is else sigma, "told": None if estimate else told_it}

    async def answer(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> Answer:
        sigma, told_it, truth = settings["sigma"], settings["told"], None
        if sigma is not None:
            truth = middle(picture)
            picture = photographs.noisy(truth, sigma)
        result = await self.restorer.denoise(choice.name, picture, truth, sigma=told_it)
        classical = await asyncio.to_thread(photographs.non_local_means, picture, told_it or sigma or 0)
        return Answer({"Noisy": picture, "Non-local means": classical, "Model": result.image}, truth, result)


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
