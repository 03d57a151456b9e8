"""The Upscale page: a small picture made large, beside the classical interpolations."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import streamlit as st

from playground.coder import Choice
from playground.lab.applications import Answer, Comparison, applications, middle
from playground.probes import photographs
from playground.tasks.upscale import Upscale


@applications.register("upscale")
class Upscaling(Comparison):
    rank = 2
    title = "Upscale"
    motto = "A picture two or four times as large, with the detail that interpolation cannot give."
    notice = (
        "Interpolation spreads what is there; the network has seen how edges and hair go on below the size of a pixel. "
        "It is sharpest along edges, and where texture is finer than the small picture can tell it guesses smoothly: "
        "what was lost is lost. It enlarges the brightness alone; colours come by bicubic interpolation, and the eye "
        "hardly minds."
    )
    train = "task=upscale&architecture=residual&data=photos&data.colour=false&training.loss=l1"

    def settings(self) -> dict[str, Any]:
        return {
            "small": st.toggle(
                "Enlarge it as it is", key="upscale.small",
                help="Off: the picture is made smaller first, so that the truth is known and can be measured against.",
            ),
            "finest": st.toggle(
                "Finest", key="upscale.finest",
                help="The mean over the picture's eight ways to be turned and mirrored: up to eight times the work.",
            ),
        }  # fmt: skip

    async def answer(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> Answer:
        task = self.restorer.workbench.experiment(choice.name).task
        assert isinstance(task, Upscale)
        truth = None
        if not settings["small"]:
            truth, picture = photographs.smaller(middle(picture), task.scale)
        result = await self.restorer.upscale(choice.name, picture, truth, finest=settings["finest"])
        classical = await asyncio.to_thread(photographs.interpolated, picture, task.scale)
        return Answer({**{how.capitalize(): image for how, image in classical.items()}, "Model": result.image}, truth,
                      result, task.scale)
