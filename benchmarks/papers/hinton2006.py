"""Hinton & Salakhutdinov (Science 313, 2006): a deep autoencoder beats PCA and logistic PCA on MNIST.

Layerwise pre-training by restricted Boltzmann machines is left out: with orthogonal first weights (Saxe et al., ICLR
2014), which keep a signal's size through all eight layers, Adam and a falling learning rate train the same
784-1000-500-250-30 from the start. Its hidden units are GELU, not logistic.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from benchmarks.papers.lab import Lab, Outcome, Row
from benchmarks.papers.pictures import enlarged
from playground.batches import to_unit
from playground.model import Autoencoder
from playground.trainer import Session

TITLE = "Hinton & Salakhutdinov 2006: deep against shallow, 30 numbers for each digit"
SETTING = "MNIST in [0, 1], squared error summed over 784 pixels, mean over the test set."
DEEP = "data=mnist&architecture.width=1000&architecture.depth=4&architecture.code=30&architecture.activation=gelu" \
       "&training.schedule=cosine&training.batch=64&training.rate=0.001"
LOGISTIC = "data=mnist&architecture.depth=1&architecture.code=30&training.loss=bce&training.schedule=cosine"
SHOWN = 16


def run(lab: Lab) -> Outcome:
    from sklearn.decomposition import PCA

    less = "&data.count=10000" if lab.quick else ""
    deep = lab.fit("deep", f"{DEEP}{less}&training.epochs={10 if less else 30}", begin=orthogonal)
    shallow = lab.fit("logistic PCA", f"{LOGISTIC}{less}&training.rate=0.01&training.epochs={10 if less else 30}")
    train, test = (to_unit(part).flatten(1).cpu().numpy() for part in (deep.resident.train, deep.resident.held_out))
    pca = PCA(30, svd_solver="full").fit(train)
    linear = pca.inverse_transform(pca.transform(test))
    by_pca = float(np.square(linear - test).sum(1).mean())
    errors = {"deep": mean_error(deep), "shallow": mean_error(shallow), "pca": by_pca}
    rows = [
        Row("autoencoder 784-1000-500-250-30", "3.00", f"{errors['deep']:.2f}", "at most 3.00", errors["deep"] <= 3.0),
        Row("logistic PCA, 30", "8.01", f"{errors['shallow']:.2f}"),
        Row("PCA, 30", "13.87", f"{errors['pca']:.2f}"),
    ]
    x = to_unit(deep.resident.held_out[:SHOWN])
    with torch.no_grad():
        lines = [x, deep.model(x), shallow.model(x)]
    pictures = [line.cpu().numpy() for line in lines] + [linear[:SHOWN].reshape(-1, 1, 28, 28).clip(0, 1)]
    note = "Quick: 10,000 training images, 10 epochs." if lab.quick else ""
    return Outcome(rows, enlarged(np.concatenate(pictures), SHOWN, 2), "Test digits, and what the deep autoencoder, "
                   "logistic PCA and PCA make of them, row by row.", note)


@torch.no_grad()
def orthogonal(model: Autoencoder) -> None:
    """Orthogonal first weights, times √2 before a layer that halves the signal's power, and biases of zero."""
    torch.manual_seed(0)
    for block in (*model.encoder.blocks, *model.decoder.blocks):
        straight = isinstance(block.activation, nn.Identity)
        nn.init.orthogonal_(block.linear.get_parameter("weight"), 1 if straight else math.sqrt(2))
        nn.init.zeros_(block.linear.get_parameter("bias"))


@torch.no_grad()
def mean_error(session: Session) -> float:
    """Squared error summed over pixels, mean over all held-out images."""
    chunks = [to_unit(chunk) for chunk in session.resident.held_out.split(1000)]
    total = sum(float((session.model(x) - x).square().sum()) for x in chunks)
    return total / len(session.resident.held_out)
