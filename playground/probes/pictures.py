"""Pictures that people bring or draw, made to look like the data set's own."""

from __future__ import annotations

import numpy as np

from playground.events import Trouble
from playground.images import fit, to_pillow

INNER = 0.72  # of the image's side is what a centred drawing may take, as digits do in MNIST
INK = 0.1  # of the full range is the faintest that counts as drawn


def fitted(
    picture: np.ndarray, shape: tuple[int, int, int], ground: float, centre: float = 0.0
) -> tuple[np.ndarray, bool]:
    """A picture (1 or 3, h, w) uint8 of any size as float32 of `shape` in [0, 1], and whether it was made a negative.

    ground: the mean of the data set's border pixels, 0 to 1; a grey picture on the opposite ground is turned into its
    negative. centre: cut out what is drawn and set it in the middle, so large a share of the side, or True for as
    large as in MNIST; only on dark ground.
    """
    c, h, w = shape
    if h < 2 or w < 2:
        raise Trouble("This model was trained on points, not on pictures, so a picture has no place here.")
    border = float(_border(picture).mean()) / 255
    negative = c == 1 and (ground < 0.3 and border > 0.7 or ground > 0.7 and border < 0.3)
    if negative:
        picture = 255 - picture
    if centre and ground < 0.3:
        picture = _centred(picture, INNER if centre is True else centre)
    if h == w:
        image = fit(picture, h, colour=c == 3)
    else:
        image = _resized(picture, c, h, w)
    return image.astype(np.float32) / 255, negative


def ground(images: np.ndarray) -> float:
    """The mean of the border pixels of images (m, c, h, w) uint8, 0 to 1."""
    return float(_border(images).mean()) / 255


def _border(images: np.ndarray) -> np.ndarray:
    edges = images[..., 0, :], images[..., -1, :], images[..., :, 0], images[..., :, -1]
    return np.concatenate([edge.reshape(-1) for edge in edges])


def _centred(picture: np.ndarray, inner: float) -> np.ndarray:
    """What is drawn, cut out and set in the middle of a dark square; unchanged where nothing is."""
    drawn = picture.max(0) > 255 * INK
    if not drawn.any():
        return picture
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    cut = picture[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    c, h, w = cut.shape
    side = max(int(round(max(h, w) / inner)), 2)
    square = np.zeros((c, side, side), np.uint8)
    top, left = (side - h) // 2, (side - w) // 2
    square[:, top : top + h, left : left + w] = cut
    return square


def _resized(picture: np.ndarray, c: int, h: int, w: int) -> np.ndarray:
    from PIL import Image

    resized = to_pillow(picture).convert("RGB" if c == 3 else "L").resize((w, h), Image.Resampling.LANCZOS)
    return np.asarray(resized).reshape(h, w, -1).transpose(2, 0, 1)
