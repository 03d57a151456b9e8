"""Classical fills of hidden pixels, without learning: thin calls to OpenCV and scikit-image."""

from __future__ import annotations

import math

import numpy as np

from playground.masks import shrunk

RADIUS = 3  # pixels around each one that Telea's method looks at
MOST = 20_000  # hidden pixels that the biharmonic equation is solved for: about a second
GREY = 128  # where nothing at all is known


def telea(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Fast marching from the rim inwards (Telea 2004), OpenCV's `inpaint` with a radius of 3 pixels.

    image: uint8 (c, h, w), c = 1 or 3. mask: bool (h, w), True = hidden. Known pixels stay as they are. OpenCV looks at
    some hidden pixels too, so they are given the mean of the known ones first.
    """
    import cv2

    if mask.all() or not mask.any():
        return _without_rim(image, mask)
    hidden = mask.astype(np.uint8)
    mean = np.round(image[:, ~mask].mean(1)).astype(np.uint8)
    blank = np.ascontiguousarray(np.where(mask, mean[:, None, None], image).transpose(1, 2, 0))
    filled = cv2.inpaint(blank, hidden, RADIUS, cv2.INPAINT_TELEA)
    return np.where(mask, filled.reshape(*mask.shape, len(image)).transpose(2, 0, 1), image)


def biharmonic(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The smoothest surface through the rim, ΔΔu = 0 (Damelin & Hoang 2018), scikit-image's `inpaint_biharmonic`.

    image: uint8 (c, h, w), c = 1 or 3. mask: bool (h, w), True = hidden. Known pixels stay as they are. Holes of more
    than MOST pixels are solved on an image made smaller by `reduction` and enlarged again.
    """
    from skimage.restoration import inpaint_biharmonic

    if mask.all() or not mask.any():
        return _without_rim(image, mask)
    if (factor := reduction(mask)) > 1:
        small, its_mask = shrunk(image[None], mask, factor)
        filled = _enlarged(biharmonic(small[0], its_mask), factor, mask.shape)
    else:
        filled = inpaint_biharmonic(image / 255, mask, channel_axis=0, split_into_regions=True)
        filled = np.round(np.clip(filled, 0, 1) * 255).astype(np.uint8)
    return np.where(mask, filled, image)


def reduction(mask: np.ndarray) -> int:
    """The factor by which `biharmonic` makes an image smaller before it solves; 1 for all but large holes."""
    return max(1, math.ceil(math.sqrt(mask.sum() / MOST)))


FILLS = {"telea": telea, "biharmonic": biharmonic}


def _without_rim(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image itself where nothing is hidden, grey where everything is: neither has a rim to start from."""
    return np.where(mask, np.uint8(GREY), image)


def _enlarged(image: np.ndarray, factor: int, shape: tuple[int, ...]) -> np.ndarray:
    """An image (c, h', w') made larger by a whole factor (bicubic) and cut to `shape` (h, w)."""
    import cv2

    height, width = image.shape[1] * factor, image.shape[2] * factor
    large = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC) for plane in image]
    return np.stack(large)[:, : shape[0], : shape[1]]
