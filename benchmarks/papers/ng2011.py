"""Ng (CS294A notes, 2011): the units of a sparse autoencoder become edge detectors.

L-BFGS on all patches at once, as in the notes: Adam stays on a plateau for long, since with ρ this small hardly any
unit answers. The notes halve the squared error, here it is whole: their β 3 and λ 1e-4 are β 6 and δ 2e-4. The
patches are whitened, as the notes' own are.
"""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.papers.gabor import share_of_edges
from benchmarks.papers.lab import Lab, Outcome, Row
from benchmarks.papers.pictures import filters
from playground.batches import to_unit

TITLE = "Ng 2011: a sparse autoencoder finds edges"
SETTING = "64-25-64 sigmoid units, ρ 0.01, whitened 8×8 patches of natural images. A unit counts as a local " \
          "oriented edge where a Gabor function explains more than half of its weights' variance (R² > 0.5), is " \
          "local and is a wave (benchmarks/papers/gabor.py); the same of random weights stands beside."
QUERY = "data=patches&data.size=8&data.whiten=true&architecture.depth=1&architecture.code=25&variant=sparse" \
        "&variant.rho=0.01&variant.beta=6&training.decay=0.0002"
SIDE = 8


def run(lab: Lab) -> Outcome:
    count, iterations = (10_000, 400) if lab.quick else (50_000, 1000)
    session = lab.fit_whole("sparse", f"{QUERY}&data.count={count}", iterations)
    weights = session.model.encoder.blocks[0].linear.get_parameter("weight").detach().cpu().double().numpy()
    with torch.no_grad():
        rho_hat = session.model.encode(to_unit(session.resident.train)).double().mean(0).cpu().numpy()
    lab.note("fitting Gabor functions")
    share, r2 = share_of_edges(weights, SIDE)
    by_chance, _ = share_of_edges(np.random.default_rng(0).normal(size=(50, SIDE**2)), SIDE)
    rho, mean = 0.01, float(rho_hat.mean())
    near = float((abs(rho_hat / rho - 1) <= 0.2).mean())
    rows = [
        Row("units that are local oriented edges", "most, by eye", f"{share:.0%}", "at least 50 %", share >= 0.5),
        Row("the same of random weights", "", f"{by_chance:.0%}"),
        Row("median R² of the Gabor fits", "", f"{np.median(r2):.2f}"),
        Row("mean of ρ̂ over the units", "0.01", f"{mean:.4f}", "within 20 % of 0.01", abs(mean / rho - 1) <= 0.2),
        Row("units whose own ρ̂ is within 20 % of ρ", "", f"{near:.0%}"),
    ]
    return Outcome(rows, filters(weights, SIDE, 5, 8), "The weights of all 25 units, the input that excites each most.")
