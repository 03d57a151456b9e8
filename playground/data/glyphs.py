"""Letters and digits rendered from a font, as many as one likes, each with its own place, slant, weight and shade."""

from __future__ import annotations

import string
from dataclasses import dataclass

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing, split
from playground.events import Trouble
from playground.knobs import knob

ALPHABETS = {
    "digits": string.digits,
    "capitals": string.ascii_uppercase,
    "letters": string.ascii_lowercase,
    "all": string.digits + string.ascii_uppercase + string.ascii_lowercase,
}
MASTER = 128  # side of the drawings that the images are sampled from
EM = 72  # font size in them
WEIGHTS = 6  # stroke widths 0 to 5 in them


@datasets.register("glyphs")
@dataclass(frozen=True)
class Glyphs(Dataset):
    """Bright characters on a shaded background, in Aileron, the font that Pillow carries."""

    alphabet: str = knob("capitals", "Which characters.", choices=tuple(ALPHABETS))
    count: int = knob(4000, "How many images.", low=100, high=30000, stops=(1000, 2000, 4000, 10000, 20000))
    size: int = knob(28, "Side of the images.", low=12, high=128, stops=(16, 28, 32, 48, 64), unit="px")
    background: bool = knob(True, "Give every image a background of its own; off: black.", rare=True)
    seed: int = knob(0, "Draws the images and chooses which are held out.", low=0, high=9999, rare=True)

    rank = 2
    title = "Printed letters and digits"
    note = "Characters drawn by the program in the font Aileron (CC0), no two alike; as many as you like."

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, self.size, self.size

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(ALPHABETS[self.alphabet])

    def load(self, report: Report = nothing) -> ImageSet:
        rng = np.random.default_rng(self.seed)
        characters = ALPHABETS[self.alphabet]
        labels = rng.integers(len(characters), size=self.count)
        masters = [[_master(character, weight) for weight in range(WEIGHTS)] for character in characters]
        images = np.empty((self.count, 1, self.size, self.size), np.uint8)
        for i, label in enumerate(labels):
            if i % 1000 == 0:
                report("Drawing characters", i / self.count)
            ink = _placed(masters[label][rng.integers(WEIGHTS)], self.size, rng)
            images[i, 0] = _shaded(ink, rng, self.background)
        train, held_out = split(self.count, self.seed)
        return ImageSet(images, labels.astype(np.int64), self.classes, train, held_out)


def _master(character: str, weight: int):
    """A character, centred by its ink, white on black, as a large Pillow image."""
    from PIL import Image, ImageDraw, ImageFont, features

    if not features.check("freetype2"):
        raise Trouble("Drawing characters needs Pillow with FreeType: install Pillow from a wheel.")
    font = ImageFont.load_default(EM)
    image = Image.new("L", (MASTER, MASTER))
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = draw.textbbox((0, 0), character, font=font, stroke_width=weight)
    place = ((MASTER - left - right) / 2, (MASTER - top - bottom) / 2)
    draw.text(place, character, fill=255, font=font, stroke_width=weight)
    return image


def _placed(master, size: int, rng: np.random.Generator) -> np.ndarray:
    """The character slanted, turned, scaled and moved, as float32 ink (size, size) in [0, 1]."""
    from PIL import Image

    slant, turn = rng.uniform(-0.1, 0.35), rng.normal(0, 0.07)
    scale = 0.78 * rng.uniform(0.85, 1.1) * MASTER / (2 * size)  # pixels of the master per half pixel of the image
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back = scale * np.array([[1, slant], [0, 1]]) @ rotation
    centre = size + rng.uniform(-0.11, 0.11, 2) * size
    offset = MASTER / 2 - back @ centre
    matrix = (*back[0], offset[0], *back[1], offset[1])
    # Twice the size, then averaged in twos: smooth edges at every size.
    double = master.transform((2 * size, 2 * size), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return np.asarray(double, np.float32).reshape(size, 2, size, 2).mean((1, 3)) / 255


def _shaded(ink: np.ndarray, rng: np.random.Generator, background: bool) -> np.ndarray:
    """Ink of one brightness over a background that runs evenly from one shade to another; uint8."""
    bright = rng.uniform(0.8, 1)
    start, angle, slope = rng.uniform(0.05, 0.4), rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.25)
    if not background:
        return np.round(255 * ink).astype(np.uint8)
    y, x = np.mgrid[: len(ink), : len(ink)] / len(ink) - 0.5
    shade = np.clip(start + slope * (np.cos(angle) * x + np.sin(angle) * y), 0, 1)
    return np.round(255 * (shade + ink * (bright - shade))).astype(np.uint8)
