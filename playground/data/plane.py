"""Points in the plane, so that a whole autoencoder can be seen at once: an image here has two "pixels", x and y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing, split
from playground.knobs import knob

CLASSES = {
    "spiral": ("spiral",),
    "moons": ("upper moon", "lower moon"),
    "circle": ("circle",),
    "sine": ("sine",),
    "clusters": ("lower left", "upper right"),
}
CENTRES, SPREAD = np.array([[0.3, 0.3], [0.7, 0.7]]), 0.06  # of the clusters
NODES = 2000  # places that a curve's density is summed over


@datasets.register("plane")
@dataclass(frozen=True)
class Plane(Dataset):
    """Points scattered about a curve in [0, 1]²; images are float32 (m, 1, 1, 2), y upwards."""

    curve: str = knob("spiral", "The curve the points lie about.", choices=tuple(CLASSES))
    noise: float = knob(
        0.015, "Standard deviation about the curve, in sides of the square.", low=0, high=0.1, symbol="σ"
    )
    count: int = knob(2000, "How many points.", low=100, high=20000, stops=(500, 1000, 2000, 5000, 10000))
    seed: int = knob(0, "Draws the points and chooses which are held out.", low=0, high=9999, rare=True)

    rank = 6
    title = "Points in the plane"
    note = "2-D points drawn by the program: the one data set whose codes and vector fields fit on paper."

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, 1, 2

    def load(self, report: Report = nothing) -> ImageSet:
        rng = np.random.default_rng(self.seed)
        labels = np.arange(self.count) % len(CLASSES[self.curve])
        points = _on_curve(self.curve, rng.random(self.count), labels, rng)
        points = np.clip(points + rng.normal(0, self.noise, points.shape), 0, 1)
        train, held_out = split(self.count, self.seed)
        return ImageSet(
            images=points.astype(np.float32).reshape(-1, 1, 1, 2),
            labels=labels.astype(np.int64),
            classes=CLASSES[self.curve],
            train=train,
            held_out=held_out,
        )

    def density(self, points: np.ndarray, sigma: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Log-density (m,) and score (m, 2), its gradient, at points (m, 2), of the set's density widened by N(0, σ²).

        The curve is summed over NODES places of it, which is exact to many digits as long as its noise and σ together
        are wider than the gaps. That points are kept in [0, 1]² is left out: none but the rarest would leave it.
        """
        names, rng = CLASSES[self.curve], np.random.default_rng(0)
        nodes, variance = CENTRES, self.noise**2 + sigma**2
        if self.curve == "clusters":
            variance += SPREAD**2
        else:
            t = (np.arange(NODES) // len(names) + 0.5) / (NODES // len(names))
            nodes = _on_curve(self.curve, t, np.arange(NODES) % len(names), rng)
        away = nodes - np.asarray(points, np.float64)[:, None]
        exponent = -np.square(away).sum(2) / (2 * variance)
        most = exponent.max(1, keepdims=True)
        weight = np.exp(exponent - most)
        log = most[:, 0] + np.log(weight.mean(1) / (2 * np.pi * variance))
        return log, (weight[:, :, None] * away).sum(1) / weight.sum(1, keepdims=True) / variance


def _on_curve(curve: str, t: np.ndarray, label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points (m, 2) in [0.1, 0.9]² at the parameters t in [0, 1) of a curve, evenly dense along it."""
    if curve == "spiral":
        # The root spreads the points evenly: the length of an Archimedean spiral grows with the angle's square.
        angle = np.pi * np.sqrt(0.25 + (25 - 0.25) * t)
        return 0.5 + 0.08 / np.pi * angle[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    if curve == "circle":
        return 0.5 + 0.35 * np.stack([np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)], 1)
    if curve == "sine":
        return np.stack([0.1 + 0.8 * t, 0.5 + 0.3 * np.sin(4 * np.pi * t)], 1)
    if curve == "moons":
        side = np.where(label == 0, 1, -1)
        x = side * np.cos(np.pi * t) - 0.5 * side
        y = side * np.sin(np.pi * t) - 0.25 * side
        return 0.5 + 0.8 / 3 * np.stack([x, y], 1)
    return CENTRES[label] + rng.normal(0, SPREAD, (len(t), 2))
