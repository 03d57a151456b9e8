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
from playground.labelling.baselines import COLOURS_ABSENT, by_colour
from playground.labelling.segment import class_names, segment
from playground.paint_routes import url_of
from playground.regions import PALETTE, confusion, css, dice, iou, palette_png

HELD_OUT = "held out"
BY_COLOUR = ("By colour: each pixel by itself is given the class whose mean colour in training images is nearest to "
             "its own, whatever lies around it.")
WRONG = ((0, 0, 0), (220, 20, 60))
TRAIN = "task=segment&architecture=unet&data=shapes&training.schedule=cosine&training.rate=0.002&training.batch=16"


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

    def links(self) -> dict[str, str]:
        return {**super().links(), "Train it without skips": f"{self.train}&architecture.skips=false"}

    def settings(self) -> dict[str, Any]:
        return {}

    def show(self, choice: Choice, picture: np.ndarray, settings: dict[str, Any]) -> None:
        if self.truth is not None and self.truth.shape != picture.shape[1:]:
            (h, w), (high, wide) = self.truth.shape, picture.shape[1:]
            complain(f"The mask has {w} × {h} pixels and the picture {wide} × {high}, so it is left aside.")
            self.truth = None
        with st.spinner("At work …", show_time=False):
            labels, note = asyncio.run(segment(self.restorer, choice.name, picture))
            plain = asyncio.run(by_colour(self.visit.bench, choice.name, picture))
        names = class_names(self.restorer, choice.name)
        pieces()["regions"](key="regions", data=told(picture, labels, self.truth, names, plain))
        for sentence in filter(None, (note, BY_COLOUR if plain is not None else COLOURS_ABSENT)):
            st.caption(sentence)
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


def told(picture: np.ndarray, labels: np.ndarray, truth: np.ndarray | None, names: tuple[str, ...],
         plain: np.ndarray | None = None) -> dict[str, Any]:
    """What the component is told: the picture, the layers over it, and a row for each class.

    labels, truth, plain: each pixel's class (h, w), by the model, in truth and by its colour alone, where known.
    """
    found = {"Model": labels} | ({} if plain is None else {"By colour": plain})
    layers = [(way, layer_url(one), "") for way, one in found.items()]
    columns = {_head("Share", way): _shares(one, len(names)) for way, one in found.items()}
    if truth is not None:
        columns = {"Share": columns["Share"], "True share": _shares(truth, len(names))}
        wrong = labels != truth
        layers.append(("Truth", layer_url(truth), ""))
        layers.append(("Wrong", layer_url(wrong.astype(np.uint8), WRONG), f"{wrong.mean():.2%} of the pixels"))
        true = torch.from_numpy(np.ascontiguousarray(truth))
        counts = {way: confusion(torch.from_numpy(one), true, len(names)) for way, one in found.items()}
        columns |= {_head("IoU", way): iou(one).numpy() for way, one in counts.items()}
        columns |= {_head("Dice", way): dice(one).numpy() for way, one in counts.items()}
    cells = zip(*([_percent(float(value)) for value in values] for values in columns.values()), strict=True)
    rows = [{"name": name, "colour": css(i) if i else "transparent", "cells": its}
            for i, (name, its) in enumerate(zip(names, cells, strict=True))]  # fmt: skip
    if truth is not None:
        means = (_percent(float(np.nanmean(values))) if name.startswith(("IoU", "Dice")) else ""
                 for name, values in columns.items())  # fmt: skip
        rows.append({"name": "Mean", "colour": "", "cells": tuple(means)})
    return {
        "picture": url_of(picture), "heads": tuple(columns), "rows": rows,
        "layers": tuple({"name": name, "url": url, "note": note} for name, url, note in layers),
    }  # fmt: skip


def _shares(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(labels.ravel(), minlength=classes) / labels.size


def _head(figure: str, way: str) -> str:
    """What a figure's column is called: the model's by the figure alone."""
    return figure if way == "Model" else f"{figure} {way.lower()}"


def layer_url(labels: np.ndarray, palette: tuple[tuple[int, int, int], ...] = PALETTE) -> str:
    """Labels as a picture to be laid over another, the ground clear."""
    return "data:image/png;base64," + b64encode(palette_png(labels, palette, transparency=0)).decode()


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.1%}"
