"""Pictures of the papers' figures: filters as tiles, rows of images, arrows over a density."""

from __future__ import annotations

import numpy as np

from playground.images import tile, to_bytes

GREY = 128


def filters(weights: np.ndarray, side: int, columns: int, scale: int = 4) -> np.ndarray:
    """Filters (m, side²) as tiles (1, h, w) uint8, each scaled to its own largest value, zero in mid-grey."""
    most = np.abs(weights).max(1, keepdims=True).clip(1e-12)
    return enlarged((0.5 + 0.5 * weights / most).reshape(-1, 1, side, side), columns, scale)


def enlarged(images: np.ndarray, columns: int, scale: int) -> np.ndarray:
    """Images (m, 1, h, w) in [0, 1] as tiles (1, h', w') uint8, each pixel `scale` wide."""
    return tile(to_bytes(images).repeat(scale, 2).repeat(scale, 3), columns, gap=scale)


def stacked(*pictures: np.ndarray, gap: int = 16) -> np.ndarray:
    """Pictures (c, h, w) one below another, on white."""
    width = max(one.shape[2] for one in pictures)
    rows = []
    for one in pictures:
        row = np.full((one.shape[0], one.shape[1] + gap, width), 255, np.uint8)
        row[:, : one.shape[1], : one.shape[2]] = one
        rows.append(row)
    return np.concatenate(rows, 1)[:, :-gap]


def arrows(density: np.ndarray, starts: np.ndarray, obtained: np.ndarray, true: np.ndarray, reach: float) -> np.ndarray:
    """Arrows from starts (m, 2) in [0, 1]², y upwards, on a density (n, n) drawn as grey: (3, 720, 720) uint8.

    obtained (m, 2) are drawn in blue over true (m, 2) in orange; the longest of the true ones is `reach` long.
    """
    from PIL import Image, ImageDraw

    side = 720
    ground = 255 - 110 * density / density.max()
    grey = Image.fromarray(ground[::-1].astype(np.uint8)).resize((side, side), Image.Resampling.BILINEAR)
    canvas = grey.convert("RGB")
    draw, scale = ImageDraw.Draw(canvas), reach / np.linalg.norm(true, axis=1).max()
    for vectors, colour, width in ((true, (224, 122, 31), 5), (obtained, (20, 70, 160), 2)):
        for start, step in zip(starts, vectors * scale):
            ends = [(float(x) * side, (1 - float(y)) * side) for x, y in (start, start + step)]
            draw.line(ends, colour, width)
            x, y = ends[1]
            draw.ellipse((x - width, y - width, x + width, y + width), colour)
    return np.asarray(canvas).transpose(2, 0, 1)
