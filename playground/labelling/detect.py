"""Detect: a box and a class for every thing in a picture of any size."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import torch

from playground.coder import check, sentence
from playground.detections import COLOURS, SURE
from playground.images import to_pillow
from playground.labelling import Labelled, Labeller, labellers
from playground.patchwork import Report, nothing
from playground.probes.sizes import in_channels
from playground.tasks.detect import BESIDE, boxes_of

MOST = 500  # boxes in one picture
LARGE = 3  # times as high or wide as the model's images: from there on the picture's scale may be another
DRAWN = 480  # pixels: smaller pictures are enlarged before boxes are drawn, so that their names can be read


@labellers.register("detect")
class Detecting(Labeller):
    title = "Boxes"
    motto = "Find things in a picture: a box about each, its class and a score."
    scored = "How sure it is that there is one"

    async def label(self, model: str, image: np.ndarray, report: Report = nothing) -> Labelled:
        began = time.perf_counter()
        maps, notes = await self.maps(model, image, report)
        names = self.classes(model)
        boxes = await asyncio.to_thread(found, maps)
        best = maps[:-BESIDE].reshape(len(names), -1).max(1)
        scores = {names[i]: round(float(best[i]), 4) for i in np.argsort(-best, kind="stable")}
        sure = [one for one in told(boxes, names) if one["score"] >= SURE]
        if not sure:
            notes.append(f"nothing was found with a score of {SURE} or more")
        picture = await asyncio.to_thread(pictured, image, sure, names)
        return Labelled(picture, scores, {"boxes": sure}, time.perf_counter() - began, note=sentence(notes))

    def classes(self, model: str) -> tuple[str, ...]:
        """The names of the classes that a model tells apart."""
        return self.coder.workbench.experiment(model).data.box_classes

    async def maps(self, name: str, image: np.ndarray, report: Report = nothing) -> tuple[np.ndarray, list[str]]:
        """Heat and where boxes end, (classes + 4, h, w) as Detector.decode gives them, and what was done, in words.

        In windows where the picture (c, h, w) uint8 is large, as if in one go.
        """
        check(image)
        model, (channels, height, width) = await self.coder.model(name, "detect")
        batch, note = await asyncio.to_thread(in_channels, image, channels)
        notes = [note] if note else []
        if image.shape[1] > LARGE * height or image.shape[2] > LARGE * width:
            notes.append(f"it learnt on images of {width} × {height} pixels and looks for things as large as there, so "
                         "a picture with larger ones is best made smaller first")
        return (await self.coder.windows(name, model, model).over(batch, report))[0], notes


def found(maps: np.ndarray, most: int = MOST) -> np.ndarray:
    """The peaks of maps (classes + 4, h, w) as boxes (n, 6): x0, y0, x1, y1, class, score, the best first."""
    boxes = boxes_of(torch.from_numpy(maps[None]), most)[0].numpy()
    return boxes[boxes[:, 5] > 0]


def told(boxes: np.ndarray, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Boxes (n, 6) as JSON can say them: class, score, and [x0, y0, x1, y1] in pixels, x1 and y1 exclusive."""
    return [{"class": names[int(box[4])], "score": round(float(box[5]), 4),
             "box": [round(float(side), 2) for side in box[:4]]} for box in boxes]


def pictured(image: np.ndarray, boxes: list[dict[str, Any]], names: tuple[str, ...]) -> np.ndarray:
    """A picture (c, h, w) uint8 in colour with boxes, classes and scores on it, (3, h', w'); enlarged if small."""
    from PIL import Image, ImageDraw, ImageFont

    times = max(1, DRAWN // max(image.shape[1:]))
    picture = to_pillow(image).convert("RGB")
    picture = picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST)
    pen, line = ImageDraw.Draw(picture), max(2, max(picture.size) // 250)
    font = ImageFont.load_default(max(12, max(picture.size) // 40))
    for one in reversed(boxes):  # the best on top
        colour = COLOURS[names.index(one["class"]) % len(COLOURS)]
        x0, y0, x1, y1 = (times * side for side in one["box"])
        pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=line)
        words = f"{one['class']} {one['score']:.2f}"
        left, top, right, bottom = pen.textbbox((0, 0), words, font)
        wide, tall = right - left + 2 * line, bottom - top + 2 * line
        x, y = min(x0, max(0, picture.width - wide)), y0 - tall if y0 >= tall else y0
        pen.rectangle((x, y, x + wide, y + tall), fill=colour)
        pen.text((x + line - left, y + line - top), words, "black" if sum(colour) > 330 else "white", font)
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1))
