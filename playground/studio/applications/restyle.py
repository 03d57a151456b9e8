"""The endpoint that paints photographs."""

from __future__ import annotations

import asyncio

import gradio as gr
import numpy as np

from playground.studio import pictures
from playground.studio.endpoints import NOBODY, Actions, endpoint
from playground.studio.saying import facts


def expose(actions: Actions) -> None:
    """Declare it inside the Blocks that are being made."""

    async def restyle(model: str, image: str, request: gr.Request = NOBODY) -> tuple[np.ndarray, dict]:
        """Give a photograph back as if it were painted, by a network that learnt a painterly filter.

        Args:
            model: a name that `models` lists with the way "restyle"
            image: the photograph, of any size up to 12 megapixels
        """
        async with actions.turn(request):
            given = await asyncio.to_thread(pictures.read, image)
            done = await actions.restorer.restyle(model, given)
            return pictures.to_pixels(done.image), facts(done)

    with gr.Group(visible=False):
        model = pictures.with_example(gr.Textbox(label="model"), "restyle-photos")
        image = pictures.image_file("image", "photograph.png")
        endpoint(restyle, [model, image], [gr.Image(label="painted", format="png"), gr.JSON(label="facts")])
