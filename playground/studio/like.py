"""One way of the Label tab: a picture's like, by code and by pixels, among the images that a model learnt on."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from playground.coder import Choice, usual
from playground.data import datasets
from playground.found import caption, page, table
from playground.owners import MACHINE, Viewer
from playground.retriever import BYS, FIRST, Found, Retriever, Searched, first
from playground.studio.saying import titled
from playground.workbench import Workbench


class Like:
    """What the endpoint `retrieve` finds by each way of comparing, as HTML."""

    name = "retrieve"
    title = "Its like"

    def __init__(self, workbench: Workbench):
        self.asker = Retriever(workbench)

    def offered(self, who: Viewer = MACHINE, data: str = "") -> dict[str, Any]:
        """What a Dropdown is given to offer models, beginning with one that learnt on `data`, if that is at hand."""
        found = self.asker.choices(self.name, who)
        return {"choices": titled(found), "value": self._first(found, data)}

    async def find(self, model: str, image: np.ndarray) -> tuple[str, str]:
        """The picture (c, h, w) uint8 and its nearest as HTML, and what is to be said of them."""
        ready, found = await self._found(model, image)
        asked = await asyncio.to_thread(self.asker.shown, ready, image)
        shown = await asyncio.to_thread(page, ready, image, found, asked, "your picture")
        return shown, "\n\n".join((caption(ready), *ready.among.problems))

    async def worth(self, model: str, image: np.ndarray) -> str:
        """What comparing by code and by pixels is worth, precision at 10 where classes are known, as HTML."""
        ready, found = await self._found(model, image)
        return table(ready, found, await self.asker.precision(ready))

    async def _found(self, model: str, image: np.ndarray) -> tuple[Searched, dict[str, Found]]:
        ready = await self.asker.ready(model, self.asker.against(model))
        return ready, {by: await self.asker.find(ready, image, by=by) for by in BYS}

    @staticmethod
    def _first(found: list[Choice], data: str) -> str | None:
        its = [one for one in found if one.data == data and datasets[data]().at_hand]
        names = {one.name for one in its or found}
        begun = FIRST if its else (first(),)
        return next((one for one in begun if one in names), None) or usual(its or found)
