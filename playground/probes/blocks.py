"""Blocks: pictures of any size cut into a model's images, side by side without overlap, and put together again.

Overlapping tiles would hide their seams, as elsewhere in the playground, but cost four codes where one does.
"""

from __future__ import annotations

import numpy as np

from playground.probes.sizes import for_model, from_model, resized

Shape = tuple[int, int, int]


def cut(image: np.ndarray, shape: Shape) -> np.ndarray:
    """A picture (c, h, w) uint8 as blocks (n, *shape) uint8, plane by plane, row by row.

    One that is smaller than a block is enlarged to it; at the right and below, the edge is repeated.
    """
    batch, _ = for_model(image, shape[0])
    h, w = (max(have, side) for have, side in zip(image.shape[1:], shape[1:]))
    if (h, w) != image.shape[1:]:
        batch = resized(batch, h, w)
    rows, columns = -(-h // shape[1]), -(-w // shape[2])
    beyond = (0, rows * shape[1] - h), (0, columns * shape[2] - w)
    batch = np.pad(batch, ((0, 0), (0, 0), *beyond), mode="edge")
    pieces = batch.reshape(len(batch), shape[0], rows, shape[1], columns, shape[2])
    return np.ascontiguousarray(pieces.transpose(0, 2, 4, 1, 3, 5).reshape(-1, *shape))


def joined(pieces: np.ndarray, size: Shape) -> np.ndarray:
    """The way back: blocks (n, c, h, w) float32 in [0, 1] as a picture of `size`, uint8."""
    c, tall, wide = pieces.shape[1:]
    h, w = max(size[1], tall), max(size[2], wide)
    rows, columns = -(-h // tall), -(-w // wide)
    batch = pieces.reshape(-1, rows, columns, c, tall, wide).transpose(0, 3, 1, 4, 2, 5)
    batch = np.ascontiguousarray(batch.reshape(-1, c, rows * tall, columns * wide)[:, :, :h, :w], np.float32)
    if (h, w) != size[1:]:
        batch = resized(batch, size[1], size[2])
    return from_model(batch, np.empty((size[0], 0, 0), np.uint8))
