"""Filling a quarter of a picture: milliseconds by projection, by models trained to fill, by Telea's and biharmonic."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import publish
from playground import classical, masks
from playground.data import datasets
from playground.experiment import Experiment
from playground.restorer import Restorer
from playground.workbench import Workbench

SIDES = (28, 64, 128)
AIM = "below 200 ms"
QUERIES = {  # what fills pictures of that side: of the model's own size, and in tiles of 32 × 32
    28: "data=digits&data.size=28&architecture.width=512&training.epochs=5",
    64: "data=photos&architecture=convolutional&architecture.code=64&training.epochs=1",
    128: "data=photos&architecture=convolutional&architecture.code=64&training.epochs=1",
}


def trained(bench: Workbench) -> dict[str, str]:
    """A run for each query, to its end: query -> name."""
    names = {query: bench.start(Experiment.from_query(query)[0]) for query in dict.fromkeys(QUERIES.values())}
    while any((found := bench.snapshot(name)) is None or found.status in ("opening", "running")
              for name in names.values()):
        time.sleep(0.1)
    return names


def pictures(side: int) -> np.ndarray:
    """Held-out pictures (m, c, side, side) of the kind that the model of that size has seen."""
    if side == 28:
        found = datasets["digits"](size=28).load()
        return found.images[found.held_out[:20]]
    found = datasets["photos"](size=96, count=200).load()
    wide = np.pad(found.images[found.held_out[:20]], ((0, 0), (0, 0), (0, 32), (0, 32)), mode="reflect")
    return np.ascontiguousarray(wide[:, :, :side, :side])


async def milliseconds(restorer: Restorer, name: str, images: np.ndarray, times: int) -> list[float]:
    """What each of `times` fills took, in turn over the pictures, after one that does not count."""
    found = []
    for i in range(times + 1):
        image = images[i % len(images)]
        _, height, width = image.shape
        mask = masks.draw("box", height, width, i)
        began = time.perf_counter()
        await restorer.inpaint(name, image, mask)
        found.append(1000 * (time.perf_counter() - began))
    return found[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    figures: dict[str, Any] = {}
    rows = []
    with tempfile.TemporaryDirectory() as home:
        bench = Workbench(Path(home))
        names, restorer = trained(bench), Restorer(bench)
        for side in SIDES:
            images = pictures(side)
            ways = {"projection": names[QUERIES[side]], **{name: name for name in classical.FILLS}}
            ways |= {f"{choice.name}, trained to fill": choice.name for choice in restorer.choices("inpaint")
                     if max(choice.shape[1:]) <= side and choice.shape[0] == images.shape[1]}
            for way, name in ways.items():
                found = asyncio.run(milliseconds(restorer, name, images, times))
                figures[f"{side} {way}"] = [round(value, 2) for value in found]
                middle, most = f"{statistics.median(found):.1f} ms", f"{max(found):.1f} ms"
                rows.append((f"{side} × {side}, {way}", middle, most, AIM))
        device = bench.device
        bench.close()
    publish("restoring", device, (f"A quarter hidden, {times} times", "median", "longest", "aim"), rows, figures)


if __name__ == "__main__":
    main()
