"""Procedural microscopy: fluorescent cells with nuclei, out of focus and noisy, with the true mask of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing, split
from playground.knobs import knob

WAVES = np.arange(2, 6)  # how many bulges a cell's outline is made of
BLUE, GREEN = np.array([0.25, 0.45, 1.0], np.float32), np.array([0.15, 1.0, 0.45], np.float32)


@datasets.register("cells")
@dataclass(frozen=True)
class Cells(Dataset):
    """Each image has 1 to `cells` cells; its label is how many. Boxes hold what can be seen of each cell."""

    size: int = knob(64, "Side of the images.", low=32, high=256, stops=(32, 48, 64, 96, 128), unit="px")
    cells: int = knob(6, "Most cells in an image.", low=1, high=12)
    noise: float = knob(0.04, "Standard deviation of the camera's noise.", low=0, high=0.3, symbol="σ")
    blur: float = knob(0.6, "How far out of focus.", low=0, high=3, unit="px")
    colour: bool = knob(True, "Green cells with blue nuclei, or all grey.")
    count: int = knob(1500, "How many images.", low=50, high=5000, stops=(500, 1000, 1500, 3000, 5000))
    seed: int = knob(0, "Draws the images and chooses which are held out.", low=0, high=9999, rare=True)

    rank = 5
    title = "Cells under the microscope"
    note = "Fluorescence microscopy imitated by the program, with the true mask of cells and nuclei."
    mask_classes = ("background", "cell", "nucleus")
    has_boxes = True
    box_classes = ("cell",)

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3 if self.colour else 1, self.size, self.size

    @property
    def classes(self) -> tuple[str, ...]:
        return ("1 cell", *(f"{n} cells" for n in range(2, self.cells + 1)))

    def load(self, report: Report = nothing) -> ImageSet:
        rng = np.random.default_rng(self.seed)
        images = np.empty((self.count, *self.shape), np.uint8)
        masks = np.zeros((self.count, self.size, self.size), np.uint8)
        boxes = np.full((self.count, self.cells, 5), -1, np.float32)
        labels = np.empty(self.count, np.int64)
        for i in range(self.count):
            if i % 100 == 0:
                report("Growing cells", i / self.count)
            light, masks[i], places = _dish(self.size, self.cells, self.blur, rng)
            boxes[i, : len(places)] = places
            labels[i] = len(places) - 1
            if not self.colour:
                light = light.max(0, keepdims=True)
            images[i] = np.round(255 * np.clip(light + rng.normal(0, self.noise, light.shape), 0, 1))
        train, held_out = split(self.count, self.seed)
        return ImageSet(images, labels, self.classes, train, held_out, masks, boxes)


def _dish(size: int, most: int, blur: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list]:
    """Light (3, size, size) float32, mask (size, size) and the boxes [x0, y0, x1, y1, 0] of 1 to `most` cells."""
    rows, columns = (np.mgrid[:size, :size].astype(np.float32) + 0.5) / size
    owner = np.zeros((size, size), np.uint8)
    mask = np.zeros((size, size), np.uint8)
    centre = rng.uniform(0.3, 0.7, 2)
    glow = 0.07 * np.exp(-3 * ((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2))
    light = (0.02 + glow) * np.array([0.5, 1.0, 1.0], np.float32)[:, None, None]
    texture = _texture(size, rng)
    for number, (x, y, radius) in enumerate(_places(int(rng.integers(1, most + 1)), rng), start=1):
        near = tuple(slice(max(int((c - 1.9 * radius) * size), 0), int((c + 1.9 * radius) * size) + 2) for c in (y, x))
        free = owner[near] == 0
        inside, nucleus = _outlines(columns[near] - x, rows[near] - y, radius, rng)
        soft = np.clip(0.5 + inside * size, 0, 1) * free
        core = np.clip(0.5 + nucleus * size, 0, 1) * soft
        # Brighter towards the rim, where a flat cell's skeleton lies.
        body = rng.uniform(0.45, 0.8) * (0.55 + 0.45 * np.exp(-inside * 2.5 / radius)) * texture[near]
        light[:, *near] += soft * (1 - 0.7 * core) * body * GREEN[:, None, None]
        light[:, *near] += core * rng.uniform(0.65, 1) * (0.75 + 0.25 * texture[near]) * BLUE[:, None, None]
        seen = (inside > 0) & free
        owner[near][seen] = number
        mask[near][seen] = np.where(nucleus > 0, 2, 1)[seen]
    return _blurred(light, blur), mask, [_box(owner == number) for number in np.unique(owner)[1:]]


def _places(cells: int, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """x, y and radius of cells that do not overlap much, each the roomiest of 30 random places; in sides."""
    places: list[tuple[float, float, float]] = []
    for _ in range(cells):
        radius = rng.uniform(0.75, 1.1) * 0.3 / np.sqrt(cells + 0.8)
        x, y = rng.uniform(radius, 1 - radius, (2, 30))
        room = np.full(30, 0.05)
        for other_x, other_y, other in places:
            room = np.minimum(room, np.hypot(x - other_x, y - other_y) - other - radius)
        best = room.argmax()
        places.append((float(x[best]), float(y[best]), radius))
    return places


def _outlines(u: np.ndarray, v: np.ndarray, radius: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """How deep each point lies inside a cell and inside its nucleus (about; negative outside), in sides."""
    angle, stretch = rng.uniform(0, 2 * np.pi), rng.uniform(1, 1.35)
    a = (np.cos(angle) * u + np.sin(angle) * v) / stretch
    b = (np.cos(angle) * v - np.sin(angle) * u) * stretch
    far, around = np.hypot(a, b), np.arctan2(b, a)
    bulges = rng.normal(0, 0.11, len(WAVES)) / np.sqrt(WAVES - 1)
    phases = rng.uniform(0, 2 * np.pi, len(WAVES))
    edge = 1 + sum(bulge * np.cos(n * around + p) for bulge, n, p in zip(bulges, WAVES, phases, strict=True))
    shift = rng.uniform(-0.15, 0.15, 2) * radius
    core = rng.uniform(0.36, 0.5) * radius
    return radius * np.clip(edge, 0.6, 1.4) - far, core - np.hypot(a - shift[0], b - shift[1])


def _texture(size: int, rng: np.random.Generator) -> np.ndarray:
    """A cloudy pattern (size, size) float32 about 1, the same at every size: smooth noise enlarged."""
    from PIL import Image

    total = np.zeros((size, size), np.float32)
    for grain, share in ((8, 0.6), (20, 0.4)):
        noise = Image.fromarray(rng.random((grain, grain), np.float32))
        total += share * np.asarray(noise.resize((size, size), Image.Resampling.BICUBIC))
    return 0.4 + 1.2 * total


def _blurred(light: np.ndarray, sigma: float) -> np.ndarray:
    """Each channel (c, h, w) through a Gaussian of `sigma` pixels, edges continued."""
    reach = int(np.ceil(3 * sigma))
    if reach == 0:
        return light
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (1, 2):
        padding = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        wide = np.pad(light, padding, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(wide, len(weights), axis)
        light = windows @ weights.astype(np.float32)
    return light


def _box(seen: np.ndarray) -> list[float]:
    """[x0, y0, x1, y1, class 0] about the true pixels of (h, w)."""
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1, 0]
