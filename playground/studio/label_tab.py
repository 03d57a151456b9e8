"""The Label tab: a picture in, and what a network says of it: its class, every pixel's, boxes, or its like."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from playground.events import Trouble
from playground.gate import gate
from playground.labelling import labellers
from playground.owners import MACHINE, Viewer
from playground.studio import pictures
from playground.studio.endpoints import Actions
from playground.studio.examples import held_out_image, suited
from playground.studio.like import Like
from playground.studio.saying import learnt_on, offered, viewer

TOP = 6  # classes that are listed with their scores
EXAMPLES = (  # way, data set, which held-out image
    ("classify", "digits", 7), ("segment", "shapes", 3), ("segment", "cells", 5), ("detect", "shapes", 12),
    ("detect", "cells", 2), ("retrieve", "digits", 9),
)  # fmt: skip


class Label:
    """The tab's controls and what they do; made from the registry of labellers, and a picture's like besides."""

    def __init__(self, actions: Actions):
        self.actions = actions
        self._labellers = {name: labellers[name](actions.restorer) for name in labellers}
        self._like = Like(actions.workbench)
        self._titles = {name: one.title for name, one in self._labellers.items()} | {Like.name: Like.title}
        self._examples = [one for one in EXAMPLES if suited(actions.restorer, *one[:2])]

    def build(self) -> None:
        first = next(iter(self._labellers))
        with gr.Row():
            with gr.Column(scale=4, min_width=320):
                with gr.Row():
                    way = gr.Radio([(title, name) for name, title in self._titles.items()], value=first,
                                   label="What to find", min_width=300, scale=2, elem_id="label-ways")
                    model = gr.Dropdown(**self._offered(first, gate.viewer({})), label="Model", scale=1, min_width=200,
                                        allow_custom_value=True, elem_id="label-model",
                                        info="Yours are listed as they learn.")  # fmt: skip
                image = pictures.image_file("Picture", "picture.png", sources=["upload", "webcam", "clipboard"],
                                            height=300, elem_id="label-picture")
                go = gr.Button("Label it", variant="primary", elem_id="label-go")
                gr.Markdown("Examples: click one")
                gallery = gr.Gallery(
                    [(pictures.to_pixels(pictures.enlarged(held_out_image(data, which))), self._titles[way])
                     for way, data, which in self._examples],
                    label="Examples: click one", show_label=False, columns=max(3, len(self._examples)), height=150,
                    format="png", allow_preview=False, interactive=False, elem_id="label-examples", buttons=[],
                )  # fmt: skip
            with gr.Column(scale=4, min_width=320):
                shown = gr.Image(label="What was found", format="png", interactive=False, elem_id="label-result",
                                 buttons=["download"])
                scores = gr.Label(num_top_classes=TOP, label=self._labellers[first].scored, elem_id="label-scores")
                like, worth = (gr.HTML(visible=False, apply_default_css=False, js_on_load=None, elem_id=f"label-{name}")
                               for name in ("like", "worth"))
                said = gr.Markdown("Click an example, or bring a picture.", elem_id="label-facts")
        quiet: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}
        hidden, inputs = {"show_progress": "hidden", **quiet}, [way, model, image]
        parts = [shown, scores, like, worth]

        def runs(then: Callable[..., Any], **more: Any) -> None:
            done = then(self.run, inputs, [shown, scores, like, said], show_progress="minimal", **quiet, **more)
            done.success(self.worth, inputs, worth, **hidden)
            done.failure(self.put_away, image, image, **hidden)

        runs(go.click)
        runs(image.input, trigger_mode="always_last")
        runs(model.input, trigger_mode="always_last")
        model.focus(self.refresh, way, model, **hidden)
        runs(way.input(self.switch, [way, model], [model, *parts], **hidden).then)
        runs(gallery.select(self.example, None, [way, model, image, *parts], **hidden).then)

    def refresh(self, way: str, request: gr.Request) -> Any:
        return gr.Dropdown(choices=self.choices(way, viewer(request)))

    def choices(self, way: str, who: Viewer = MACHINE) -> list[tuple[str, str]]:
        """(title, name) of the models of somebody's that can label so."""
        return self._offered(way, who)["choices"]

    def _offered(self, way: str, who: Viewer, data: str = "") -> dict[str, Any]:
        if way == Like.name:
            return self._like.offered(who, data)
        return offered(self.actions.restorer.choices(way, who), data=data)

    def _parts(self, way: str) -> tuple:
        """What of picture, scores, neighbours and their worth is to be seen, and the scores' heading."""
        like = way == Like.name
        heading = {} if like else {"label": self._labellers[way].scored}
        return gr.Image(visible=not like), gr.Label(visible=not like, **heading), *2 * (gr.HTML(visible=like),)

    def example(self, chosen: gr.SelectData, request: gr.Request) -> tuple:
        """The way, the model, the picture and the parts to be seen of the example that is clicked."""
        way, data, which = self._examples[chosen.index]
        model = gr.Dropdown(**self._offered(way, viewer(request), data))
        return way, model, pictures.to_pixels(held_out_image(data, which)), *self._parts(way)

    def switch(self, way: str, model: str | None, request: gr.Request) -> tuple:
        """The models for another way, beginning with one that learnt on the same images as the one before."""
        who = viewer(request)
        chosen = gr.Dropdown(**self._offered(way, who, learnt_on(self.actions.restorer, model, who)))
        return chosen, *self._parts(way)

    async def run(self, way: str, model: str | None, path: str | None, request: gr.Request) -> tuple:
        """The picture with the answer over it, the classes' scores, its like, and a line on it."""
        if not path:
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        async with self.actions.turn(request):
            if not model:
                raise Trouble("There is no model for this yet: train one under Train.")
            image = await asyncio.to_thread(pictures.read, path)
            if way == Like.name:
                return gr.skip(), gr.skip(), *await self._like.find(model, image)
            done = await self._labellers[way].label(model, image)
        picture = done.picture
        if (times := max(1, pictures.SHOWN // max(picture.shape[1:]))) > 1:
            picture = np.kron(picture, np.ones((1, times, times), np.uint8))
        said = f"{1000 * done.seconds:.0f} ms" + (f"\n\n{done.note}" if done.note else "")
        return pictures.to_pixels(picture), done.scores, gr.skip(), said

    async def put_away(self, path: str | None) -> Any:
        """The picture again, unless it is none: else each further click would complain of it anew."""
        try:
            await asyncio.to_thread(pictures.read, path)
        except Trouble:
            return None
        return gr.skip()

    async def worth(self, way: str, model: str | None, path: str | None, request: gr.Request) -> Any:
        """What the search is worth: many held-out images are asked with, so it comes after what was found."""
        if way != Like.name or not model or not path:
            return gr.skip()
        async with self.actions.turn(request):
            return await self._like.worth(model, await asyncio.to_thread(pictures.read, path))
