"""Painterly filters: a photograph as if painted, without learning; composed of calls to OpenCV."""

from __future__ import annotations

import numpy as np

STYLES = ("oil", "ink")
BRUSHES = (2, 3, 4, 6)  # pixels
SHARPNESS = 4  # power of the variance that a window's say falls with; at infinity the calmest one would decide alone
LEAST = 1 / 255**2  # variance below which windows are equally calm: a grey level's square
LINE, WIDER, HELD = 1.0, 1.6, 0.98  # pixels of a line's blur, times as wide a second one, and the share of it
STEEP = 40.0  # how fast a line becomes black


def painted(image: np.ndarray, style: str = "oil", brush: int = 4) -> np.ndarray:
    """A picture (c, h, w) uint8, c = 1 or 3, of any size, painted; of the same shape. It is mirrored at its rim.

    oil: the smoothed Kuwahara filter (Kuwahara et al. 1976; Papari, Petkov & Campisi, IEEE TIP 2007). Each pixel is
    the mean of eight Gaussian windows around it, `brush` pixels away, each the more weighed the calmer it is: flat
    dabs whose borders lie where the edges are. ink: the same with dark lines where the brightness dips (difference of
    Gaussians: Winnemöller 2011). No pixel depends on others farther away than `reach(style, brush)`.
    """
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0), np.float32) / 255
    dabs = _dabs(pixels, brush)
    if style == "ink":
        dabs *= _ink(pixels)[..., None]
    return np.ascontiguousarray(np.round(dabs.clip(0, 1) * 255).astype(np.uint8).transpose(2, 0, 1))


def reach(style: str, brush: int) -> int:
    """How many pixels away a painted pixel's value may come from."""
    return max(2 * brush, _radius(LINE * WIDER)) if style == "ink" else 2 * brush


def median(image: np.ndarray, size: int = 7) -> np.ndarray:
    """The simple rival: each pixel of a picture (c, h, w) uint8 the median of the `size` × `size` ones around it."""
    return _by_opencv("medianBlur", image, size)


def bilateral(image: np.ndarray) -> np.ndarray:
    """The other one: the mean of the pixels near it that are of its shade (Tomasi & Manduchi 1998)."""
    return _by_opencv("bilateralFilter", image, 9, 150.0, 6.0)  # of a few settings the nearest to `painted`


def _dabs(pixels: np.ndarray, brush: int) -> np.ndarray:
    """Pixels (h, w, c) in [0, 1] without what is finer than the brush."""
    import cv2

    h, w, c = pixels.shape
    rim = 2 * brush
    both = np.dstack([pixels, _grey(pixels) ** 2])
    wide = cv2.copyMakeBorder(both, rim, rim, rim, rim, cv2.BORDER_REFLECT_101)
    blurred = cv2.GaussianBlur(wide, (2 * brush + 1, 2 * brush + 1), brush / 2)
    variance = np.maximum(blurred[..., c] - _grey(np.ascontiguousarray(blurred[..., :c])) ** 2, 0)
    blurred[..., c] = 1
    blurred *= (1 / np.square(np.square(variance + LEAST)))[..., None]  # the fourth power, without a slow `pow`
    total = np.zeros_like(both)
    for y, x in _around(brush):
        total += blurred[rim + y : rim + y + h, rim + x : rim + x + w]
    return total[..., :c] / total[..., c:]


def _around(brush: int) -> list[tuple[int, int]]:
    """Where the eight windows' middles lie, about `brush` pixels away."""
    near = round(brush / 2**0.5)
    straight = [(brush, 0), (-brush, 0), (0, brush), (0, -brush)]
    return straight + [(y, x) for y in (near, -near) for x in (near, -near)]


def _ink(pixels: np.ndarray) -> np.ndarray:
    """What is left of the brightness of pixels (h, w, c) where lines are drawn: (h, w), 1 where there are none."""
    import cv2

    grey = _grey(pixels)
    fine, coarse = (cv2.GaussianBlur(grey, (2 * _radius(sigma) + 1,) * 2, sigma) for sigma in (LINE, LINE * WIDER))
    return 1 + np.tanh(STEEP * np.minimum(fine - HELD * coarse, 0))


def _radius(sigma: float) -> int:
    return round(3 * sigma)


def _grey(pixels: np.ndarray) -> np.ndarray:
    """The brightness (h, w) of pixels (h, w, c), by ITU-R BT.601."""
    import cv2

    return pixels[..., 0] if pixels.shape[2] == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def _by_opencv(name: str, image: np.ndarray, *values: float) -> np.ndarray:
    import cv2

    made = getattr(cv2, name)(np.ascontiguousarray(image.transpose(1, 2, 0)), *values)
    return np.ascontiguousarray(made.reshape(*image.shape[1:], len(image)).transpose(2, 0, 1))
