"""Patches of real photographs, those that scikit-image and scikit-learn carry inside; nothing is fetched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing
from playground.data._installed import installed_file
from playground.images import read_image
from playground.knobs import knob

PHOTOS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
}
UNSEEN = {  # photographs beside them, of which no patch is ever in a training set
    "camera": ("skimage", "data/camera.png"),
    "coins": ("skimage", "data/coins.png"),
    "hubble": ("skimage", "data/hubble_deep_field.jpg"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
}
GRID, HELD_OUT = 3, 2  # each photograph is cut into 3×3 fields, two of which are held out
FLAT = 0.12  # standard deviation within a patch below which another place is tried
TRIES = 8  # places, the last of which is taken even if flat
FAR, NEAR = 0.5, 0.2  # of the largest square within a field is the smallest patch
FIELDS = 250  # chosen so that what seed 0 holds out shows faces and flowers, not sky alone


@datasets.register("photos")
@dataclass(frozen=True)
class Photos(Dataset):
    """Square patches, of many scales and rarely flat; the label says from which photograph.

    Held-out patches come from fields of the photographs that no training patch touches.
    """

    size: int = knob(32, "Side of the patches.", choices=(16, 24, 32, 48, 64, 96), unit="px")
    colour: bool = knob(True, "Coloured or grey.")
    count: int = knob(4000, "How many patches.", low=100, high=20000, stops=(1000, 2000, 4000, 10000))
    varied: bool = knob(False, "Mirror and turn what it trains on, and take it from close by too: more to learn from.",
                        rare=True)
    seed: int = knob(0, "Chooses the patches and the fields that are held out.", low=0, high=9999, rare=True)

    rank = 4
    title = "Photographs"
    note = "Patches of six photographs shipped with scikit-image (public domain) and scikit-learn (CC BY 2.0)."

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3 if self.colour else 1, self.size, self.size

    def load(self, report: Report = nothing) -> ImageSet:
        rng, field_rng = np.random.default_rng(self.seed), np.random.default_rng([self.seed, FIELDS])
        photos = [photograph(name).transpose(1, 2, 0) for name in PHOTOS]
        orders = [field_rng.permutation(GRID * GRID) for _ in photos]
        labels = rng.integers(len(photos), size=self.count)
        is_held_out = rng.permutation(self.count) < self.count * HELD_OUT // GRID**2
        images = np.empty((self.count, self.size, self.size, self.shape[0]), np.uint8)
        for i, label in enumerate(labels):
            if i % 1000 == 0:
                report("Cutting patches", i / self.count)
            fields = orders[label][:HELD_OUT] if is_held_out[i] else orders[label][HELD_OUT:]
            near = self.varied and not is_held_out[i]
            images[i] = _patch(photos[label], fields, self.size, self.colour, rng, NEAR if near else FAR)
            if near:
                images[i] = np.rot90(images[i], int(rng.integers(4)))[:, :: rng.choice((-1, 1))]
        return ImageSet(
            images=np.ascontiguousarray(images.transpose(0, 3, 1, 2)),
            labels=labels.astype(np.int64),
            classes=tuple(PHOTOS),
            train=np.flatnonzero(~is_held_out),
            held_out=np.flatnonzero(is_held_out),
        )


def photograph(name: str) -> np.ndarray:
    """One of PHOTOS or UNSEEN, (c, h, w) uint8."""
    return read_image(installed_file(*(PHOTOS | UNSEEN)[name]))


def _patch(photo: np.ndarray, fields: np.ndarray, size: int, colour: bool, rng: np.random.Generator,
           least: float) -> np.ndarray:
    """A patch (size, size, c) uint8 from within one of the fields of a photograph (h, w, 3)."""
    from PIL import Image

    for _ in range(TRIES):
        left, top, right, bottom = place(photo.shape[1], photo.shape[0], rng.choice(fields), size, rng, least)
        patch = photo[top:bottom, left:right]
        if patch[::4, ::4].std((0, 1)).mean() > 255 * FLAT:
            break
    picture = Image.fromarray(patch).convert("RGB" if colour else "L")
    return np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS)).reshape(size, size, -1)


def place(width: int, height: int, field: int, size: int, rng: np.random.Generator,
          least: float = FAR) -> tuple[int, int, int, int]:
    """A random square (left, top, right, bottom) inside a field of a photograph, fields counted row by row.

    Its side is at least the share `least` of what fits, and at least `size`.
    """
    row, column = divmod(int(field), GRID)
    left, right = column * width // GRID, (column + 1) * width // GRID
    top, bottom = row * height // GRID, (row + 1) * height // GRID
    most = min(right - left, bottom - top)
    side = int(rng.integers(max(size, int(most * least)), most + 1))
    x = int(rng.integers(left, right - side + 1))
    y = int(rng.integers(top, bottom - side + 1))
    return x, y, x + side, y + side
