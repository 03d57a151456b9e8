"""One endpoint for every way to label a picture, named as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from playground.labelling import Labelled, Labeller, labellers
from playground.studio import pictures
from playground.studio.endpoints import NOBODY, Actions, endpoint


def expose(actions: Actions) -> None:
    """Declare them inside the Blocks that are being made."""
    with gr.Group(visible=False):
        for name in labellers:
            model = pictures.with_example(gr.Textbox(label="model"), "a name that models lists")
            image = pictures.image_file("image", "picture.png")
            out, told = gr.Image(label="labelled", format="png"), gr.JSON(label="facts")
            endpoint(_asked(actions, labellers[name]), [model, image], [out, told])


def _asked(actions: Actions, kind: type[Labeller]) -> Callable:
    labeller = kind(actions.restorer)

    async def ask(model: str, image: str, request: gr.Request = NOBODY) -> tuple[np.ndarray, dict]:
        async with actions.turn(request):
            given = await asyncio.to_thread(pictures.read, image)
            done = await labeller.label(model, given)
            return pictures.to_pixels(done.picture), facts(done)

    ask.__name__ = labeller.name
    ask.__doc__ = f"""{labeller.motto}

        Args:
            model: a name that `models` lists with the way "{labeller.name}"
            image: the picture, of any size up to 12 megapixels
        """
    return ask


def facts(done: Labelled) -> dict[str, Any]:
    """What was found, as JSON."""
    return {"scores": done.scores, **done.found, "seconds": round(done.seconds, 3), "note": done.note}
