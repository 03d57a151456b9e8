"""The Detect page: boxes and classes of what is in a scene, the heat maps that they are peaks of, and the truth."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
import torch

from playground.coder import Choice, sentence
from playground.detections import COLOURS, SURE, components, matched
from playground.images import thumbnails, to_bytes
from playground.lab.applications import OWN, Application, applications
from playground.lab.pieces import pieces
from playground.labelling.detect import Detecting, found, told
from playground.paint_routes import url_of
from playground.tasks.detect import BESIDE, FOCAL

FAINT = 0.05  # scores from which on a box is told to the page
HEAT = 512  # pixels a side of the heat maps shown
FRESH = 100  # scenes drawn for one: the fewest that the data sets know
KINDS = {"held": "A held-out scene", "fresh": "A fresh scene", OWN: "Your own picture"}


@applications.register("detect")
class Detection(Application):
    rank = 4
    first = "detect-shapes"
    title = "Detect"
    motto = "A box about every thing in a scene, its class, and how sure the network is."
    notice = (
        "Nothing is searched: for each class the network paints one heat map, and every peak is a thing's centre; two "
        "more maps say there how wide and high it is. Move the score: below, doubtful second opinions appear, often "
        "the same place in another class; above, small things go first. Shapes of other sizes than it learnt on, or in "
        "a photograph, are strange to it. The threshold beside finds bright pieces without learning, but no classes."
    )
    train = "task=detect&architecture=unet&data=shapes&training.rate=0.002&training.schedule=cosine"

    def __init__(self, visit: Any):
        super().__init__(visit)
        self._truth: np.ndarray | None = None  # (b, 5) of the picture, where it is known

    def picture(self, choice: Choice) -> np.ndarray | None:
        kind = st.selectbox("Picture", [*KINDS], format_func=KINDS.__getitem__, key="detect.picture")
        if kind == OWN:
            return self.own()
        if kind == "held":
            source = self.images(choice)
            at = self.held_out(source, "Scene")
        else:
            data: Any = self.visit.bench.experiment(choice.name).data
            seed = st.number_input("Seed", 0, 9998, key="detect.seed", help="Another seed, another scene.")
            # never the seed that its own images were drawn with
            source, at = replace(data, count=FRESH, seed=(data.seed + 1 + int(seed)) % 10_000).load(), 0
        assert source.boxes is not None
        self._truth = source.boxes[at]
        return to_bytes(source.images[at])

    def settings(self) -> dict[str, Any]:
        return {"plain": st.toggle("Beside a threshold", True, key="detect.plain",
                                   help="The classical way: pieces brighter than Otsu's threshold.")}  # fmt: skip

    def show(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        labeller = Detecting(self.restorer)
        with st.spinner("At work …", show_time=False):
            maps, notes = asyncio.run(labeller.maps(choice.name, picture))
        names = labeller.classes(choice.name)
        data = seen(picture, maps, names, self._truth)
        if settings["plain"]:
            data["plain"] = components(picture).tolist()
        pieces()["detect"](key="detect-result", data=data)
        entry = self.restorer.workbench.library.find(choice.name)
        worth = entry.metrics.get("map50") if entry else None
        over = f" Over held-out scenes its mean average precision at IoU 0.5 is {100 * worth:.1f} %." if worth else ""
        st.caption(f"Heat maps are learnt by ${FOCAL}$ (Zhou, Wang & Krähenbühl 2019).")
        st.caption(f"{choice.title}.{over}{f' {sentence(notes)}' if notes else ''}")


def seen(picture: np.ndarray, maps: np.ndarray, names: tuple[str, ...], truth: np.ndarray | None) -> dict[str, Any]:
    """What the component is told of a picture (c, h, w) uint8, of decoded maps and of true boxes (b, 5), or None."""
    boxes = found(maps)
    boxes = boxes[boxes[:, 5] >= FAINT]
    told_boxes = told(boxes, names)
    true = None
    if truth is not None:
        pair = matched(torch.from_numpy(boxes[None]), torch.from_numpy(truth[None]))
        which, agree = (one[0].tolist() for one in pair)
        true = [{"class": names[int(one[4])], "box": one[:4].tolist()} for one in truth if one[4] >= 0]
        told_boxes = [{**one, "truth": at, "iou": value} for one, at, value in zip(told_boxes, which, agree)]
    heat = thumbnails(maps[:-BESIDE, None], HEAT).astype(np.float32)  # (classes, 1, h, w) in 0 to 255
    tints = np.array([COLOURS[i % len(COLOURS)] for i in range(len(names))], np.float32)[:, :, None, None] / 255
    heats = heat * tints
    return {
        "picture": url_of(picture), "height": picture.shape[1], "width": picture.shape[2], "sure": SURE,
        "classes": [[name, f"rgb{COLOURS[i % len(COLOURS)]}"] for i, name in enumerate(names)],
        "boxes": told_boxes, "truth": true, "plain": None,
        "heats": [url_of(np.clip(one, 0, 255).astype(np.uint8)) for one in (heats.max(0), *heats)],
    }  # fmt: skip
