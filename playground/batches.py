"""Resident images: a data set on the device, batched by indexing; a batch is a function of the step."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.data import ImageSet

SAMPLE = 512  # held-out images the curve is measured on: 2 % standard error where images differ by 40 %
EVALUATE_SHARE = 0.015  # of the training time may go into measuring the held-out loss


def to_unit(images: Tensor) -> Tensor:
    """uint8 images to float32 in [0, 1]; floats as they are."""
    return images.to(torch.float32).mul_(1 / 255) if images.dtype == torch.uint8 else images


class Resident:
    """The images of one data set on one device; training runs on the same set share it.

    train (m, c, h, w) and held_out (m', c, h, w) are uint8, or float32 for points in the plane.
    """

    def __init__(self, images: ImageSet, device: torch.device):
        self.source, self.device = images, device
        everything = torch.from_numpy(images.images)
        self.train = _rows(everything, images.train).to(device)
        self.held_out = _rows(everything, images.held_out).to(device)
        self.held_out_labels = images.labels[images.held_out]
        self._once: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The result of make(), kept with the images for all that need the same; none of them changes it."""
        if key not in self._once:
            self._once[key] = make()
        return self._once[key]

    @property
    def shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self.train.shape
        return channels, height, width

    def targets(self, of: Callable[[ImageSet], np.ndarray | None]) -> tuple[Tensor, Tensor] | None:
        """What is to be learnt of the training and of the held-out images, on the device; None where of(images) is."""
        found = of(self.source)
        if found is None:
            return None
        everything = torch.from_numpy(found)
        train, held_out = (_rows(everything, index) for index in (self.source.train, self.source.held_out))
        return train.to(self.device), held_out.to(self.device)

    def sample(self) -> Tensor:
        """The first 512 held-out images in [0, 1]: the split is random, so they are as good as any."""
        return self.once("sample", lambda: to_unit(self.held_out[:SAMPLE]))

    def shown(self, count: int = 8) -> np.ndarray:
        """Indices into the sample of the images people look at: one of each class first, then on in order."""
        labels = self.held_out_labels[:SAMPLE]
        firsts = sorted(int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels))[:count]
        others = [i for i in range(len(labels)) if i not in firsts][: count - len(firsts)]
        return np.array(sorted(firsts) + others, dtype=np.int64)


def _rows(images: Tensor, index: np.ndarray) -> Tensor:
    """Some of the images; not copied where they lie one after another, as in sets that bring their own split."""
    if len(index) and (np.diff(index) == 1).all():
        return images[index[0] : index[-1] + 1]
    return images[torch.from_numpy(index)]


class Batches:
    """Shuffled batches of a resident set: epoch e is a permutation seeded by (seed, e), its remainder left out.

    targets: what is to be learnt of each training image, (m, ...), where that is not the image. favoured: numbers of
    training images that the last half of every batch is drawn from, over and over.
    """

    def __init__(self, resident: Resident, size: int, seed: int, targets: Tensor | None = None,
                 favoured: Tensor | None = None):
        self._resident, self._seed, self._targets, self._favoured = resident, seed, targets, favoured
        self.size = min(size, len(resident.train))
        self._half = 0 if favoured is None or not len(favoured) else self.size // 2
        self.per_epoch = len(resident.train) // (self.size - self._half)
        self._epoch, self._order, self._again = -1, torch.empty(0), torch.empty(0)

    def __getitem__(self, step: int) -> Tensor:
        """The batch of one step (0, 1, ...), (size, c, h, w) in [0, 1]."""
        return self.pair(step)[0]

    def pair(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of one step, and what is to be learnt of it: the images themselves, where there are no targets."""
        rows = self._rows(step)
        # index_select copies whole images; indexing by a tensor walks them pixel by pixel, ten times slower
        x = to_unit(self._resident.train.index_select(0, rows))
        return x, x if self._targets is None else self._targets.index_select(0, rows)

    def _rows(self, step: int) -> Tensor:
        epoch, i = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            rng = torch.Generator().manual_seed(mix(self._seed, epoch, 1))
            self._order = torch.randperm(len(self._resident.train), generator=rng).to(self._resident.device)
            self._epoch = epoch
            if self._half and self._favoured is not None:
                rounds = -(-self.per_epoch * self._half // len(self._favoured))
                orders = [torch.randperm(len(self._favoured), generator=rng) for _ in range(rounds)]
                self._again = self._favoured[torch.cat(orders).to(self._resident.device)]
        fresh = self.size - self._half
        rows = self._order[i * fresh : (i + 1) * fresh]
        return torch.cat([rows, self._again[i * self._half : (i + 1) * self._half]]) if self._half else rows

    def history_interval(self) -> int:
        """Steps between two rows of the history, so that measuring the held-out loss costs about 1.5 % of the time.

        A forward pass costs about a third of a training step on as many images.
        """
        images = min(SAMPLE, len(self._resident.held_out))
        return max(1, round(images / self.size / 3 / EVALUATE_SHARE))


def mix(*numbers: int) -> int:
    """One 63-bit seed from several numbers, far from the seeds of their neighbours (splitmix64's finaliser)."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state >> 1
