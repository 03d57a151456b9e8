"""Codes of many images: which images, their codes and errors in short portions, and what comes out of a code."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.batches import Resident, to_unit
from playground.images import thumbnails
from playground.model import Autoencoder

MOST = 10_000  # codes on one map
THUMBNAIL = 32  # pixels a side at most


@dataclass(frozen=True, eq=False)
class Codes:
    """The codes of a sample, held-out images first, then training images, in the data set's own order.

    codes: float32 (m, k). errors: float32 (m,), mean squared error per pixel. index: int64 (m,), positions in the
    data set. held_out: bool (m,). labels: int64 (m,), indices into `classes`. thumbs: uint8 (m, c, h', w'), at most
    32 pixels a side. shape: (c, h, w) of the images themselves.
    """

    codes: np.ndarray
    errors: np.ndarray
    index: np.ndarray
    held_out: np.ndarray
    labels: np.ndarray
    thumbs: np.ndarray
    classes: tuple[str, ...]
    shape: tuple[int, int, int]

    @property
    def bytes(self) -> int:
        """Memory of its own: the thumbnails are the data set's."""
        return self.codes.nbytes + self.errors.nbytes + self.index.nbytes + self.held_out.nbytes + self.labels.nbytes

    @property
    def has_labels(self) -> bool:
        return len(np.unique(self.labels)) > 1

    @property
    def pixels(self) -> np.ndarray:
        """The thumbnails as rows: uint8 (m, c·h'·w'). What "by pixels" means here."""
        return self.thumbs.reshape(len(self.thumbs), -1)


def rows_of_pixels(images: np.ndarray) -> np.ndarray:
    """The thumbnails of images (m, c, h, w) as rows, like Codes.pixels."""
    return thumbnails(np.ascontiguousarray(images), THUMBNAIL).reshape(len(images), -1)


def frozen(model: Autoencoder) -> Autoencoder:
    """A copy that no training changes, without gradients."""
    still = copy.deepcopy(model).eval().requires_grad_(False)
    for weight in still.parameters():
        weight.grad = None
    return still


def digest(model: Autoencoder) -> str:
    """A name for the weights: equal for equal weights, 16 hexadecimal digits (BLAKE2)."""
    state = hashlib.blake2b(digest_size=8)
    for name, tensor in model.state_dict().items():
        state.update(name.encode())
        state.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return state.hexdigest()


def order(resident: Resident, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in the data set of a sample of up to `count` images, and which of them are held out: those that stand
    in for a set that is not here all are."""
    source = resident.source
    index = np.concatenate([source.held_out, source.train])[: max(1, min(count, MOST))]
    return index, np.arange(len(index)) < (len(index) if source.stand_in else len(source.held_out))


def images(resident: Resident, start: int, stop: int) -> Tensor:
    """Images number start to stop of the sample's order, (stop - start, c, h, w) in [0, 1], on the device."""
    edge = len(resident.held_out)
    parts = [resident.held_out[start : min(stop, edge)], resident.train[max(start - edge, 0) : max(stop - edge, 0)]]
    return to_unit(torch.cat([part for part in parts if len(part)]))


@torch.no_grad()
def codes_of(model: Autoencoder, resident: Resident, start: int, stop: int) -> np.ndarray:
    """As `encoded`, the codes alone: nothing is decoded."""
    return model.encode(images(resident, start, stop)).float().cpu().numpy()


@torch.no_grad()
def encoded(model: Autoencoder, resident: Resident, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes and errors of one portion of the sample, on the device thread."""
    x = images(resident, start, stop)
    code = model.encode(x)
    errors = (model.decode(code) - x).square().flatten(1).mean(1)
    return code.float().cpu().numpy(), errors.float().cpu().numpy()


@torch.no_grad()
def decoded(model: Autoencoder, codes: np.ndarray, device: torch.device) -> np.ndarray:
    """Codes (m, k) to images (m, c, h, w) float32 in [0, 1]."""
    return model.decode(torch.from_numpy(codes).to(device)).float().clamp(0, 1).cpu().numpy()


@torch.no_grad()
def reencoded(model: Autoencoder, codes: np.ndarray, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """What a code looks like, and the code that the encoder gives that image: (m, c, h, w) and (m, k)."""
    image = model.decode(torch.from_numpy(codes).to(device)).clamp(0, 1)
    return image.float().cpu().numpy(), model.encode(image).float().cpu().numpy()


@torch.no_grad()
def seen(model: Autoencoder, pictures: np.ndarray, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (m, c, h, w) float32 in [0, 1] to their codes (m, k) and reconstructions (m, c, h, w)."""
    code = model.encode(torch.from_numpy(pictures).to(device))
    return code.float().cpu().numpy(), model.decode(code).float().clamp(0, 1).cpu().numpy()


def gathered(resident: Resident, count: int, parts: list[tuple[np.ndarray, np.ndarray]]) -> Codes:
    """The sample's Codes from the portions that `encoded` gave, in order."""
    index, held_out = order(resident, count)
    source = resident.source

    def small() -> np.ndarray:
        return thumbnails(np.ascontiguousarray(source.images[index]), THUMBNAIL)

    return Codes(
        codes=np.concatenate([codes for codes, _ in parts]),
        errors=np.concatenate([errors for _, errors in parts]),
        index=index,
        held_out=held_out,
        labels=source.labels[index],
        thumbs=resident.once(("thumbs", len(index)), small),
        classes=source.classes,
        shape=resident.shape,
    )
