"""Metrics of reconstructions: thin calls into scikit-image, on arrays in [0, 1] with channels first."""

from __future__ import annotations

import math

import numpy as np


def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1]: -10 log10(MSE), at most 100."""
    return min(100.0, -10 * math.log10(max(mean_squared_error, 1e-10)))


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
