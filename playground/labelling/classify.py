"""Classify: how likely each class is, of a picture fitted to the model's images."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import numpy as np
import torch

from playground.coder import Shape, check, device_of
from playground.data import Dataset
from playground.images import to_pillow
from playground.labelling import Labelled, Labeller, labellers
from playground.model import Autoencoder
from playground.patchwork import Report, nothing
from playground.probes.pictures import fitted

LEAST = 120  # pixels of the shorter side of a picture that a class is written on
NEGATIVE = "It was turned into its negative: the model's images are light on dark."


@labellers.register("classify")
class Classification(Labeller):
    rank = 1
    title = "Its class"
    motto = "Say what a picture shows, by a network trained to classify."
    scored = "Probability of each class"

    async def label(self, model: str, image: np.ndarray, report: Report = nothing) -> Labelled:
        began = time.perf_counter()
        check(image)
        network, shape = await self.coder.model(model, "classify")
        data = self.coder.workbench.experiment(model).data
        x, negative = await asyncio.to_thread(seen, image, shape, data)
        sure = await self.coder.ask_device(model, partial(probabilities, network, x[None]))
        names = data.classes
        scores = {names[i]: float(sure[0, i]) for i in np.argsort(-sure[0], kind="stable")}
        best = next(iter(scores))
        picture = await asyncio.to_thread(captioned, image, f"{best}, {scores[best]:.0%}")
        report(1.0)
        note = NEGATIVE if negative else ""
        return Labelled(picture, scores, {"class": best}, time.perf_counter() - began, note=note)


def seen(image: np.ndarray, shape: Shape, data: Dataset) -> tuple[np.ndarray, bool]:
    """What a network for images of `shape` is given of a picture (c, h, w) uint8, in [0, 1], and whether as a negative.

    A drawing is set in the middle, as large as those of `data`, unless the picture has the images' size already.
    """
    return fitted(image, shape, data.ground, centre=data.inner if image.shape[1:] != shape[1:] else 0.0)


@torch.no_grad()
def probabilities(model: Autoencoder, images: np.ndarray) -> np.ndarray:
    """(m, classes) float32 of images (m, c, h, w) in [0, 1]."""
    return model(torch.from_numpy(images).to(device_of(model))).float().cpu().numpy()


def captioned(image: np.ndarray, words: str) -> np.ndarray:
    """The picture (c, h, w) uint8 in RGB, a small one enlarged, with words below it: (3, h', w')."""
    from PIL import Image, ImageDraw, ImageFont

    times = max(1, -(-LEAST // min(image.shape[1:])))
    picture = to_pillow(image.repeat(times, 1).repeat(times, 2)).convert("RGB")
    size = max(14, min(picture.width // 8, picture.height // 8))
    font = ImageFont.load_default(size)
    made = Image.new("RGB", (picture.width, picture.height + 2 * size), "white")
    made.paste(picture)
    ImageDraw.Draw(made).text((picture.width / 2, picture.height + size), words, "black", font, anchor="mm")
    return np.asarray(made).transpose(2, 0, 1)
