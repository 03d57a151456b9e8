"""Handwritten digits: the 1,797 real ones inside scikit-learn, enlarged smoothly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing, split
from playground.data._installed import installed_file
from playground.knobs import knob

SIDE, INK = 8, 16  # the file holds 8×8 values from 0 to 16


@datasets.register("digits")
@dataclass(frozen=True)
class Digits(Dataset):
    """E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI 1998 (its test part)."""

    size: int = knob(16, "Side of the images; the originals have 8 pixels.", choices=(8, 16, 28, 32), unit="px")
    seed: int = knob(0, "Chooses which images are held out.", low=0, high=9999, rare=True)

    title = "Handwritten digits"
    note = "1,797 real handwritten digits by 43 people, shipped with scikit-learn (UCI, CC BY 4.0)."

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
            classes=tuple("0123456789"),
            train=train,
            held_out=held_out,
        )


def _enlarged(small: np.ndarray, size: int) -> np.ndarray:
    """(m, 8, 8) values 0 to 16 -> (m, size, size) uint8, by bicubic interpolation; exact, but for scale, at 8."""
    from PIL import Image

    if size == SIDE:
        return np.round(small * (255 / INK)).astype(np.uint8)
    large = np.empty((len(small), size, size), np.float32)
    for i, image in enumerate(small.astype(np.float32)):
        large[i] = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)
    return np.round(np.clip(large * (255 / INK), 0, 255)).astype(np.uint8)
