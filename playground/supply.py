"""Supply: data sets loaded aside, once, and kept on the device for every run and question that needs them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import torch

from playground.batches import Resident
from playground.data import Dataset, ImageSet
from playground.events import Trouble, Waiting
from playground.networks import hand_over

KEPT = 6  # data sets that stay on the device after their last use
MOST_STANDING = 24  # what stands in for data sets, by model: half a megabyte each


class Supply:
    """Resident images by data set. `aside` runs a function on a thread that is not the device's.

    stand_in(data, name): what can be shown of a data set that is not here and cannot be fetched, for the model called
    `name`; None where nothing can.
    """

    def __init__(self, device: torch.device, aside: Callable[[Callable[[], Resident]], Future],
                 stand_in: Callable[[Dataset, str], ImageSet | None] = lambda data, name: None):
        self._device, self._aside, self._stand_in = device, aside, stand_in
        self._images: dict[Dataset, Future] = {}
        self._progress: dict[Dataset, Waiting] = {}
        self._standing: dict[tuple[Dataset, str], Future] = {}

    def load(self, data: Dataset) -> Future:
        """The resident images of a data set; a load that failed is tried again at the next asking."""
        known = self._images.pop(data, None)
        if known is not None and known.done() and known.exception() is not None:
            known = None
        self._images[data] = known or self._aside(partial(self._make, data))
        while len(self._images) > KEPT:
            self._images.pop(next(iter(self._images)))
        return self._images[data]

    def look(self, data: Dataset, name: str = "") -> Future:
        """Images to look at, not to learn from: those of the data set, or what stands in for them with a model.

        Once something stands in, the set itself is not asked for again before somebody wants to learn from it.
        """
        known = self._images.get(data)
        here = known is not None and known.done() and known.exception() is None
        standing = self._standing.get((data, name))
        if not data.needs_download or here:
            return self.load(data)
        if standing is not None and not (standing.done() and standing.exception()):
            return standing
        answer: Future = Future()

        def loaded(images: Future) -> None:
            if not isinstance(images.exception(), Trouble):
                return hand_over(images, answer)
            made = self._aside(partial(self._made_up, data, name, images))
            made.add_done_callback(lambda done: hand_over(done, answer))

        failed = known is not None and known.done() and any(data == other for other, _ in self._standing)
        (known if known is not None and failed else self.load(data)).add_done_callback(loaded)
        self._standing[data, name] = answer
        while len(self._standing) > MOST_STANDING:
            self._standing.pop(next(iter(self._standing)))
        return answer

    def progress(self, data: Dataset) -> Waiting:
        """What the load of a data set is doing now."""
        return self._progress.get(data, Waiting("Loading the images"))

    def _made_up(self, data: Dataset, name: str, failed: Future) -> Resident:
        if (images := self._stand_in(data, name)) is None:
            return failed.result()  # raises what kept it from being loaded
        return Resident(images, self._device)

    def _make(self, data: Dataset) -> Resident:
        def report(reason: str, fraction: float | None = None) -> None:
            self._progress[data] = Waiting(reason, fraction)

        try:
            return Resident(data.load(report), self._device)
        finally:
            self._progress.pop(data, None)
