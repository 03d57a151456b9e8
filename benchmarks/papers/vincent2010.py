"""Vincent et al. (JMLR 11, 2010): noise makes filters Gabor-like, weight decay alone does not.

Sigmoid code of more units than pixels, tied weights and a linear output, as in section 5.2 of the paper, trained by
Adam. The patches are brought to mean 0 and variance 1, as the paper's: between 0 and 1 they vary so little that tied
sigmoid units work where they are straight, as PCA would. The autoencoder without noise is the contractive one with
λ = 0; its best weight decay of several is the one compared.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.papers.gabor import share_of_edges
from benchmarks.papers.lab import Lab, Outcome, Row
from benchmarks.papers.pictures import filters, stacked
from playground.data import ImageSet
from playground.trainer import Session

TITLE = "Vincent et al. 2010: Gabor-like filters come from noise"
SETTING = "Whitened 12×12 patches of natural images of variance 1, 200 sigmoid units, tied weights, linear output. " \
          "Noise in standard deviations of the patches. Gabor-like: local oriented edges by the measure of " \
          "benchmarks/papers/gabor.py."
NETWORK = "data=patches&data.whiten=true&architecture.depth=1&architecture.code=200&architecture.tied=true" \
          "&architecture.output=linear&training.schedule=cosine&training.rate=0.05&training.batch=100"
NOISES = (0.5, 1.0)  # the paper's, and a stronger one
DECAYS = (0.001, 0.01, 0.1)
SIDE = 12


def run(lab: Lab) -> Outcome:
    size = "data.count=50000&training.epochs=20" if lab.quick else "data.count=50000&training.epochs=60"
    ways = {f"noise {level:g}": f"variant=denoising&variant.units=sigmoid&variant.level={level}"
            for level in (NOISES[1:] if lab.quick else NOISES)}
    plain = "variant=contractive&variant.weight=0"
    ways |= {f"weight decay {decay:g}": f"{plain}&training.decay={decay}"
             for decay in (DECAYS[1:2] if lab.quick else DECAYS)}
    ways["neither"] = plain
    shares, seen = {}, {}
    for way, query in ways.items():
        seen[way] = first_layer(lab.fit(way, f"{NETWORK}&{query}&{size}", standardised))
        lab.note(f"fitting Gabor functions to {way}")
        shares[way], _ = share_of_edges(seen[way][: 40 if lab.quick else 100], SIDE)
    best = {kind: max((way for way in shares if way.startswith(kind)), key=shares.__getitem__)
            for kind in ("noise", "weight decay")}
    with_noise, with_decay = shares[best["noise"]], shares[best["weight decay"]]
    rows = [Row(f"Gabor-like filters, {way}", "Gabor-like" if way.startswith("noise") else "not", f"{share:.0%}")
            for way, share in shares.items()]
    rows.append(Row("noise against weight decay, the best of each", "far above", f"{with_noise:.0%} / {with_decay:.0%}",
                    "at least twice", with_noise >= 2 * with_decay and with_noise > 0))
    pictures = [filters(seen[best[kind]][:60], SIDE, 20, 3) for kind in best]
    note = ("Quick: one noise, one weight decay, 40 filters measured of each." if lab.quick
            else "100 of the 200 filters measured of each.")
    shows = "Filters learnt with noise (above) and with weight decay alone (below)."
    return Outcome(rows, stacked(*pictures), shows, note)


def standardised(images: ImageSet) -> ImageSet:
    """The images as float32 whose training part has mean 0 and variance 1 over all its values."""
    values = images.images.astype(np.float32)
    train = values[images.train]
    return replace(images, images=(values - train.mean()) / train.std())


def first_layer(session: Session) -> np.ndarray:
    """The weights of the first layer's units, (k, n)."""
    return session.model.encoder.blocks[0].linear.get_parameter("weight").detach().cpu().double().numpy()
