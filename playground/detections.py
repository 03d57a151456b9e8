"""Detections: boxes with classes and scores; how well they agree with the truth, and as lines over pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.regions import PALETTE

IOU = 0.5  # from which on a box counts as found
SURE = 0.3  # scores from which on a box is shown, and counts in F1
MEASURED = 1000  # held-out images that mean average precision is of: it takes a millisecond or two of each
COLOURS = PALETTE[1:11]  # of the classes, without the ground's


def overlaps(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of every pair of boxes, (..., n, 4+) and (..., m, 4+) as x0, y0, x1, y1: (..., n, m)."""
    first = torch.maximum(a[..., :, None, :2], b[..., None, :, :2])
    last = torch.minimum(a[..., :, None, 2:4], b[..., None, :, 2:4])
    both = (last - first).clamp_min(0).prod(-1)
    union = _areas(a)[..., :, None] + _areas(b)[..., None, :] - both
    return both / union.clamp_min(1e-9)


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:4] - boxes[..., :2]).clamp_min(0).prod(-1)


def matched(found: Tensor, truth: Tensor, least: float = IOU) -> tuple[Tensor, Tensor]:
    """Which true box each found one is, (B, n) int64, -1 for none, and their intersection over union, (B, n).

    found: (B, n, 6) x0, y0, x1, y1, class, score, the best scores first; truth: (B, m, 5+), class -1 where there is no
    box. As in Pascal VOC each true box is found once: by the best score of its class that overlaps it enough.
    """
    free = (truth[..., 4] >= 0).clone()
    agree = overlaps(found, truth) * (found[..., :, None, 4] == truth[..., None, :, 4])
    which = torch.full(found.shape[:2], -1, dtype=torch.int64, device=found.device)
    value = torch.zeros(found.shape[:2], device=found.device)
    for i in range(found.shape[1]):
        best, at = (agree[:, i] * free).max(1)
        hit = (best >= least) & (found[:, i, 5] > 0)
        which[:, i], value[:, i] = torch.where(hit, at, which[:, i]), torch.where(hit, best, value[:, i])
        free.scatter_(1, at[:, None], free.gather(1, at[:, None]) & ~hit[:, None])
    return which, value


def f1(found: Tensor, truth: Tensor, sure: float = SURE) -> Tensor:
    """F1 of each image, (B,) in 0 to 1, of the boxes with a score from `sure` on; shapes as in `matched`."""
    kept = found * (found[..., 5:] >= sure)
    which, _ = matched(kept, truth)
    hits, said, true = (which >= 0).sum(1), (kept[..., 5] > 0).sum(1), (truth[..., 4] >= 0).sum(1)
    return torch.where(said + true > 0, 2 * hits / (said + true).clamp_min(1), 1.0)


def outlined(x: Tensor, boxes: Tensor, sure: float = SURE) -> Tensor:
    """Images x (B, c, h, w) in [0, 1] with the outlines of boxes (B, n, 6) of scores from `sure` on, of their shape.

    Lines are a pixel wide, the best box on top, in the colours of the classes; white on grey images.
    """
    rows, columns = (torch.arange(side, device=x.device).view(1, -1) for side in x.shape[2:])
    tints = torch.tensor(COLOURS, device=x.device) / 255 if x.shape[1] == 3 else torch.ones(len(COLOURS), 1).to(x)
    picture = x
    for box in boxes.flip(1).unbind(1):
        x0, y0, x1, y1 = (side[:, None] for side in box[:, :4].round().unbind(1))
        wide, tall = (columns >= x0) & (columns < x1), (rows >= y0) & (rows < y1)
        across = wide & ((columns == x0) | (columns == x1 - 1))
        down = tall & ((rows == y0) | (rows == y1 - 1))
        line = (tall[:, :, None] & across[:, None]) | (down[:, :, None] & wide[:, None])
        line &= (box[:, 5] >= sure)[:, None, None]
        colour = tints[box[:, 4].long() % len(COLOURS)][..., None, None]
        picture = torch.where(line[:, None], colour, picture)
    return picture


class BoxMeter:
    """Mean average precision at IoU 0.5 by torchmetrics, over the first 1,000 images: "map50", 0 to 1, and "f1"."""

    def __init__(self) -> None:
        self._found: list[dict[str, Tensor]] = []
        self._true: list[dict[str, Tensor]] = []
        self._f1: list[Tensor] = []

    def update(self, output: Tensor, target: Tensor, seen: Any = None) -> None:
        """Found boxes (B, n, 6) and true ones (B, m, 5), as `matched` takes them."""
        room = MEASURED - len(self._true)
        output, target = output[:room].float().cpu(), target[:room].float().cpu()
        self._f1.append(f1(output, target))
        for found, true in zip(output, target, strict=True):
            found, true = found[found[:, 5] > 0], true[true[:, 4] >= 0]
            self._found.append({"boxes": found[:, :4], "labels": found[:, 4].long(), "scores": found[:, 5]})
            self._true.append({"boxes": true[:, :4], "labels": true[:, 4].long()})

    def figures(self) -> dict[str, float]:
        from torchmetrics.detection import MeanAveragePrecision

        metric = MeanAveragePrecision(iou_thresholds=[IOU])
        metric.update(self._found, self._true)
        return {"map50": max(0.0, float(metric.compute()["map_50"])), "f1": float(torch.cat(self._f1).mean())}


def components(image: np.ndarray) -> np.ndarray:
    """The classical way to boxes of an image (c, h, w) uint8: what is brighter than Otsu's threshold (1979), in pieces.

    Boxes (n, 4) float32, the largest first; classes it knows none. Pieces of less than nine pixels are left out.
    """
    from skimage.filters import threshold_otsu
    from skimage.measure import label, regionprops

    bright = image.max(0)
    if bright.min() == bright.max():
        return np.zeros((0, 4), np.float32)
    pieces = [one for one in regionprops(label(bright > threshold_otsu(bright), connectivity=1)) if one.area >= 9]
    pieces.sort(key=lambda one: -one.area)
    return np.array([[b[1], b[0], b[3], b[2]] for b in (one.bbox for one in pieces)], np.float32).reshape(-1, 4)
