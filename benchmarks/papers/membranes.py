"""The labelled slices of ISBI 2012: whole, and as parts with the U-Net paper's elastic deformation."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from playground.data import Dataset, ImageSet, Report, nothing
from playground.events import Trouble
from playground.images import read_image
from playground.knobs import knob

SLICES, KEPT_OUT = 15, 3
GRID, DISPLACED = 3, 10.0  # points a side of the coarse grid; pixels, standard deviation
GAIN, SHIFT = 0.2, 0.06  # how far contrast and brightness vary, as they do from slice to slice
CROPS = 4  # from each deformed slice
SIDE = 192  # pixels of a part


def folder() -> Path:
    """Where the labelled slices lie; Trouble if they are not here."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "datasets"
    found = Path(os.environ.get("PLAYGROUND_DATASETS", beside)) / "ISBI2012" / "train"
    if not (found / "image" / "0.png").exists():
        raise Trouble("The slices of ISBI 2012 are not here: PLAYGROUND_DATASETS names the folder with ISBI2012/train.")
    return found


def slices() -> tuple[np.ndarray, np.ndarray]:
    """The images (15, 512, 512) uint8 and their masks, 1 on membranes."""
    images, labels = (np.stack([read_image(folder() / kind / f"{i}.png")[0] for i in range(SLICES)])
                      for kind in ("image", "label"))  # fmt: skip
    return images, (labels < 128).astype(np.uint8)


def deformed(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A slice (h, w) and its mask, both displaced alike: the image bicubic, the mask nearest."""
    import cv2

    h, w = image.shape
    coarse = rng.normal(0, DISPLACED, (2, GRID, GRID))
    down, right = (_between(h) @ coarse @ _between(w).T).astype(np.float32)
    rows, columns = np.mgrid[:h, :w].astype(np.float32)
    to = columns + right, rows + down
    edge = cv2.BORDER_REFLECT_101
    return (cv2.remap(image, *to, cv2.INTER_CUBIC, borderMode=edge),
            cv2.remap(mask, *to, cv2.INTER_NEAREST, borderMode=edge))  # fmt: skip


@cache
def _between(side: int) -> np.ndarray:
    """What each of the grid's lines counts at each of so many pixels, cubic splines between them: (side, GRID)."""
    from scipy.ndimage import zoom

    return zoom(np.eye(GRID), (side / GRID, 1), order=3)


@dataclass(frozen=True)
class Membranes(Dataset):
    """Square parts of the labelled slices: deformed ones to train on, plain ones of the slices kept out."""

    count: int = knob(3600, "How many deformed parts.", low=CROPS, high=20_000)
    seed: int = knob(0, "Draws the deformations and places.", low=0, high=9999)

    title = "Membranes"
    note = "Electron microscopy of a fruit fly's nerve cord (Cardona et al. 2010), for non-commercial tests."
    mask_classes = ("interior", "membrane")
    shape = (1, SIDE, SIDE)

    def load(self, report: Report = nothing) -> ImageSet:
        rng, (images, masks) = np.random.default_rng(self.seed), slices()
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        while len(parts) < self.count:
            report("Deforming slices", len(parts) / self.count)
            i = int(rng.integers(SLICES - KEPT_OUT))
            image, mask = deformed(images[i], masks[i], rng)
            gain, shift = 1 + GAIN * rng.uniform(-1, 1), 255 * SHIFT * rng.uniform(-1, 1)
            image = np.clip((image - 128.0) * gain + 128 + shift, 0, 255).round().astype(np.uint8)
            for top, left in rng.integers(0, image.shape[0] - SIDE + 1, (CROPS, 2)):
                here = slice(top, top + SIDE), slice(left, left + SIDE)
                parts.append((image[here], mask[here]))
        del parts[self.count :]
        for image, mask in zip(images[-KEPT_OUT:], masks[-KEPT_OUT:], strict=True):
            corners = (0, (image.shape[0] - SIDE) // 2, image.shape[0] - SIDE)
            parts += [(image[y : y + SIDE, x : x + SIDE], mask[y : y + SIDE, x : x + SIDE])
                      for y in corners for x in corners]  # fmt: skip
        order = np.arange(len(parts))
        return ImageSet(np.stack([image for image, _ in parts])[:, None], np.zeros(len(parts), np.int64), ("slice",),
                        order[: self.count], order[self.count :], np.stack([mask for _, mask in parts]))  # fmt: skip
