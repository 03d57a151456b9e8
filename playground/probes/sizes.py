"""Sizes and channels: pictures brought to what a model takes, and its results back to what came in."""

from __future__ import annotations

from typing import Any

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in Pillow
GREY = 128


def for_model(image: np.ndarray, channels: int) -> tuple[np.ndarray, str]:
    """A picture (c, h, w) as a batch (m, channels, h, w), and what was done to it, or "".

    A grey model gets each channel of a colour picture as a picture of its own; a colour model gets grey thrice.
    """
    if len(image) == channels:
        return image[None], ""
    if channels == 1:
        return image[:, None], "a grey model did each colour channel by itself"
    return np.repeat(image, channels, 0)[None], "a colour model did it in colour, and the result was turned grey"


def in_channels(image: np.ndarray, channels: int) -> tuple[np.ndarray, str]:
    """A picture (c, h, w) uint8 as one image (1, channels, h, w) in [0, 1], and what was done to it, or "".

    For networks whose answer is of the picture as a whole: a grey one sees the brightness of a colour picture.
    """
    levels = image.astype(np.float32) / 255
    if len(image) == channels:
        return levels[None], ""
    if channels == 1:
        return np.tensordot(LUMA, levels, 1)[None, None], "a grey model saw the brightness alone"
    return np.repeat(levels, channels, 0)[None], "a model of coloured pictures saw a grey one"


def from_model(batch: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The way back: a batch (m, channels, h, w) in [0, 1] as uint8 with the channels of `image`."""
    if batch.shape[:2] == (1, len(image)):
        whole = batch[0]
    elif batch.shape[1] == 1:
        whole = batch[:, 0]
    else:
        whole = np.tensordot(LUMA, batch[0], 1)[None]
    return np.round(np.clip(whole, 0, 1) * 255).astype(np.uint8)


def resized(batch: np.ndarray, height: int, width: int, resample: Any = None) -> np.ndarray:
    """A batch (m, c, h, w), uint8 or float32, resampled to (height, width), of the same dtype.

    resample: one of Pillow's Resampling; Lanczos where none is named.
    """
    from PIL import Image

    whole, resample = batch.dtype == np.uint8, Image.Resampling.LANCZOS if resample is None else resample

    def one(plane: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(plane, "L" if whole else "F")
        return np.asarray(picture.resize((width, height), resample))

    planes = [one(np.ascontiguousarray(plane)) for plane in batch.reshape(-1, *batch.shape[2:])]
    return np.stack(planes).reshape(*batch.shape[:2], height, width)


def enlarged(batch: np.ndarray, scale: int, how: str = "bicubic") -> np.ndarray:
    """A batch (m, c, h, w), uint8 or float32, `scale` times as large by a classical interpolation, of the same dtype.

    how: "nearest", "bilinear" or "bicubic", as Pillow has them.
    """
    from PIL import Image

    resample = getattr(Image.Resampling, how.upper())
    return resized(batch, batch.shape[2] * scale, batch.shape[3] * scale, resample)


def deeper(mask: np.ndarray, reach: float) -> np.ndarray:
    """The hidden pixels of a mask (h, w) that are farther than `reach` pixels from every known one."""
    import cv2

    if mask.all():
        return mask
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) > reach


def without_hidden(batch: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A batch (m, c, h, w) uint8 whose hidden pixels have the value of the nearest known one; grey where none is."""
    from scipy.ndimage import distance_transform_edt

    if mask.all():
        return np.full_like(batch, GREY)
    rows, columns = distance_transform_edt(mask, return_distances=False, return_indices=True)
    return batch[:, :, rows, columns]
