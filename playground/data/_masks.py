"""Masks that people bring: whose picture each belongs to, what its values are, and which class that makes."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from playground.events import Trouble
from playground.images import FORMATS, read_image

IMAGES, MASKS = ("images", "image"), ("masks", "mask", "labels", "label")  # folders beside each other
ENDINGS = ("_mask", "-mask")
MOST = 16  # classes
STRIP = 1_000_000  # values looked at together
SAVE = "save masks as PNG, one value or colour for each class, without smoothing"


@dataclass(frozen=True, eq=False)
class Mask:
    """One mask: (h, w) uint8, indices into `values`; what the values are: "index", "grey" or "colour" (0xrrggbb)."""

    places: np.ndarray
    values: tuple[int, ...]
    kind: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"#{value:06x}" if self.kind == "colour" else f"{self.kind} {value}" for value in self.values)


def read_mask(data: bytes, name: str) -> Mask:
    """The values of a mask: palette indices, greys or colours; Trouble for more than 16 and for what is no image."""
    from PIL import Image, ImageOps

    pixels = read_image(data, name)  # with all its checks
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        mode = picture.mode
        plain = np.asarray(ImageOps.exif_transpose(picture)) if mode in ("P", "1", "L") or mode[0] == "I" else None
    if plain is not None:
        kind, sheet = "index" if mode == "P" else "grey", plain[None]
    elif len(pixels) == 1 or all((pixels[0] == other).all() for other in pixels[1:]):
        kind, sheet = "grey", pixels[:1]
    else:
        kind, sheet = "colour", pixels
    rows, found = max(1, STRIP // sheet.shape[2]), set[int]()
    strips = [slice(i, i + rows) for i in range(0, sheet.shape[1], rows)]  # the whole would take much room
    for strip in strips:
        found |= {int(value) for value in np.unique(_values(sheet[:, strip]))}
        if len(found) > MOST:
            more = "at least " if strip is not strips[-1] else ""
            raise Trouble(f"{name} has {more}{len(found):,} different values, and there can be {MOST} classes: {SAVE}.")
    known, places = sorted(found), np.empty(sheet.shape[1:], np.uint8)
    for strip in strips:
        places[strip] = np.searchsorted(known, _values(sheet[:, strip]))
    return Mask(places, tuple(known), kind)


def _values(sheet: np.ndarray) -> np.ndarray:
    """(1, h, w) values, or (3, h, w) uint8 as 0xrrggbb, as (h, w)."""
    if len(sheet) == 1:
        return sheet[0]
    red, green, blue = sheet.astype(np.int32)
    return red << 16 | green << 8 | blue


def indices(mask: Mask, classes: int, name: str) -> np.ndarray:
    """A mask as (h, w) uint8 classes of a model that knows so many; Trouble where it has others.

    Values below `classes` are the classes themselves; otherwise the least is 0, the next 1, and so on.
    """
    if mask.kind != "colour" and max(mask.values) < classes:
        return np.array(mask.values, np.uint8)[mask.places]
    if len(mask.values) > classes:
        raise Trouble(f"{name} has {len(mask.values)} different values, and the model knows {classes} classes.")
    return mask.places


def nearest(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """(h, w) -> (height, width): of each pixel's middle, the nearest value."""
    h, w = values.shape
    rows, columns = (((np.arange(n) + 0.5) * m / n).astype(int) for n, m in ((height, h), (width, w)))
    return values[rows[:, None], columns]


def square(values: np.ndarray, size: int) -> np.ndarray:
    """(h, w) -> (size, size): the largest square in its middle, as `images.fit` cuts it, nearest value."""
    h, w = values.shape
    side = min(h, w)
    top, left = (h - side) // 2, (w - side) // 2
    return nearest(values[top : top + side, left : left + side], size, size)


@dataclass
class Pairs:
    """Which of many files are masks of which others: x.png and x_mask.png, or images/x.png and masks/x.png."""

    pictures: dict[str, int] = field(default_factory=dict)  # where it would be without those folders -> number
    masks: dict[str, int] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    def saw(self, path: str) -> bool:
        """Take in the next file's path; whether its name is a mask's."""
        parts = PurePosixPath(path.replace("\\", "/")).parts
        folders = [part for part in parts[:-1] if part.lower() not in IMAGES + MASKS]
        stem = PurePosixPath(parts[-1]).stem
        ending = next((end for end in ENDINGS if stem.lower().endswith(end) and len(stem) > len(end)), "")
        masked = bool(ending) or any(part.lower() in MASKS for part in parts[:-1])
        key = "/".join([*folders, stem[: len(stem) - len(ending)]])
        (self.masks if masked else self.pictures).setdefault(key, len(self.paths))
        self.paths.append(path)
        return masked

    def folder(self, number: int) -> str:
        """The folder of a picture, without those called images."""
        folders = PurePosixPath(self.paths[number].replace("\\", "/")).parts[:-1]
        return "/".join(part for part in folders if part.lower() not in IMAGES)

    def found(self) -> list[tuple[int, int]]:
        """(picture, mask), numbers in the order in which they were seen; empty where no mask has a picture."""
        return sorted((self.pictures[key], self.masks[key]) for key in self.pictures.keys() & self.masks.keys())

    def alone(self) -> list[str]:
        """A sentence for each file without its partner."""
        of = [(number, f"{self.paths[number]} has no mask of its name") for key, number in self.pictures.items()
              if key not in self.masks]  # fmt: skip
        of += [(number, f"{self.paths[number]} is a mask of no picture") for key, number in self.masks.items()
               if key not in self.pictures]  # fmt: skip
        return [f"{what}, so it was left out." for _, what in sorted(of)]


def merged(masks: list[Mask]) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """The classes' names, and for each mask which class (uint8) each of its values is: all values there are, in order.

    Trouble where they differ in kind, are more than 16 together, or are all of one value.
    """
    kinds = {mask.kind for mask in masks}
    if len(kinds) > 1:
        raise Trouble(f"Some masks have {' and others '.join(sorted(kinds))} values: {SAVE}.")
    values = sorted({value for mask in masks for value in mask.values})
    if len(values) > MOST:
        raise Trouble(f"The masks have {len(values):,} different values, and there can be {MOST} classes: {SAVE}.")
    if len(values) < 2:
        raise Trouble("All masks have one and the same value everywhere: there is nothing to tell apart.")
    names = Mask(np.empty((0, 0), np.uint8), tuple(values), kinds.pop()).names
    return names, [np.searchsorted(values, mask.values).astype(np.uint8) for mask in masks]
