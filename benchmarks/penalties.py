"""Cost of a contractive step, by formula, exact or estimated, against an undercomplete step, in turn in one process."""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import numpy as np
import torch

from benchmarks.report import publish
from playground.batches import Resident
from playground.data import ImageSet
from playground.device import choose_device, describe
from playground.experiment import Experiment
from playground.trainer import Session

COMMON = "data=mnist&training.batch=128&architecture.code=16&"
CASES = {  # (network, method) -> the network's query, and the most that its step may cost, where an aim is set
    ("784-16", "closed"): ("architecture.depth=1", 1.4),
    ("784-256-16", "exact"): ("architecture.depth=2", 3.0),
    ("784-256-16", "estimate"): ("architecture.depth=2", 2.0),
    ("784-512-256-16", "exact"): ("architecture.depth=3&architecture.width=512", 3.0),
    ("784-512-256-16", "estimate"): ("architecture.depth=3&architecture.width=512", 2.0),
    ("convolutional, 16 and 32 filters", "exact"): ("architecture=convolutional&architecture.width=16", 3.0),
    ("convolutional, 16 and 32 filters", "estimate"): ("architecture=convolutional&architecture.width=16", 2.0),
}


def images(device: torch.device) -> Resident:
    """Random images of MNIST's shape: what a step costs does not depend on what is in them."""
    pixels = np.random.default_rng(0).integers(0, 256, (3000, 1, 28, 28), np.uint8)
    train, held_out = np.arange(2500), np.arange(2500, 3000)
    return Resident(ImageSet(pixels, np.zeros(3000, np.int64), ("noise",), train, held_out), device)


def session(query: str, resident: Resident) -> Session:
    experiment, problems = Experiment.from_query(COMMON + query)
    assert not problems, problems
    return Session(experiment, resident, describe(resident.device))


def seconds_a_step(run: Session, seconds: float) -> float:
    """Seconds of one step, over so many seconds of steps and at least three."""
    started, steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - started) < seconds or steps < 3:
        run.advance()
        steps += 1
    run.present()  # waits for the device
    return spent / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each turn")
    arguments = parser.parse_args()

    device = choose_device()
    resident = images(device)
    runs: dict[tuple[str, str], Session] = {}
    for (network, method), (query, _) in CASES.items():
        runs.setdefault((network, "undercomplete"), session(query, resident))
        runs[network, method] = session(f"{query}&variant=contractive&variant.method={method}", resident)
    found: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for run in runs.values():
        seconds_a_step(run, 0.0)  # warm
    for turn in range(arguments.rounds):
        for key, run in sorted(runs.items(), reverse=turn % 2 == 1):
            found[key].append(seconds_a_step(run, arguments.seconds))
        print(f"round {turn + 1}/{arguments.rounds}", file=sys.stderr, flush=True)

    rows, figures = [], {}
    for (network, method), (_, most) in CASES.items():
        base = found[network, "undercomplete"]
        ratio = statistics.median(ours / theirs for ours, theirs in zip(found[network, method], base))
        step = statistics.median(found[network, method])
        figures[f"{network}, {method}"] = {"ratio": ratio, "seconds": step, "aim": most}
        rows.append((f"{network}, {method}", f"{step * 1e3:.2f}", f"{ratio:.2f}", f"{most:g}"))
    head = ("contractive, batch 128", "ms a step", "of an undercomplete step", "aim, at most")
    publish(f"penalties-{device.type}", describe(device), head, rows, {
        "cases": figures, "rounds": arguments.rounds, "seconds": arguments.seconds,
    })


if __name__ == "__main__":
    main()
