"""Photographs painted by a network: what that is worth against its filter, beside simpler ways to lose the detail."""

from __future__ import annotations

import numpy as np
import torch

from playground.data.photos import UNSEEN, photograph
from playground.images import to_bytes
from playground.painterly import bilateral, median, painted
from playground.probes.photographs import LARGEST, Figures, worth


def figures(model: torch.nn.Module, style: str, brush: int, beside: bool = True) -> Figures:
    """Way -> PSNR and SSIM of the brightness against the filter's result, on photographs never seen, means.

    beside: whether the simpler ways are measured too.
    """
    found: dict[str, list[dict[str, float | None]]] = {}
    for name in UNSEEN:
        picture = photograph(name)[:, :LARGEST, :LARGEST]
        picture = picture.repeat(3 // len(picture), 0)
        truth = painted(picture, style, brush)
        ways = {"model": _made(model, picture)}
        if beside:
            ways |= {"median of 7 × 7 pixels": median(picture), "bilateral filter": bilateral(picture),
                     "photograph itself": picture}
        for way, image in ways.items():
            found.setdefault(way, []).append(worth(image, truth))
    return {way: {name: float(np.mean([one[name] for one in values])) for name in ("psnr", "ssim")}
            for way, values in found.items()}


@torch.no_grad()
def _made(model: torch.nn.Module, picture: np.ndarray) -> np.ndarray:
    return to_bytes(model(torch.from_numpy(picture[None]).float() / 255)[0].clamp(0, 1).numpy())
