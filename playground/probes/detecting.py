"""What a detector is worth on images with true boxes, and what a threshold alone finds there."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from playground.detections import MEASURED, BoxMeter, components
from playground.tasks.detect import Detector, boxes_of

CHUNK = 128  # images at once
THRESHOLD = "threshold and components, which know no classes"


@torch.no_grad()
def figures(model: Detector, images: np.ndarray, boxes: np.ndarray) -> dict[str, dict[str, float]]:
    """Way -> figures on images (m, c, h, w) uint8 with true boxes (m, b, 5), 0 to 1, the first 1,000 of them.

    map50, f1: as BoxMeter's; box50: average precision at IoU 0.5 of the boxes alone, whatever their classes.
    """
    images, boxes = images[:MEASURED], boxes[:MEASURED]
    ways: dict[str, list[Tensor]] = {"model": [], THRESHOLD: []}
    for i in range(0, len(images), CHUNK):
        part = images[i : i + CHUNK]
        ways["model"].append(boxes_of(model(torch.from_numpy(part).float() / 255)))
        ways[THRESHOLD].append(torch.stack([_by_size(components(image)) for image in part]))
    truth, told = torch.from_numpy(boxes), {}
    for way, found in ways.items():
        told[way] = {"box50": _measured(_of_one_class(torch.cat(found)), _of_one_class(truth))["map50"]}
    return {**told, "model": {**_measured(torch.cat(ways["model"]), truth), **told["model"]}}


def _measured(found: Tensor, truth: Tensor) -> dict[str, float]:
    meter = BoxMeter()
    meter.update(found, truth)
    return meter.figures()


def _of_one_class(boxes: Tensor) -> Tensor:
    return torch.cat([boxes[..., :4], boxes[..., 4:5].clamp_max(0), boxes[..., 5:]], -1)


def _by_size(pieces: np.ndarray, most: int = 20) -> Tensor:
    """Pieces (n, 4), the largest first, as boxes (most, 6) whose scores fall with their place."""
    found = torch.zeros(most, 6)
    n = min(most, len(pieces))
    found[:n, :4] = torch.from_numpy(pieces[:n])
    found[:n, 5] = 1 / (1 + torch.arange(n))
    return found
