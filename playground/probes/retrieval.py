"""What retrieval is worth: precision at 10 of held-out images among the training images, by bits, codes and pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from playground.batches import Resident, to_unit
from playground.model import Autoencoder
from playground.probes.codes import rows_of_pixels
from playground.probes.search import Bits, Codes, Pixels, Searchable, packed, precision

ASKED = 2000  # held-out images that the mean is over
PORTION = 2048


def figures(model: Autoencoder, resident: Resident, plain: Autoencoder | None = None,
            beside: bool = True, asked: int = ASKED) -> dict[str, dict[str, float]]:
    """Way -> precision at 10 and bytes an image: the model's bits first; beside them its code before it is rounded,
    pixels, and the code of another model of the same images, if there is one. asked: how many held-out images ask."""
    code, asking = (codes_of(model, images) for images in (resident.train, resident.held_out[:asked]))
    bits = packed(code)
    ways: dict[str, tuple[Searchable, np.ndarray, int]] = {
        f"model, its {code.shape[1]} bits": (Bits(bits), packed(asking), bits.shape[1])
    }
    if beside:
        ways[f"model, its code of {code.shape[1]} numbers"] = Codes(code), asking, code[:1].nbytes
    if plain is not None:
        code, asking = (codes_of(plain, images) for images in (resident.train, resident.held_out[:asked]))
        ways[f"a plain autoencoder's code of {code.shape[1]} numbers"] = Codes(code), asking, code[:1].nbytes
    if beside:
        rows, queries = (rows_of_pixels(images.cpu().numpy()) for images in (resident.train, resident.held_out[:asked]))
        ways["pixels"] = Pixels(rows), queries, rows.shape[1]
    labels, its_labels = resident.held_out_labels[:asked], resident.source.labels[resident.source.train]
    return {way: {"precision": precision(gallery, questions, labels, its_labels) or 0.0, "bytes": size}
            for way, (gallery, questions, size) in ways.items()}


@torch.no_grad()
def codes_of(model: Autoencoder, images: Tensor) -> np.ndarray:
    """The codes (n, k) float32 of images (n, c, h, w), as they lie in a Resident."""
    device = next(model.parameters()).device
    return torch.cat([model.encode(to_unit(part).to(device)).cpu() for part in images.split(PORTION)]).numpy()
