"""Handwritten digits: the 1,797 real ones inside scikit-learn, enlarged smoothly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing, split
from playground.data._installed import installed_file
from playground.knobs import knob

SIDE, INK = 8, 16  # the file holds 8×8 values from 0 to 16
INNER = {16: 14, 28: 22, 32: 26}  # side of the digit within an image of that size


@datasets.register("digits")
@dataclass(frozen=True)
class Digits(Dataset):
    """E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI 1998 (its test part)."""

    size: int = knob(16, "Side of the images; the originals have 8 pixels.", choices=(8, 16, 28, 32), unit="px")
    seed: int = knob(0, "Chooses which images are held out.", low=0, high=9999, rare=True)

    rank = 1
    title = "Handwritten digits"
    note = "1,797 real handwritten digits by 43 people, shipped with scikit-learn (UCI, CC BY 4.0)."

    classes = tuple("0123456789")
    ground, inner = 0.0, 0.875

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, self.size, self.size

    def load(self, report: Report = nothing) -> ImageSet:
        table = np.loadtxt(installed_file("sklearn", "datasets/data/digits.csv.gz"), delimiter=",", dtype=np.uint8)
        small = table[:, :-1].reshape(-1, SIDE, SIDE)
        train, held_out = split(len(table), self.seed)
        return ImageSet(
            images=_enlarged(small, self.size)[:, None],
            labels=table[:, -1].astype(np.int64),
            classes=self.classes,
            train=train,
            held_out=held_out,
        )


def _enlarged(small: np.ndarray, size: int) -> np.ndarray:
    """(m, 8, 8) values 0 to 16 -> (m, size, size) uint8; at size 8 the originals, scaled.

    Larger ones are interpolated bicubically, their strokes steepened again by 3v² - 2v³, and set in a narrow margin,
    since the originals touch the edge.
    """
    from PIL import Image

    ink = small.astype(np.float32) / INK
    if size > SIDE:
        inner, large = INNER[size], np.zeros((len(small), size, size), np.float32)
        edge = (size - inner) // 2
        for image, target in zip(ink, large[:, edge : edge + inner, edge : edge + inner], strict=True):
            target[:] = Image.fromarray(image).resize((inner, inner), Image.Resampling.BICUBIC)
        ink = np.clip(large, 0, 1)
        ink = ink * ink * (3 - 2 * ink)
    return np.round(255 * ink).astype(np.uint8)
