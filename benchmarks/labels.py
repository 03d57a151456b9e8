"""Accuracy on MNIST by labels per class: a probe on the code, fine-tuned, and the same network from pixels alone."""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from dataclasses import asdict, replace

from benchmarks.report import publish
from playground.batches import Resident
from playground.device import choose_device, describe
from playground.experiment import Experiment
from playground.labelling.curve import Point, runs, trained
from playground.tasks.classify import WAYS

QUERY = ("task=classify&data=mnist&architecture=convolutional&architecture.code=32&architecture.depth=3"
         "&variant=denoising&training.loss=bce&training.schedule=cosine&training.rate=0.003")
FEW = 10  # labels per class of the aim


def planned(labels: list[int], draws: int) -> list[Experiment]:
    """What is trained, the fewest labels first and of these several draws; each takes 937 steps.

    Of a batch of 128 half are labelled images where these are few; where all are labelled (0), the same 64 are both.
    """
    found = []
    for count in labels:
        for made in runs(QUERY, [count]):
            longer = replace(made, training=replace(made.training, epochs=1, batch=128 if count else 64))
            found += [replace(longer, data=replace(longer.data, seed=seed))  # type: ignore[type-var]
                      for seed in range(draws if count == FEW else 1)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="+", default=[10, 30, 100, 300, 1000, 0], help="0: all")
    parser.add_argument("--draws", type=int, default=5, help=f"choices of the labelled images at {FEW} per class")
    arguments = parser.parse_args()

    device = choose_device()
    plan = planned(arguments.labels, arguments.draws)
    images: dict[object, Resident] = {}
    points: list[Point] = []
    for i, made in enumerate(plan):
        if made.data not in images:
            images = {made.data: Resident(made.data.load(), device)}
        points.append(trained(made, images[made.data], describe(device)))
        print(f"{len(points)}/{len(plan)} {made.to_query()}: {points[-1].accuracy:.4f}", file=sys.stderr, flush=True)
        if plan[i + 1 : i + 2] == [] or plan[i + 1].task.labels != points[-1].labels:  # type: ignore[attr-defined]
            told(points, describe(device))


def told(points: list[Point], device: str) -> None:
    """Publish what is known so far: a table of the means, and each run's accuracy."""

    def mean(way: str, labels: int) -> float:
        return 100 * statistics.mean(one.accuracy for one in points if (one.way, one.labels) == (way, labels))

    counts = sorted({one.labels for one in points}, key=lambda labels: labels or math.inf)
    rows = [(f"{labels:,}" if labels else "all", *(f"{mean(way, labels):.2f} %" for way in WAYS)) for labels in counts]
    publish("labels", device, ("MNIST, labels per class", *WAYS), rows, {
        "query": QUERY, "command": "python -m benchmarks.labels",
        "points": [[*asdict(one).values()] for one in points],
    })


if __name__ == "__main__":
    main()
