"""Segment: every pixel's class, in a picture of any size."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import numpy as np
import torch
from torch import Tensor

from playground.coder import Coder, check, sentence
from playground.labelling import Labelled, Labeller, labellers
from playground.patchwork import Report, nothing
from playground.probes.sizes import in_channels
from playground.regions import PALETTE, css, overlaid
from playground.tasks.segment import Segmenter


@labellers.register("segment")
class Segmenting(Labeller):
    rank = 2
    title = "Every pixel"
    motto = "Say of every pixel of a picture of any size what it belongs to."
    scored = "Share of the picture"

    async def label(self, model: str, image: np.ndarray, report: Report = nothing) -> Labelled:
        began = time.perf_counter()
        labels, note = await segment(self.coder, model, image, report)
        names = class_names(self.coder, model)
        return await asyncio.to_thread(_labelled, image, labels, names, note, began)


async def segment(coder: Coder, name: str, image: np.ndarray, report: Report = nothing) -> tuple[np.ndarray, str]:
    """Each pixel's class (h, w) uint8 in a picture (c, h, w) uint8, and what was done to the picture, or "".

    Trouble for pictures of more than 12 megapixels and for models that were not trained to.
    """
    check(image)
    model, shape = await coder.model(name, "segment")
    assert isinstance(model, Segmenter)
    batch, note = await asyncio.to_thread(in_channels, image, shape[0])
    labels = await coder.windows(name, model, partial(_classes, model)).over(batch, report)
    return labels[0, 0].astype(np.uint8), sentence([note])


def class_names(coder: Coder, name: str) -> tuple[str, ...]:
    """What the classes 0, 1, ... of a model are called."""
    return coder.workbench.experiment(name).data.mask_classes


@torch.no_grad()
def _classes(model: Segmenter, x: Tensor) -> Tensor:
    return model.decoder(model.encode(x)).argmax(1, keepdim=True)


def _labelled(image: np.ndarray, labels: np.ndarray, names: tuple[str, ...], note: str, began: float) -> Labelled:
    pixels = np.bincount(labels.ravel(), minlength=len(names))
    shares = pixels / labels.size
    order = np.argsort(-shares, kind="stable")
    picture = overlaid(torch.from_numpy(image[None] / np.float32(255)), torch.from_numpy(labels[None]))[0]
    found = {"classes": [{"value": i, "name": one, "colour": css(i), "pixels": int(pixels[i])}
                         for i, one in enumerate(names)]}  # fmt: skip
    return Labelled(
        picture.mul(255).round().to(torch.uint8).numpy(), {names[i]: round(float(shares[i]), 4) for i in order}, found,
        time.perf_counter() - began, labels, PALETTE[: len(names)], note,
    )  # fmt: skip
