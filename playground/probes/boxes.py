"""How well a quarter of each image, hidden in a box, is filled: a model's fills beside the classical ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from playground import classical, masks, metrics
from playground.images import to_bytes

BATCH = 64


def figures(
    model: torch.nn.Module, images: np.ndarray, beside: tuple[str, ...] = tuple(classical.FILLS)
) -> dict[str, dict[str, float]]:
    """Way -> {"psnr": dB, "ssim": -1 to 1} inside the hole, means over images (m, c, h, w) uint8.

    model has `fill(x, hole)`, as an Inpainter; the ways are "model" and those of classical.FILLS named by `beside`.
    Each image has a box of its own, drawn by the image's number.
    """
    count, _, height, width = images.shape
    holes = np.stack([masks.draw("box", height, width, i) for i in range(count)])
    filled = {"model": _by_model(model, images, holes)}
    for name in beside:
        filled[name] = np.stack([classical.FILLS[name](image, hole) for image, hole in zip(images, holes)])
    return {way: _scores(results, images, holes) for way, results in filled.items()}


def _by_model(model: torch.nn.Module, images: np.ndarray, holes: np.ndarray) -> np.ndarray:
    found = []
    for i in range(0, len(images), BATCH):
        x = torch.from_numpy(images[i : i + BATCH]).float().div(255)
        found.append(to_bytes(model.fill(x, torch.from_numpy(holes[i : i + BATCH, None])).numpy()))  # type: ignore[operator]
    return np.concatenate(found)


def _scores(results: np.ndarray, images: np.ndarray, holes: np.ndarray) -> dict[str, float]:
    def mean(measure: Callable[..., float | None]) -> float:
        return float(np.mean([measure(*triple) for triple in zip(results, images, holes)]))

    return {"psnr": mean(metrics.psnr_between), "ssim": mean(metrics.ssim_between)}
