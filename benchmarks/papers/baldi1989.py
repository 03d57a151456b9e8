"""Baldi & Hornik (Neural Networks 2, 1989): a linear autoencoder spans the principal subspace.

Adam with a falling learning rate stands in for the gradient descent of the proof, whose landscape has no other minima.
"""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.papers.lab import Lab, Outcome, Row
from benchmarks.papers.pictures import filters, stacked
from playground.batches import to_unit

TITLE = "Baldi & Hornik 1989: the linear autoencoder is PCA"
SETTING = "One linear layer each way, squared error, on the training images; PCA of the same k by scikit-learn."
NETWORK = "architecture.depth=1&architecture.output=linear&training.schedule=cosine"
QUICK = "data.size=8&architecture.code=10&training.batch=4096&training.rate=0.01&training.epochs=5000"
FULL = "data=mnist&architecture.code=12&training.batch=1000&training.rate=0.003&training.epochs=120"


def run(lab: Lab) -> Outcome:
    from sklearn.decomposition import PCA

    session = lab.fit("linear", f"{NETWORK}&{QUICK if lab.quick else FULL}")
    model, x = session.model.cpu(), to_unit(session.resident.train).cpu()
    k, flat = session.experiment.architecture.code, x.flatten(1).double().numpy()
    pca = PCA(k, svd_solver="full").fit(flat)
    least = float(np.square(flat - pca.inverse_transform(pca.transform(flat))).sum(1).mean())
    with torch.no_grad():
        error = float((model(x) - x).flatten(1).double().square().sum(1).mean())
    decoder = model.decoder.blocks[0].linear.get_parameter("weight").detach().double().numpy()
    degrees = angle(decoder, pca.components_.T)
    excess = 100 * (error / least - 1)
    side = session.resident.shape[1]
    basis = np.linalg.qr(decoder)[0]
    rows = [
        Row("squared error per image, PCA", "", f"{least:.4f}"),
        Row("squared error per image, autoencoder", "PCA's", f"{error:.4f}"),
        Row("excess over PCA's", "0 %", f"{excess:.4f} %", "below 0.1 %", excess < 0.1),
        Row("largest angle between the subspaces", "0°", f"{degrees:.3f}°", "below 1°", degrees < 1),
    ]
    above = filters(pca.components_, side, k, 6)
    below = filters((basis @ basis.T @ pca.components_.T).T, side, k, 6)
    return Outcome(rows, stacked(above, below), "Principal components (above) and their projections onto what the "
                   "decoder spans (below): alike where the subspaces agree.")


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """The largest principal angle between the columns' spans of two matrices (n, k), in degrees."""
    from scipy.linalg import subspace_angles

    return float(np.degrees(subspace_angles(a, b).max()))
