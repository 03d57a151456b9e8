"""Metrics of reconstructions: thin calls into scikit-image, on arrays in [0, 1] with channels first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from torch import Tensor


class Meter(Protocol):
    """Takes in answers chunk by chunk, and tells figures of them all."""

    def update(self, output: Tensor, target: Tensor, seen: Tensor) -> None: ...

    def figures(self) -> dict[str, float]: ...


def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1]: -10 log10(MSE), at most 100; NaN stays NaN."""
    return 100.0 if mean_squared_error <= 1e-10 else -10 * math.log10(mean_squared_error)


def ssim(images: np.ndarray, reconstructions: np.ndarray) -> float | None:
    """Mean structural similarity of (m, c, h, w) pairs, -1 to 1; None for images below 3 pixels a side.

    The window is 7 pixels as in Wang et al. 2004's common implementation, or the largest odd number that fits.
    """
    from skimage.metrics import structural_similarity

    side = min(images.shape[2:])
    if side < 3:
        return None
    window = min(7, side - 1 + side % 2)
    return float(np.mean([
        structural_similarity(image, reconstruction, channel_axis=0, data_range=1.0, win_size=window)
        for image, reconstruction in zip(images, reconstructions)
    ]))


def psnr_between(image: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float | None:
    """PSNR in dB of uint8 images (c, h, w), over the pixels `where` (h, w) is True or over all; None where none is."""
    if where is not None:
        image, truth = image[:, where], truth[:, where]
    if not image.size:
        return None
    return psnr(float(np.square((image.astype(np.float32) - truth) / 255).mean(dtype=np.float64)))


def ssim_between(image: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float | None:
    """The map of structural similarity of uint8 images (c, h, w), averaged over `where` (h, w) or over all.

    None for images below 3 pixels a side, or where nothing is asked for. Windows at the rim see pixels beside it too.
    """
    from skimage.metrics import structural_similarity

    h, w = image.shape[1:]
    if min(h, w) < 3 or (where is not None and not where.any()):
        return None
    window = min(7, min(h, w) - 1 + min(h, w) % 2)
    if where is not None:  # only the part around it, since an image may have 12 megapixels
        rows, columns = (_around(np.flatnonzero(where.any(axis)), n, window) for axis, n in ((1, h), (0, w)))
        image, truth, where = image[:, rows, columns], truth[:, rows, columns], where[rows, columns]
    similar = structural_similarity(image, truth, channel_axis=0, data_range=255, win_size=window, full=True)[1]
    return float(similar.mean() if where is None else similar[:, where].mean())


def _around(places: np.ndarray, length: int, window: int) -> slice:
    """From the first to the last place and a window beyond on each side, within 0 to length."""
    return slice(max(0, places[0] - window), min(length, places[-1] + window + 1))


class PictureMeter:
    """PSNR of the mean squared error of all images, and the SSIM of the first chunk: "psnr" in dB, "ssim".

    squared_error(output, target, seen): that of each image, (B,).
    """

    def __init__(self, squared_error: Callable[[Tensor, Tensor, Tensor], Tensor]):
        self._squared_error = squared_error
        self._squared, self._count = 0.0, 0
        self._ssim: float | None = None

    def update(self, output: Tensor, target: Tensor, seen: Tensor) -> None:
        if not self._count:  # the rest would take as long again as the run's last epoch
            self._ssim = ssim(target.cpu().numpy(), output.cpu().numpy())
        self._squared += float(self._squared_error(output, target, seen).sum())
        self._count += len(output)

    def figures(self) -> dict[str, float]:
        found = {"psnr": psnr(self._squared / self._count)}
        return found if self._ssim is None else {**found, "ssim": self._ssim}


class Counted:
    """Share of answers whose likeliest class is the target's, 0 to 1: "accuracy".

    Answers are probabilities (B, classes), targets the same with a 1 at the true class.
    """

    def __init__(self) -> None:
        self._right, self._count = 0, 0

    def update(self, output: Tensor, target: Tensor, seen: Tensor) -> None:
        self._right += int((output.argmax(1) == target.argmax(1)).sum())
        self._count += len(output)

    def figures(self) -> dict[str, float]:
        return {"accuracy": self._right / self._count}
