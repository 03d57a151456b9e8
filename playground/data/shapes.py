"""Coloured scenes of simple shapes, with the class of every pixel and a box about every shape."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing, split
from playground.knobs import knob

CLASSES = ("circle", "square", "triangle", "star", "cross", "ring")
CHUNK = 512  # scenes drawn at a time
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@datasets.register("shapes")
@dataclass(frozen=True)
class Shapes(Dataset):
    """Each scene has 1 to `objects` shapes that hardly overlap; its label is the class of the largest."""

    size: int = knob(32, "Side of the images.", low=16, high=128, stops=(16, 24, 32, 48, 64), unit="px")
    objects: int = knob(3, "Most shapes in a scene.", low=1, high=5)
    colour: bool = knob(True, "Coloured or grey.")
    count: int = knob(3000, "How many scenes.", low=100, high=20000, stops=(1000, 3000, 10000, 20000))
    seed: int = knob(0, "Draws the scenes and chooses which are held out.", low=0, high=9999, rare=True)

    rank = 3
    title = "Coloured shapes"
    note = "Scenes drawn by the program, with the true mask and box of every shape; as many as you like."
    classes = CLASSES
    mask_classes = ("background", *CLASSES)
    has_boxes = True
    box_classes = CLASSES

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3 if self.colour else 1, self.size, self.size

    def load(self, report: Report = nothing) -> ImageSet:
        rng = np.random.default_rng(self.seed)
        images = np.empty((self.count, *self.shape), np.uint8)
        masks = np.zeros((self.count, self.size, self.size), np.uint8)
        boxes = np.full((self.count, self.objects, 5), -1, np.float32)
        labels = np.empty(self.count, np.int64)
        for start in range(0, self.count, CHUNK):
            report("Drawing shapes", start / self.count)
            part = slice(start, min(start + CHUNK, self.count))
            scenes = _Scenes(part.stop - part.start, self.objects, rng)
            picture = scenes.draw(self.size, masks[part], boxes[part], rng)
            if not self.colour:
                picture = np.einsum("mhwc,c->mhw", picture, LUMA)[..., None]
            images[part] = np.round(255 * picture).astype(np.uint8).transpose(0, 3, 1, 2)
            labels[part] = scenes.kind[:, 0]
        train, held_out = split(self.count, self.seed)
        return ImageSet(images, labels, CLASSES, train, held_out, masks, boxes)


class _Scenes:
    """What stands where in m scenes: arrays (m, objects), the largest object first, lengths in sides of the image."""

    def __init__(self, m: int, objects: int, rng: np.random.Generator):
        self.kind = rng.integers(len(CLASSES), size=(m, objects))
        self.present = np.arange(objects) < rng.integers(1, objects + 1, size=m)[:, None]
        crowd = self.present.sum(1, keepdims=True)
        radius = rng.uniform(0.6, 1, (m, objects)) * (0.38 / np.sqrt(crowd) - 0.02)
        self.radius = -np.sort(-np.where(self.present, radius, 0), 1)
        self.turn = rng.uniform(-0.4, 0.4, (m, objects))
        self.colour = _colours(rng, (m, objects))
        self.x, self.y = self._places(rng)

    def _places(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Centres: of 40 random arrangements of each scene the one whose closest pair is farthest from touching."""
        m, objects = self.kind.shape
        tries = 40
        margin = np.minimum(self.radius + 0.03, 0.5)[:, None]
        x, y = margin + (1 - 2 * margin) * rng.random((2, m, tries, objects))
        room = np.full((m, tries), 1.0)
        for i in range(objects):
            for j in range(i):
                far = np.hypot(x[..., i] - x[..., j], y[..., i] - y[..., j])
                free = far - (self.radius[:, i] + self.radius[:, j])[:, None]
                both = (self.present[:, i] & self.present[:, j])[:, None]
                room = np.where(both, np.minimum(room, free), room)
        best = np.arange(m), np.minimum(room, 0.03).argmax(1)
        return x[best], y[best]

    def draw(self, size: int, masks: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Scenes (m, size, size, 3) float32 in [0, 1]; fills masks (m, size, size) and boxes (m, objects, 5)."""
        rows, columns = (np.mgrid[:size, :size].astype(np.float32) + 0.5) / size
        picture = _background(rng, len(self.kind), rows, columns)
        for j in range(self.kind.shape[1]):
            for kind in range(len(CLASSES)):
                here = np.flatnonzero(self.present[:, j] & (self.kind[:, j] == kind))
                at = [value[here, j][:, None, None] for value in (self.x, self.y, self.turn, self.radius)]
                distance = _distance(kind, columns, rows, *at) * size
                cover = np.clip(0.5 - distance, 0, 1).astype(np.float32)[..., None]
                picture[here] += cover * (self.colour[here, j][:, None, None] - picture[here])
                masks[here] = np.where(distance < 0, kind + 1, masks[here])
        for j in range(self.kind.shape[1]):
            self._box(j, size, rows, columns, masks, boxes)
        return picture

    def _box(self, j: int, size: int, rows: np.ndarray, columns: np.ndarray, masks: np.ndarray, boxes: np.ndarray):
        """The boxes of the j-th objects, from the pixels of theirs that can be seen."""
        near = np.hypot(columns - self.x[:, j, None, None], rows - self.y[:, j, None, None])
        own = (masks == self.kind[:, j, None, None] + 1) & (near <= self.radius[:, j, None, None])
        own &= self.present[:, j, None, None]
        for first, last, seen in ((0, 2, own.any(1)), (1, 3, own.any(2))):
            boxes[:, j, first] = seen.argmax(1)
            boxes[:, j, last] = size - seen[:, ::-1].argmax(1)
        boxes[:, j, 4] = self.kind[:, j]
        boxes[~own.any((1, 2)), j] = -1


def _distance(kind: int, columns: np.ndarray, rows: np.ndarray, x, y, turn, radius) -> np.ndarray:
    """Signed distances (m, h, w) of points to the shapes' outlines, negative inside; shapes fit in their radius."""
    cos, sin = np.cos(turn), np.sin(turn)
    u = (cos * (columns - x) + sin * (rows - y)) / radius
    v = (cos * (rows - y) - sin * (columns - x)) / radius
    far = np.hypot(u, v)
    if CLASSES[kind] == "circle":
        distance = far - 0.9
    elif CLASSES[kind] == "ring":
        distance = np.abs(far - 0.68) - 0.24
    elif CLASSES[kind] == "square":
        distance = np.maximum(np.abs(u), np.abs(v)) - 0.7
    elif CLASSES[kind] == "cross":
        wide, tall = np.maximum(np.abs(u) - 0.93, np.abs(v) - 0.3), np.maximum(np.abs(u) - 0.3, np.abs(v) - 0.93)
        distance = np.minimum(wide, tall)
    elif CLASSES[kind] == "triangle":
        distance = np.maximum(v, np.abs(u) * np.sqrt(0.75) - v / 2) - 0.5
    else:
        # A five-pointed star is one wedge, mirrored and turned: the side of the line from a tip to a notch.
        angle = np.abs((np.arctan2(u, -v) + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
        tip, notch = np.array([1.0, 0.0]), 0.5 * np.array([np.cos(np.pi / 5), np.sin(np.pi / 5)])
        normal = np.array([notch[1] - tip[1], tip[0] - notch[0]]) / np.hypot(*(notch - tip))
        distance = far * np.cos(angle) * normal[0] + far * np.sin(angle) * normal[1] - normal @ tip
    return distance * radius


def _colours(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Bright colours (..., 3) float32, of every hue."""
    hues = rng.random(shape)
    lights = np.stack([rng.uniform(0.5, 0.7, shape), rng.uniform(0.7, 1, shape)], -1)
    flat = [colorsys.hls_to_rgb(h, *ls) for h, ls in zip(hues.ravel(), lights.reshape(-1, 2), strict=True)]
    return np.array(flat, np.float32).reshape(*shape, 3)


def _background(rng: np.random.Generator, m: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Dark grounds (m, h, w, 3), each running evenly from one colour to another."""
    ends = _colours(rng, (2, m)) * rng.uniform(0.1, 0.4, (2, m, 1)).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi, (m, 1, 1)).astype(np.float32)
    way = 0.5 + 0.7 * (np.cos(angle) * (columns - 0.5) + np.sin(angle) * (rows - 0.5))
    way = np.clip(way, 0, 1)[..., None]
    return ends[0][:, None, None] * (1 - way) + ends[1][:, None, None] * way
