"""Ronneberger, Fischer & Brox (MICCAI 2015): a U-Net finds cell membranes, learnt from a dozen slices.

The task to segment with a residual U-Net of this project, a small one, cross-entropy alone. Deformations as in the
paper: displacements of 10 pixels' standard deviation on a 3x3 grid, bicubic between; mirrors and turns besides. Slices
are predicted whole, mirrored beyond their edges as in the paper's overlap-tile strategy, and averaged over turns.
"""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.papers.lab import Lab, Outcome, Row
from benchmarks.papers.membranes import KEPT_OUT, Membranes, slices
from playground.data import datasets
from playground.images import tile
from playground.model import Autoencoder

TITLE = "Ronneberger, Fischer & Brox 2015: membranes by a U-Net"
SETTING = "Electron microscopy of the challenge ISBI 2012, of which 15 labelled slices are here: trained on the " \
          "first 12, measured on the last 3. The published figure is of 30 other slices, after training on 30. Pixel " \
          "error as the challenge's own script counts it: one minus the best F-score, over thresholds 0, 0.1, ... 1, " \
          "of the pixels inside cells, all slices together."
NETWORK = "task=segment&data=membranes&architecture=unet&architecture.width=16&architecture.depth=4" \
          "&architecture.code=256&task.overlap=0&training.schedule=cosine&training.rate=0.001&training.batch=4" \
          "&training.epochs=1"
PARTS = 4_400  # 1,100 steps
PUBLISHED = 0.0611
RIM = 128  # pixels mirrored beyond the edges: more than the network's reach, and a multiple of its grain


def run(lab: Lab) -> Outcome:
    if "membranes" not in datasets:  # a data set of this paper alone, which the playground's pages need not list
        datasets.register("membranes")(Membranes)
    session = lab.fit("U-Net", f"{NETWORK}&data.count={200 if lab.quick else PARTS}")
    lab.links[:] = [f"U-Net: {NETWORK}"]  # the Lab has no such data set to open
    images, masks = slices()
    model, kept = session.model.eval(), slice(-KEPT_OUT, None)
    plain, turned = (np.stack([predicted(model, image, ways) for image in images[kept]]) for ways in (1, 8))
    error = pixel_error(turned, masks[kept])
    aim = f"at most {PUBLISHED}"
    rows = [
        Row("pixel error on slices kept out", f"{PUBLISHED}", f"{error:.4f}", aim, error <= PUBLISHED),
        Row("without averaging over turns", "", f"{pixel_error(plain, masks[kept]):.4f}"),
        Row("each slice by itself", "", ", ".join(f"{pixel_error(*one):.4f}" for one in zip(turned, masks[kept]))),
        Row("if all were called interior", "", f"{pixel_error(np.zeros_like(turned), masks[kept]):.4f}"),
        Row("share of pixels on the wrong side of probability 0.5", "", f"{wrong(turned, masks[kept]):.4f}"),
    ]
    picture = tile(np.round(255 * (1 - turned[:, None, ::2, ::2])).astype(np.uint8), KEPT_OUT, gap=4)
    shows = "What the network says of the slices kept out, the darker the likelier a membrane."
    note = "Quick: 200 deformed parts." if lab.quick else ""
    return Outcome(rows, picture, shows, note)


def pixel_error(probabilities: np.ndarray, masks: np.ndarray) -> float:
    """One minus the best F-score of the pixels inside cells over thresholds 0, 0.1, ... 1, within 0 to 1.

    So the organisers of the challenge define it and their script for Fiji counts it, white being the inside of cells
    (imagej.net, "Segmentation evaluation metrics"; Arganda-Carreras et al., Frontiers in Neuroanatomy 2015).
    probabilities: of a membrane, any shape; masks: of the same shape, 1 where there is one.
    """
    inside, truth = 1 - probabilities, ~masks.astype(bool)
    called = [inside > threshold for threshold in np.arange(11) / 10]
    return 1 - max(2 * float((truth & one).sum()) / float(truth.sum() + one.sum()) for one in called)


def wrong(probabilities: np.ndarray, masks: np.ndarray) -> float:
    """The share of pixels whose probability of a membrane lies on the wrong side of a half."""
    return float(((probabilities > 0.5) != masks.astype(bool)).mean())


@torch.no_grad()
def predicted(model: Autoencoder, image: np.ndarray, ways: int) -> np.ndarray:
    """The probability of a membrane (h, w) at each pixel of a slice, the mean over so many of its eight turns."""
    device = next(model.parameters()).device
    total = np.zeros(image.shape, np.float32)
    for way in range(ways):
        seen = np.pad(_way(image, way), RIM, mode="reflect").astype(np.float32) / 255
        said = model(torch.from_numpy(seen[None, None]).to(device))[0, 1, RIM:-RIM, RIM:-RIM].cpu().numpy()
        total += _back(said, way)
    return total / ways


def _way(image: np.ndarray, way: int) -> np.ndarray:
    return np.rot90(image[:, ::-1] if way >= 4 else image, way % 4)


def _back(image: np.ndarray, way: int) -> np.ndarray:
    straight = np.rot90(image, -(way % 4))
    return straight[:, ::-1] if way >= 4 else straight
