"""Tiles: an image of any size as overlapping pieces of a model's size, and the pieces as one image without seams."""

from __future__ import annotations

import math

import numpy as np

OVERLAP = 0.5  # of a tile's side is shared with the next one, so that each pixel is well inside some tile


def starts(length: int, side: int) -> np.ndarray:
    """Where tiles of `side` begin along `length` >= side pixels: evenly from edge to edge, sharing half or more."""
    step = max(1, math.floor(side * (1 - OVERLAP)))
    count = 1 + math.ceil((length - side) / step)
    return np.round(np.linspace(0, length - side, count)).astype(int)


def slopes(begins: np.ndarray, side: int) -> np.ndarray:
    """Weights (tiles, side) along one axis, in (0, 1]: they rise and fall only where a neighbour overlaps."""
    weights = np.ones((len(begins), side), np.float32)
    for i in range(1, len(begins)):
        shared = side - (begins[i] - begins[i - 1])
        ramp = np.sin(np.pi / 2 * (np.arange(shared, dtype=np.float32) + 0.5) / shared) ** 2  # flat at both ends
        weights[i, :shared] = np.minimum(weights[i, :shared], ramp)
        weights[i - 1, side - shared :] = np.minimum(weights[i - 1, side - shared :], ramp[::-1])
    return weights


class Quilt:
    """Pictures (m, c, h, w), no side below the tiles' (height, width), cut into tiles and put together again.

    Tiles are numbered row by row within a picture, picture by picture. where: bool (h, w), None for all of it; tiles
    that touch none of it are left out, and what no tile covers keeps the picture's own pixels.
    """

    def __init__(self, pictures: np.ndarray, height: int, width: int, where: np.ndarray | None = None):
        self.pictures, self._size = pictures, (height, width)
        m, _, h, w = pictures.shape
        tops, lefts = starts(h, height), starts(w, width)
        self._down, self._across = slopes(tops, height), slopes(lefts, width)
        self._tiles = [
            (picture, row, column, slice(top, top + height), slice(left, left + width))
            for picture in range(m)
            for row, top in enumerate(tops)
            for column, left in enumerate(lefts)
            if where is None or where[top : top + height, left : left + width].any()
        ]
        self._sum = np.zeros(pictures.shape, np.float32)
        self._weight = np.zeros((m, h, w), np.float32)

    def __len__(self) -> int:
        return len(self._tiles)

    def cut(self, start: int, stop: int, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        """Tiles number start to stop, float32 (n, c, height, width) in [0, 1], and what is known of them.

        That is bool (n, 1, height, width), the pieces of ~mask (h, w), or None where there is no mask.
        """
        these = self._tiles[start:stop]
        tiles = np.stack([self.pictures[picture, :, rows, columns] for picture, _, _, rows, columns in these])
        known = None if mask is None else ~np.stack([mask[None, rows, columns] for _, _, _, rows, columns in these])
        return tiles.astype(np.float32) / 255, known

    def put(self, start: int, tiles: np.ndarray) -> None:
        """Lay down tiles (n, c, height, width), from number `start` on."""
        for tile, (picture, row, column, rows, columns) in zip(tiles, self._tiles[start:]):
            weight = self._down[row][:, None] * self._across[column]
            self._sum[picture, :, rows, columns] += tile * weight
            self._weight[picture, rows, columns] += weight

    def whole(self) -> np.ndarray:
        """What was laid down as pictures (m, c, h, w), float32 in [0, 1]: the weighted mean where tiles overlap."""
        for picture, total, weight in zip(self.pictures, self._sum, self._weight):  # in place: 12 MP take 150 MB
            covered = weight > 0
            np.divide(total, weight, out=total, where=covered)
            np.copyto(total, picture / np.float32(255), where=~covered)
        return self._sum
