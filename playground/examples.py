"""Examples: what lies beside a shipped model for those who do not have its images: codes, of which it makes its own.

A model whose data set has to be downloaded brings the codes and the classes of some held-out images; where the set is
not here, what it decodes them to stands in: on maps, as thumbnails, as examples. Never to learn from.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from playground import checkpoint
from playground.batches import SAMPLE, Resident, to_unit
from playground.data import Dataset, ImageSet
from playground.events import Allowance, Stepped, Trouble
from playground.library import Entry, Library
from playground.model import Autoencoder
from playground.trainer import Session

FILE = "examples.safetensors"
COUNT = SAMPLE + 128  # the curve's sample is held out, as in the set itself; the rest stands where training images do


@torch.no_grad()
def write(model: Autoencoder, resident: Resident, folder: Path) -> None:
    """Put folder/examples.safetensors beside a model's weights: codes (n, k) float16, labels (n,) uint8."""
    images = to_unit(resident.held_out[:COUNT])
    labels = torch.from_numpy(resident.held_out_labels[:COUNT].astype(np.uint8))
    save_file({"codes": model.encode(images).half().cpu().contiguous(), "labels": labels}, folder / FILE)


@torch.no_grad()
def read(entry: Entry, sentence: str) -> ImageSet:
    """What a shipped model makes of the codes beside it, as an image set that says so in a sentence."""
    tensors = load_file(entry.path.with_name(FILE))
    decoded = checkpoint.load(entry.path).model().decode(tensors["codes"].float())
    images = decoded.clamp(0, 1).mul(255).round().to(torch.uint8).numpy()
    every = np.arange(len(images))
    return ImageSet(images, tensors["labels"].numpy().astype(np.int64), entry.experiment.data.classes,
                    train=every[SAMPLE:], held_out=every[:SAMPLE], stand_in=sentence)


def stand_in(library: Library, data: Dataset, name: str = "") -> ImageSet | None:
    """Images for a data set that is not here: those of the model `name`, else of the one that gives its back best.

    None where no shipped model of that data set has examples that can be read.
    """
    found = [entry for entry in library.shipped_models()
             if entry.experiment.data.name == data.name and entry.experiment.data.shape == data.shape
             and entry.path.with_name(FILE).exists()]
    found.sort(key=lambda entry: (entry.name == name, entry.metrics.get("psnr", 0.0)), reverse=True)
    for entry in found:
        whose = "the model's own reconstructions" if entry.name == name else f"reconstructions by {entry.name}"
        try:
            return read(entry, f"{data.title} cannot be loaded here, so these images are {whose}.")
        except (OSError, SafetensorError, KeyError, RuntimeError, ValueError):
            continue
    return None


def shown(session: Session, entry: Entry | None) -> Generator[Stepped, Allowance | None, None]:
    """As `train`, of a shipped model whose images are stood in for: its figures stay as they are in its file, and it
    takes no step; Trouble where it should."""
    session.held_out_loss = session.history.rows[-1].held_out
    if entry is not None:  # an epoch is as long as it was on the data set itself
        session.batches.per_epoch = max(1, entry.step // entry.experiment.training.epochs)
        session.live.still = replace(session.live.still, steps_per_epoch=session.batches.per_epoch)
    yield session.report(look=True)
    if session.step < session.steps:
        raise Trouble(f"{session.resident.source.stand_in} Nothing can be learnt from them: bring the data set, or "
                      "choose one that is built in.")
