"""The device that the engine's thread owns: the one asked for, or the best there is."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future

import torch

from playground.events import Trouble

THREADS = torch.get_num_threads()  # before anybody has set another number


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
    return f"CPU, {THREADS} thread{'s' * (THREADS > 1)}"


def give_cores_to(ask: Callable[[Callable[[], None]], Future]) -> None:
    """Let one thread, on which `ask` runs a function, compute on all cores, and every other thread on one.

    Each thread that computes in parallel keeps helpers of its own. As soon as there are more of them than cores,
    OpenMP's threads sleep at every barrier instead of waiting a moment: a step of 784-512-16 then took twice as long.
    """
    ask(_all_cores).result()
    torch.set_num_threads(1)


def _all_cores() -> None:
    torch.get_num_threads()  # the first call on a thread sets its number: not after it is set here
    torch.set_num_threads(THREADS)
