"""The endpoint /retrieve: a picture's like in a data set, in imported pictures, or among pictures that are sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import gradio as gr
import numpy as np

from playground.commands_retrieve import contact_sheet, neighbours
from playground.events import Trouble
from playground.images import read_contents, to_bytes
from playground.retriever import Against, Retriever, check_wish
from playground.studio import pictures
from playground.studio.endpoints import NOBODY, Actions, endpoint


def expose(actions: Actions) -> None:
    """Declare it inside the Blocks that are being made."""
    said = pictures.with_example
    with gr.Group(visible=False):
        endpoint(_asked(actions), [
            said(gr.Textbox(label="model"), "retrieve-mnist"), pictures.image_file("image", "picture.png"),
            said(gr.Textbox("", label="against"), "mnist"), pictures.files("among", ["first.png", "second.png"]),
            said(gr.Textbox("code", label="by"), "pixels"), said(gr.Number(10, label="count", precision=0), 10),
        ], [gr.Image(label="side by side", format="png"), gr.JSON(label="facts")])  # fmt: skip


def _asked(actions: Actions):
    asker = Retriever(actions.workbench)

    async def retrieve(
        model: str, image: str, against: str = "", among: list[str] | None = None, by: str = "code", count: int = 10,
        request: gr.Request = NOBODY,
    ) -> tuple[np.ndarray, dict]:
        """Find the pictures that are most like one, by a model's code or by pixels: the picture and they side by side,
        and their places or files, classes and distances.

        Args:
            model: a name that `models` lists with the way "retrieve"
            image: the picture to ask with
            against: a data set's name, or "own:NAME" for pictures imported in the Lab; empty: what the model learnt on
            among: pictures to search instead, at most 64
            by: "code" or "pixels"
            count: how many neighbours, 1 to 100
        """
        async with actions.turn(request):
            check_wish(int(count), by)
            given = await asyncio.to_thread(pictures.read, image)
            most = actions.turns.limits.pictures
            if len(among or ()) > most:
                raise Trouble(f"At most {most} pictures are searched at once here.")
            where: Against = asker.against(model, against)
            if among:
                where = await asyncio.to_thread(_files, among)
            ready = await asker.ready(model, where)
            found = await asker.find(ready, given, int(count), by)
            images = np.stack([asker.shown(ready, given), *to_bytes(ready.among.images[found.rows])])
            facts = {"neighbours": neighbours(ready, found), "by": by, "distance": ready.measures[by],
                     "images": len(ready.among), "bytes": ready.sizes[by], "seconds": round(found.seconds, 5),
                     "note": " ".join(ready.among.problems)}
            return pictures.to_pixels(contact_sheet([images])), facts

    return retrieve


def _files(paths: list[str]) -> list[tuple[str, bytes]]:
    return [(Path(path).name, read_contents(Path(path), Path(path).name)) for path in paths]
