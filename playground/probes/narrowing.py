"""Reconstruction error against the code's size: of a network, and of PCA with every size at once."""

from __future__ import annotations

import numpy as np
import torch

from playground.batches import Resident, to_unit
from playground.model import Autoencoder

MOST_IMAGES = 10_000  # training images that PCA is fitted to
MOST_PIXELS = 4096  # from here on only the first components are looked for
MOST_COMPONENTS = 256


@torch.no_grad()
def squared_errors(model: Autoencoder, resident: Resident, start: int, stop: int) -> np.ndarray:
    """‖x̂ - x‖² of the held-out images start to stop: float (stop - start,)."""
    x = to_unit(resident.held_out[start:stop])
    return (model(x) - x).square().flatten(1).sum(1).double().cpu().numpy()


def pca_errors(train: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Mean ‖x̂ - x‖² over held_out (m', n) of PCA with 0, 1, ... components fitted to train (m, n): float (k + 1,).

    k is min(m, n), or 256 where images have more than 4096 pixels.
    """
    from sklearn.decomposition import PCA

    most = min(train.shape)
    wide = train.shape[1] > MOST_PIXELS
    fit = PCA(min(most, MOST_COMPONENTS) if wide else most, svd_solver="randomized" if wide else "full", random_state=0)
    fit.fit(train)
    scores = fit.transform(held_out).astype(np.float64)
    total = np.square(held_out.astype(np.float64) - fit.mean_).sum(1).mean()
    return np.maximum(total - np.concatenate([[0.0], np.cumsum(np.square(scores).mean(0))]), 0.0)


def rows(images: np.ndarray) -> np.ndarray:
    """Images (m, c, h, w) as rows of float32 values in [0, 1]."""
    wide = images.reshape(len(images), -1)
    return wide.astype(np.float32) / 255 if images.dtype == np.uint8 else wide
