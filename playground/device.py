"""The device that the engine's thread owns: the one asked for, or the best there is."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch

from playground.events import Trouble


def choose_device(wanted: str | None = None) -> torch.device:
    """The device named, or by PLAYGROUND_DEVICE, or the best there is; Trouble for one that is not there."""
    wanted = wanted or os.environ.get("PLAYGROUND_DEVICE", "")
    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if wanted:
        kind = wanted.partition(":")[0]
        if kind not in there or not there[kind]():
            found = ", ".join(name for name, is_there in there.items() if is_there())
            raise Trouble(f"There is no device called {wanted!r} here; there is {found}.")
        return torch.device(wanted)
    return torch.device(next(name for name, is_there in there.items() if is_there()))


def describe(device: torch.device) -> str:
    """The device in words: "CPU, 2 threads" or the card's own name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' * (threads > 1)}"
