"""Paths between two codes, straight and on a sphere, and through a group of codes."""

from __future__ import annotations

import numpy as np

from playground.probes.maps import principal

HOWS = ("straight", "spherical")
STRAIGHT_BELOW = 1e-4  # radians: so close to parallel or opposite, the arc is not defined


def path(start: np.ndarray, end: np.ndarray, steps: int, how: str = "straight") -> np.ndarray:
    """Codes (steps, k) from start (k,) to end (k,), whose first and last are exactly these.

    Spherical goes along the arc seen from the origin (White: Sampling Generative Networks, 2016), which keeps the
    codes' size on the way; between codes in one line with the origin it is straight.
    """
    t = np.linspace(0, 1, steps, dtype=np.float64)[:, None]
    a, b = start.astype(np.float64), end.astype(np.float64)
    codes = a + (b - a) * t
    sizes = np.linalg.norm(a) * np.linalg.norm(b)
    if how == "spherical" and sizes > 0:
        angle = np.arccos(np.clip(a @ b / sizes, -1, 1))
        if STRAIGHT_BELOW < angle < np.pi - STRAIGHT_BELOW:
            codes = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    codes = codes.astype(np.float32)
    codes[0], codes[-1] = start, end
    return codes


def fade(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """The cross-fade of two images (c, h, w) in pixels: (steps, c, h, w), for contrast."""
    t = np.linspace(0, 1, steps, dtype=np.float32)[:, None, None, None]
    return start * (1 - t) + end * t


def through(codes: np.ndarray, steps: int) -> np.ndarray:
    """Positions of up to `steps` of the codes (m, k), in order along the group's first principal direction."""
    along = np.argsort((codes - codes.mean(0)) @ principal(codes)[1][0], kind="stable")
    return along[np.unique(np.linspace(0, len(codes) - 1, steps).round().astype(int))]
