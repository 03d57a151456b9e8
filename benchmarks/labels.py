"""Accuracy on MNIST by labels per class: a classifier on a frozen code, fine-tuned, and the same network from pixels.

The code is the shipped probe's, whose encoder has seen 60,000 images and never a label. The probe trains a fresh
classifier on it, fine-tuning goes on to train the encoder too, and from pixels the same network begins anew.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from dataclasses import asdict, replace

import torch
from torch import Tensor

from benchmarks.report import publish
from playground import checkpoint
from playground.adam import Adam
from playground.batches import Resident, to_unit
from playground.device import choose_device, describe
from playground.experiment import Experiment
from playground.labelling.curve import Point
from playground.library import SHIPPED
from playground.tasks.classify import WAYS, Classifier, Classify, cross_entropy

MODEL = "classify-mnist-probe"
FEW = 10  # labels per class of which several choices are tried
BATCH, RATE = 64, 2e-3


def steps(labels: int) -> int:
    """Of a run: labels of each class, 0 for all 6,000."""
    return {10: 500, 30: 500, 100: 700, 300: 1000, 1000: 1500}.get(labels, 4000)


def chosen(resident: Resident, labels: int, draw: int) -> tuple[Tensor, Tensor]:
    """The labelled images and their classes, one-hot: so many of each class, drawn by `draw`."""
    classes = torch.from_numpy(resident.source.labels[resident.source.train])
    order = torch.randperm(len(classes), generator=torch.Generator().manual_seed(draw))
    rows = torch.cat([found[: labels or None] for number in range(10)
                      if len(found := order[classes[order] == number])])
    return resident.train[rows], torch.eye(10)[classes[rows]].to(resident.device)


def trained(way: str, made: Experiment, encoder: dict[str, Tensor], images: Tensor, classes: Tensor, labels: int,
            draw: int) -> Classifier:
    """A network learnt one way from labelled images; its fresh weights and batches are a function of the draw."""
    fresh = replace(made, training=replace(made.training, seed=draw))
    model = fresh.build((1, 28, 28)).to(images.device)
    assert isinstance(model, Classifier)
    if way != "pixels":
        model.encoder.load_state_dict(encoder)
    weights = [*model.decoder.parameters(), *(model.encoder.parameters() if way != "probe" else ())]
    optimiser, rng, total = Adam(weights, lr=RATE, fused=True), torch.Generator().manual_seed(draw), steps(labels)
    for step in range(total):
        optimiser.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * step / total)) / 2
        rows = torch.randint(0, len(images), (BATCH,), generator=rng).to(images.device)
        with torch.set_grad_enabled(way != "probe"):
            code = model.encode(to_unit(images[rows]))
        optimiser.zero_grad()
        cross_entropy(model, code, classes[rows]).mean().backward()
        optimiser.step()
    return model


@torch.no_grad()
def accuracy(model: Classifier, resident: Resident) -> float:
    """Share of the 10,000 held-out images that are named rightly."""
    answers = torch.cat([model(to_unit(part)).argmax(1).cpu() for part in resident.held_out.split(500)])
    return float((answers.numpy() == resident.held_out_labels).mean())


def told(points: list[Point], device: str) -> None:
    """Publish what is known so far: a table of the means, and each run's accuracy."""

    def mean(way: str, labels: int) -> str:
        found = [one.accuracy for one in points if (one.way, one.labels) == (way, labels)]
        return f"{100 * statistics.mean(found):.2f} %" if found else ""

    counts = sorted({one.labels for one in points}, key=lambda labels: labels or math.inf)
    rows = [(f"{labels:,}" if labels else "all", *(mean(way, labels) for way in WAYS)) for labels in counts]
    publish("labels", device, ("MNIST, labels per class", *WAYS), rows, {
        "model": MODEL, "command": "python -m benchmarks.labels", "batch": BATCH, "rate": RATE,
        "points": [[*asdict(one).values()] for one in points],
    })


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="+", default=[10, 30, 100, 300, 1000, 0], help="0: all")
    parser.add_argument("--draws", type=int, default=5, help=f"choices of the labelled images at {FEW} per class")
    arguments = parser.parse_args()

    device = choose_device()
    saved = checkpoint.load(SHIPPED / MODEL / "model.safetensors")
    encoder = saved.model().encoder.state_dict()
    made = replace(saved.experiment, task=Classify(labels=FEW))
    resident = Resident(made.data.load(), device)
    points: list[Point] = []
    for labels in arguments.labels:
        for draw in range(arguments.draws if labels == FEW else 1):
            images, classes = chosen(resident, labels, draw)
            for way in WAYS:
                began = time.perf_counter()
                model = trained(way, made, encoder, images, classes, labels, draw)
                points.append(Point(way, labels, accuracy(model, resident)))
                print(f"{way}, {labels} labels, draw {draw}: {points[-1].accuracy:.4f}, "
                      f"{time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        told(points, describe(device))


if __name__ == "__main__":
    main()
