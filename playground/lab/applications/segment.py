"""The Segment page: every pixel of a picture in the colour of its class, beside the truth where it is known."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import numpy as np
import streamlit as st
import torch

from playground.coder import Choice
from playground.data._masks import indices, read_mask
from playground.data.photos import photograph
from playground.events import Trouble
from playground.lab.applications import NAMES, OWN, Application, applications
from playground.lab.own_images import PICTURES, complain
from playground.lab.pieces import pieces
from playground.labelling.segment import class_names, segment
from playground.paint_routes import url_of
from playground.regions import PALETTE, confusion, css, dice, iou, palette_png

HELD_OUT = "held out"
WRONG = ((0, 0, 0), (220, 20, 60))
TRAIN = "task=segment&architecture=unet&training.schedule=cosine&training.rate=0.002&training.batch=16"


@applications.register("segment")
class Segmentation(Application):
    rank = 3
    title = "Segment"
    motto = "Every pixel of a picture is given its class: what it belongs to."
    notice = (
        "The way down says what is there, and the skips say where exactly. Train it without them: it finds the same "
        "things with blurred outlines, and thin parts (the arms of a cross, a ring’s hole) go first, since all that is "
        "known of a place has to pass the middle, which is eight times coarser. Two small ones, trained alike on 2,400 "
        "scenes of shapes, ended at a mean IoU of 84 % and, without skips, of 70 %; on crosses at 84 % and 53 %. The "
        "mean IoU counts each class alike, "
        "so a small one that is missed costs as much as the ground; that is also why Dice’s loss stands beside the "
        "cross-entropy. A picture of another kind than it learnt from gets classes too: it has no word for “none”."
    )
    train = TRAIN

    truth: np.ndarray | None = None

    def picture(self, choice: Choice) -> np.ndarray | None:
        names = {HELD_OUT: "Of its data set, held out", **NAMES}
        name = st.selectbox("Picture", [*names], format_func=names.__getitem__, key="segment.picture")
        if name == OWN:
            return self._own_pair(choice)
        return self._held_out(choice) if name == HELD_OUT else photograph(name)

    def settings(self) -> dict[str, Any]:
        st.link_button("Train it without skips", f"/?{TRAIN}&architecture.skips=false", width="stretch")
        return {}

    def show(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        if self.truth is not None and self.truth.shape != picture.shape[1:]:
            (h, w), (high, wide) = self.truth.shape, picture.shape[1:]
            complain(f"The mask has {w} × {h} pixels and the picture {wide} × {high}, so it is left aside.")
            self.truth = None
        with st.spinner("At work …", show_time=False):
            labels, note = asyncio.run(segment(self.restorer, choice.name, picture))
        names = class_names(self.restorer, choice.name)
        pieces()["regions"](key="regions", data=told(picture, labels, self.truth, names))
        if note:
            st.caption(note)
        st.download_button("Save the classes", palette_png(labels), "classes.png", "image/png", key="segment.save",
                           help="A PNG with a palette, whose values are the classes 0, 1, ...")

    def _held_out(self, choice: Choice) -> np.ndarray:
        """An image of the model's data that it was not trained on, and its true mask."""
        images = self.images(choice)
        at = self.held_out(images)
        assert images.masks is not None
        self.truth = images.masks[at]
        return images.images[at]

    def _own_pair(self, choice: Choice) -> np.ndarray | None:
        picture = self.own()
        file = st.file_uploader("Its mask, if you have one", PICTURES, key="segment.mask",
                                help="PNG: its values are the classes 0, 1, ...; others are taken in their order.")
        if file is not None:
            classes = len(class_names(self.restorer, choice.name))
            try:
                self.truth = indices(read_mask(file.getvalue(), file.name), classes, file.name)
            except Trouble as trouble:
                complain(str(trouble))
        return picture


def told(picture: np.ndarray, labels: np.ndarray, truth: np.ndarray | None, names: tuple[str, ...]) -> dict[str, Any]:
    """What the component is told: the picture, the layers over it, and a row for each class."""
    layers = [("Model", layer_url(labels), "")]
    columns = {"Share": np.bincount(labels.ravel(), minlength=len(names)) / labels.size}
    if truth is not None:
        wrong = labels != truth
        layers.append(("Truth", layer_url(truth), ""))
        layers.append(("Wrong", layer_url(wrong.astype(np.uint8), WRONG), f"{wrong.mean():.2%} of the pixels"))
        counts = confusion(torch.from_numpy(labels), torch.from_numpy(np.ascontiguousarray(truth)), len(names))
        columns |= {"True share": np.bincount(truth.ravel(), minlength=len(names)) / truth.size,
                    "IoU": iou(counts).numpy(), "Dice": dice(counts).numpy()}  # fmt: skip
    cells = zip(*([_percent(float(value)) for value in values] for values in columns.values()), strict=True)
    rows = [{"name": name, "colour": css(i) if i else "transparent", "cells": its}
            for i, (name, its) in enumerate(zip(names, cells, strict=True))]  # fmt: skip
    if truth is not None:
        means = (_percent(float(np.nanmean(columns[name]))) for name in ("IoU", "Dice"))
        rows.append({"name": "Mean", "colour": "", "cells": ("", "", *means)})
    return {
        "picture": url_of(picture), "heads": tuple(columns), "rows": rows,
        "layers": tuple({"name": name, "url": url, "note": note} for name, url, note in layers),
    }  # fmt: skip


def layer_url(labels: np.ndarray, palette: tuple[tuple[int, int, int], ...] = PALETTE) -> str:
    """Labels as a picture to be laid over another, the ground clear."""
    return "data:image/png;base64," + b64encode(palette_png(labels, palette, transparency=0)).decode()


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.1%}"
