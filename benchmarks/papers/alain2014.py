"""Alain & Bengio (JMLR 15, 2014): a denoising autoencoder's r(x) - x is σ² times the score of the smoothed density.

The density is the one that the points of `plane` are drawn from, so its score is known everywhere.
"""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.papers.lab import Lab, Outcome, Row
from benchmarks.papers.pictures import arrows
from playground.data.plane import Plane

TITLE = "Alain & Bengio 2014: denoising learns the score"
SETTING = "Points about a known curve in the plane, Gaussian noise σ; (r(x) - x)/σ² against the score of the density " \
          "that the noise smoothes, where that density is above a hundredth of its maximum."
NETWORK = "variant=denoising&architecture.output=linear&architecture.activation=gelu&architecture.depth=3" \
          "&architecture.width=256&architecture.code=64&training.schedule=cosine&data.count=20000"
CURVES = {"clusters": 0.05, "moons": 0.05, "circle": 0.1}  # curve -> σ
GRID, NOT_NEGLIGIBLE = 60, 0.01


def run(lab: Lab) -> Outcome:
    rows, picture = [], None
    epochs = 40 if lab.quick else 200
    for curve, sigma in list(CURVES.items())[: 1 if lab.quick else None]:
        query = f"data=plane&data.curve={curve}&variant.level={sigma}&training.epochs={epochs}&training.batch=256" \
                "&training.rate=0.002"
        session = lab.fit(curve, f"{NETWORK}&{query}")
        assert isinstance(plane := session.experiment.data, Plane)
        axis = (np.arange(GRID) + 0.5) / GRID
        points = np.stack(np.meshgrid(axis, axis), 2).reshape(-1, 2)
        log, score = plane.density(points, sigma)
        where = log > log.max() + np.log(NOT_NEGLIGIBLE)
        x = torch.from_numpy(points.astype(np.float32)).view(-1, 1, 1, 2).to(lab.device)
        with torch.no_grad():
            field = (session.model(x) - x).view(-1, 2).cpu().double().numpy() / sigma**2
        cosine, slope = compared(field[where], score[where])
        rows += [
            Row(f"{curve}, σ = {sigma}: cosine", "1", f"{cosine:.4f}", "at least 0.98", cosine >= 0.98),
            Row(f"{curve}, σ = {sigma}: slope", "1", f"{slope:.4f}", "0.95 to 1.05", abs(slope - 1) <= 0.05),
        ]
        if picture is None:
            drawn = where & (np.indices((GRID, GRID)).sum(0).ravel() % 2 == 0) & (np.arange(GRID**2) // GRID % 2 == 0)
            density = np.exp(log).reshape(GRID, GRID)
            picture = arrows(density, points[drawn], field[drawn], score[drawn], 0.06)
    assert picture is not None
    return Outcome(rows, picture, "The score of the smoothed density (orange) and what the autoencoder says of "
                   "it (blue), over the density, for the first curve.")


def compared(obtained: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Cosine between two fields (m, 2), taken as one long vector each, and the slope of the first on the second."""
    both = float((obtained * true).sum())
    return both / float(np.linalg.norm(obtained) * np.linalg.norm(true)), both / float(np.square(true).sum())
