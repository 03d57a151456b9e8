"""The Explore tab: the Lab's own map of codes, with decoding at a click, code sliders and walks between two images."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from playground.data import datasets
from playground.knobs import knobs
from playground.lab.map_knobs import described
from playground.probes.maps import MapKnobs
from playground.studio.endpoints import Actions
from playground.studio.pieces import piece
from playground.studio.saying import viewer

NOTHING = "There is nothing to explore yet: train a model that has a code for a few seconds, and its map is here."


class Explore:
    """The tab: one component, which asks the explorer's routes by itself."""

    def __init__(self, actions: Actions):
        self.restorer = actions.restorer

    def build(self, tab: gr.Tab, demo: gr.Blocks) -> None:
        empty = gr.Markdown(NOTHING)
        shown = piece("latent", "auto", elem_id="explore-map")
        for event in (tab.select, demo.load):
            event(
                self.refresh,
                None,
                [shown, empty],
                api_visibility="private",
                show_progress="hidden",
                concurrency_limit=None,
            )

    def refresh(self, request: gr.Request) -> tuple[str, Any]:
        """What the component is told: the models there are now; and the words where there are none."""
        usable = self.restorer.choices(viewer=viewer(request))
        found = {one.name: one for one in usable if one.code}  # others have no space of codes
        if not found:
            return "", gr.Markdown(NOTHING, visible=True)
        order = [*datasets]
        choices = [
            {"group": f"Shipped models: {datasets[one.data].title}" if one.shipped else "Runs", "name": one.name,
             "title": one.title, "status": "shipped" if one.shipped else "run"}
            for one in sorted(found.values(), key=lambda one: (one.shipped, one.shipped and order.index(one.data)))
        ]  # fmt: skip
        start = MapKnobs()
        told = {
            "name": choices[0]["name"], "own": False, "live": False, "choices": choices, "knobs": described(),
            "start": {name: getattr(start, name) for name in knobs(MapKnobs)}, "linked": False, "problems": [],
        }  # fmt: skip
        return json.dumps(told), gr.Markdown(visible=False)
