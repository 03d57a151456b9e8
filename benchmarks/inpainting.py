"""Shipped inpainting models beside Telea's and the biharmonic fill: a quarter of held-out images hidden in a box."""

from __future__ import annotations

import argparse
from typing import Any

import torch

from benchmarks.report import publish
from playground.checkpoint import load
from playground.classical import FILLS
from playground.events import Trouble
from playground.library import SHIPPED
from playground.probes import boxes

AIM = "+2 dB"
PREFIX = "inpaint-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=500, help="of the held-out ones")
    count = parser.parse_args().images
    rows, found = [], dict[str, Any]()
    for path in sorted(SHIPPED.glob(f"{PREFIX}*/model.safetensors")):
        saved, name = load(path), path.parent.name
        try:
            images = saved.experiment.data.load()
        except Trouble as trouble:
            print(f"{name} is left out: {trouble}")
            continue
        held_out = images.images[images.held_out[:count]]
        found[name] = {**boxes.figures(saved.model(), held_out), "images": len(held_out)}
        psnr = {way: found[name][way]["psnr"] for way in ("model", *FILLS)}
        ahead = psnr["model"] - max(psnr[way] for way in FILLS)
        rows.append((f"{name.removeprefix(PREFIX)}, {len(held_out)} images",
                     *(f"{value:.2f} dB" for value in psnr.values()), f"{ahead:+.2f} dB", AIM))
    publish("inpainting", f"CPU, {torch.get_num_threads()} threads",
            ("PSNR in a box of a quarter of the area", "model", *FILLS, "ahead of the better", "aim"), rows, found)


if __name__ == "__main__":
    main()
