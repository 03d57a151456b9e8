"""The Restyle page: a photograph painted by a network, beside the filter that it learnt from."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from playground.coder import Choice
from playground.lab.applications import Answer, Comparison, applications, middle
from playground.painterly import median, painted
from playground.tasks.restyle import Restyle


@applications.register("restyle")
class Restyling(Comparison):
    rank = 7
    title = "Restyle"
    motto = "A photograph as if painted. The truth is what a classical filter makes of it; the network learnt that."
    notice = (
        "The filter looks at eight places around each pixel and keeps the calmest: dabs of one colour whose borders "
        "lie where the edges are. Nobody told the network this rule; it saw pairs of before and after. Large dabs and "
        "clear edges it has right. Where two places are almost equally calm the filter decides for one, the network "
        "for a mixture, and its dabs are softer. The filter is faster: learning it was not worth it for that, but the "
        "same network learns other filters as well, even one whose rule nobody knows."
    )
    train = (
        "task=restyle&architecture=residual&architecture.depth=5&architecture.width=16&data=photos&training.loss=l1"
        "&training.rate=0.002&training.batch=16"
    )

    def picture(self, choice: Choice) -> np.ndarray | None:
        st.session_state.setdefault(f"{self.name}.picture", "motorcycle")  # in colour, and never seen in training
        return super().picture(choice)

    def settings(self) -> dict[str, Any]:
        return {"whole": st.toggle(
            "The whole picture", key="restyle.whole",
            help="Off: its middle, measured against what the filter makes of it. On: all of it, in pieces without "
                 "seams.",
        )}  # fmt: skip

    async def answer(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> Answer:
        task = self.restorer.workbench.experiment(choice.name).task
        assert isinstance(task, Restyle)
        if settings["whole"]:
            result = await self.restorer.restyle(choice.name, picture)
            return Answer({"Photo": picture, "Model": result.image}, None, result)
        picture = middle(picture)
        began = time.perf_counter()
        truth = await asyncio.to_thread(painted, picture, task.style, task.brush)
        seconds = time.perf_counter() - began
        result = await self.restorer.restyle(choice.name, picture, truth)
        note = f"{result.note} The filter itself took {1000 * seconds:.0f} ms.".strip()
        rival = await asyncio.to_thread(median, picture)
        return Answer({"Photo": picture, "Median": rival, "Model": result.image}, truth, replace(result, note=note))
