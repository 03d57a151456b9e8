"""Supply: data sets loaded aside, once, and kept on the device for every run and question that needs them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import torch

from playground.batches import Resident
from playground.data import Dataset
from playground.events import Waiting

KEPT = 6  # data sets that stay on the device after their last use


class Supply:
    """Resident images by data set. `aside` runs a function on a thread that is not the device's."""

    def __init__(self, device: torch.device, aside: Callable[[Callable[[], Resident]], Future]):
        self._device, self._aside = device, aside
        self._images: dict[Dataset, Future] = {}
        self._progress: dict[Dataset, Waiting] = {}

    def load(self, data: Dataset) -> Future:
        """The resident images of a data set; a load that failed is tried again at the next asking."""
        known = self._images.pop(data, None)
        if known is not None and known.done() and known.exception() is not None:
            known = None
        self._images[data] = known or self._aside(partial(self._make, data))
        while len(self._images) > KEPT:
            self._images.pop(next(iter(self._images)))
        return self._images[data]

    def progress(self, data: Dataset) -> Waiting:
        """What the load of a data set is doing now."""
        return self._progress.get(data, Waiting("Loading the images"))

    def _make(self, data: Dataset) -> Resident:
        def report(reason: str, fraction: float | None = None) -> None:
            self._progress[data] = Waiting(reason, fraction)

        try:
            return Resident(data.load(report), self._device)
        finally:
            self._progress.pop(data, None)
