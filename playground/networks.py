"""Networks of runs that are not open, read from their files and kept for the next question."""

from __future__ import annotations

from concurrent.futures import Future

import torch

from playground.checkpoint import load
from playground.events import Trouble
from playground.library import Entry
from playground.model import Autoencoder

KEPT = 8


class Networks:
    """The last KEPT networks asked for, on one device."""

    def __init__(self, device: torch.device):
        self._device = device
        self._models: dict[str, Autoencoder] = {}

    def of(self, name: str, entry: Entry | None) -> Autoencoder:
        """The network called `name`, from the file of `entry`; Trouble where there is none yet."""
        model = self._models.pop(name, None)
        if model is None:
            if entry is None:
                raise Trouble("This run has not been saved yet: train it for a step first.")
            model = load(entry.path).model().to(self._device)
        self._models[name] = model
        while len(self._models) > KEPT:
            self._models.pop(next(iter(self._models)))
        return model

    def forget(self, name: str) -> None:
        """The run called `name` learns on: what its file held is no longer what it is."""
        self._models.pop(name, None)


def hand_over(done: Future, answer: Future) -> None:
    """Settle one future as another was, if somebody still waits."""
    if answer.set_running_or_notify_cancel():
        if (error := done.exception()) is not None:
            answer.set_exception(error)
        else:
            answer.set_result(done.result())
