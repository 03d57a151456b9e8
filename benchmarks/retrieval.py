"""Searching 60,000 images for one: by a code's numbers, by its bits, by all pixels; and how long making ready takes.

`python -m benchmarks.retrieval` prints a table and writes results/retrieval.json. Pixels are MNIST's, codes those of
the shipped models; each question is searched by itself, on one thread, as the page does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from benchmarks.report import publish
from playground import checkpoint
from playground.batches import Resident
from playground.data import datasets
from playground.library import SHIPPED
from playground.model import Autoencoder
from playground.probes.codes import rows_of_pixels
from playground.probes.retrieval import codes_of
from playground.probes.search import Bits, Codes, Pixels, Searchable, packed

QUESTIONS, NEIGHBOURS = 50, 10
MODELS = {"numbers": "undercomplete-mnist", "bits": "retrieve-mnist"}
MOST = 50.0  # ms aimed at


def model(name: str) -> Autoencoder:
    return checkpoint.load(SHIPPED / name / "model.safetensors").model()


def measured(make: Callable[[], Searchable], queries: np.ndarray) -> dict[str, float]:
    """Milliseconds of making the gallery ready and of single searches."""
    began = time.perf_counter()
    gallery = make()
    ready = time.perf_counter() - began
    gallery.nearest(queries[:1], NEIGHBOURS)
    times = []
    for i in range(QUESTIONS):
        began = time.perf_counter()
        gallery.nearest(queries[i : i + 1], NEIGHBOURS)
        times.append(1000 * (time.perf_counter() - began))
    return {"images": len(gallery), "ready": 1000 * ready, "median": float(np.median(times)),
            "p95": float(np.percentile(times, 95))}


def main() -> None:
    torch.set_num_threads(1)
    resident = Resident(datasets["mnist"]().load(), torch.device("cpu"))
    asked = resident.held_out[:QUESTIONS]
    found = {}
    for kind, name in MODELS.items():
        network = model(name)
        began = time.perf_counter()
        rows, queries = codes_of(network, resident.train), codes_of(network, asked)
        encoding = time.perf_counter() - began
        make = Codes if kind == "numbers" else Bits
        rows, queries, size = (rows, queries, rows.shape[1]) if kind == "numbers" else (
            packed(rows), packed(queries), rows.shape[1])
        figures = measured(partial(make, rows), queries)
        found[f"code, {size} {kind}"] = {**figures, "encoding": 1000 * encoding, "bytes": rows[:1].nbytes}
    wide = np.random.default_rng(0).normal(size=(len(resident.train) + QUESTIONS, 32)).astype(np.float32)
    found["code, 32 numbers (drawn)"] = {**measured(partial(Codes, wide[QUESTIONS:]), wide), "bytes": 128}
    pixels, queries = (rows_of_pixels(images.numpy()) for images in (resident.train, asked))
    found["pixels, 784"] = {**measured(partial(Pixels, pixels), queries), "bytes": pixels.shape[1]}
    head = ("searched by", "images", "bytes an image", "made ready, ms", "median, ms", "p95, ms")
    rows_told = [(name, f"{one['images']:,}", f"{one['bytes']}", f"{one['ready']:.0f}", f"{one['median']:.1f}",
                  f"{one['p95']:.1f}") for name, one in found.items()]
    publish("retrieval", "CPU, 1 thread", head, rows_told, {"questions": QUESTIONS, "aim": MOST, "searches": found})
    slow = [name for name, one in found.items() if one["p95"] >= MOST]
    print(f"below {MOST:.0f} ms: " + (f"all but {', '.join(slow)}" if slow else "all"))


if __name__ == "__main__":
    main()
