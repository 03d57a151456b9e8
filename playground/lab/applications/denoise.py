"""The Denoise page: noise taken out of a photograph, beside non-local means."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import streamlit as st

from playground.coder import Choice
from playground.lab.applications import Answer, Comparison, applications, middle
from playground.probes import photographs


@applications.register("denoise")
class Denoising(Comparison):
    rank = 8
    title = "Denoise"
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
        sigma = told_it = None
        if not as_it_is:
            sigma = st.slider("Noise to add, σ", 0, 55, 25, key="denoise.sigma",
                              help="Standard deviation of the noise in grey levels of 255.")
        if not st.toggle("Let it estimate the noise", True, key="denoise.estimate"):
            told_it = st.slider("Noise the model is told, σ", 0, 75, 25, key="denoise.told")
        return {"sigma": sigma, "told": told_it}

    async def answer(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> Answer:
        sigma, told_it, truth = settings["sigma"], settings["told"], None
        if sigma is not None:
            truth = middle(picture)
            picture = photographs.noisy(truth, sigma)
        result = await self.restorer.denoise(choice.name, picture, truth, sigma=told_it)
        level = told_it if told_it is not None else photographs.estimated(picture)
        beside = {}
        if level is not None:  # else it has no more to go by than the model
            beside["Non-local means"] = await asyncio.to_thread(photographs.non_local_means, picture, level)
        return Answer({"Noisy": picture, **beside, "Model": result.image}, truth, result)
