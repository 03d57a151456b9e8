"""Regions: every pixel's class, counted against the truth and laid over pictures in colours."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

MOST = 16  # classes
TINT = 0.55  # how much of a colour lies over a picture
# Okabe & Ito's colours, told apart by all eyes, and then others. The first class is the ground, which is left as it is.
PALETTE = (
    (0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
    (204, 121, 167), (148, 103, 189), (140, 86, 75), (23, 190, 207), (188, 189, 34), (127, 127, 127), (227, 119, 194),
    (44, 160, 44), (255, 255, 255),
)  # fmt: skip


def css(value: int) -> str:
    """A class's colour as style sheets write it: "#e69f00"."""
    return "#{:02x}{:02x}{:02x}".format(*PALETTE[value])


def palette_png(labels: np.ndarray, palette: tuple[tuple[int, int, int], ...] = PALETTE, **settings: Any) -> bytes:
    """Labels (h, w) uint8 as a PNG whose pixels are the labels, shown in the palette's colours; settings: Pillow's."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(labels), "P")
    picture.putpalette([value for colour in palette for value in colour])
    file = io.BytesIO()
    picture.save(file, "PNG", **settings)
    return file.getvalue()


def confusion(labels: Tensor, truth: Tensor, classes: int) -> Tensor:
    """How many pixels of each true class (row) were said to be of each class (column): (classes, classes) int64.

    labels, truth: whole numbers 0 to classes - 1, of equal shapes.
    """
    pairs = truth.flatten().long() * classes + labels.flatten().long()
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)


def iou(counts: Tensor) -> Tensor:
    """Intersection over union of each class (..., k) from confusions (..., k, k); NaN where a class is nowhere."""
    hits, said, true = _areas(counts)
    return hits / (said + true - hits)


def dice(counts: Tensor) -> Tensor:
    """Dice's coefficient of each class, 2 |A ∩ B| / (|A| + |B|), (..., k); NaN where a class is nowhere."""
    hits, said, true = _areas(counts)
    return 2 * hits / (said + true)


def accuracy(counts: Tensor) -> Tensor:
    """The share of pixels whose class was found, (...)."""
    hits, _, true = _areas(counts)
    return hits.sum(-1) / true.sum(-1)


def _areas(counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    counts = counts.double()
    return counts.diagonal(dim1=-2, dim2=-1), counts.sum(-2), counts.sum(-1)


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Labels (B, h, w) as maps of zeros and ones (B, classes, h, w)."""
    return F.one_hot(labels.long(), classes).movedim(-1, 1).float()


def overlaid(images: Tensor, labels: Tensor, opacity: float = TINT) -> Tensor:
    """Images (B, c, h, w) in [0, 1] under the colours of their labels (B, h, w), the ground as it is: (B, 3, h, w).

    opacity: 0 (the picture alone) to 1 (the colours alone).
    """
    colours = torch.tensor(PALETTE, dtype=images.dtype, device=images.device) / 255
    laid = colours[labels.long()].movedim(-1, 1)
    share = opacity * (labels > 0).to(images.dtype).unsqueeze(1)
    return images.expand(-1, 3, -1, -1) * (1 - share) + laid * share


class RegionMeter:
    """One confusion over all images; the mean over classes of "iou" and "dice", and "accuracy", all 0 to 1."""

    def __init__(self) -> None:
        self.counts: Tensor | None = None

    def update(self, output: Tensor, target: Tensor, seen: Tensor) -> None:
        counts = confusion(output.argmax(1), target, output.shape[1])
        self.counts = counts if self.counts is None else self.counts + counts

    def classes(self) -> dict[str, Tensor]:
        """"iou" and "dice" of each class, (k,); NaN where it is nowhere."""
        assert self.counts is not None
        return {"iou": iou(self.counts), "dice": dice(self.counts)}

    def figures(self) -> dict[str, float]:
        assert self.counts is not None
        means = {name: float(values.nanmean()) for name, values in self.classes().items()}
        return {**means, "accuracy": float(accuracy(self.counts))}
