"""Labelling: what a network says of a picture: its class, every pixel's, or boxes. This folder is the registry."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.coder import Coder
from playground.patchwork import Report, nothing
from playground.registry import Registry

labellers = Registry("labeller")


@dataclass(frozen=True, eq=False)
class Labelled:
    """What was found in a picture (c, h, w).

    picture: uint8 (3, h, w), the picture with the answer drawn over it. scores: name of a class -> 0 to 1, the best
    first; what they are is the labeller's `scored`. found: the answer as JSON can say it. labels: uint8 (h, w), each
    pixel's class, or None. palette: a colour (r, g, b) for each value of `labels`. note: one sentence, or "".
    """

    picture: np.ndarray
    scores: dict[str, float]
    found: dict[str, Any]
    seconds: float
    labels: np.ndarray | None = None
    palette: tuple[tuple[int, int, int], ...] = ()
    note: str = ""


class Labeller(ABC):
    """One way to label. name: the task's, and the way of its models. title: what to do, for a list.

    motto: one line; the endpoint's and the command's description. scored: what `Labelled.scores` are, in words.
    """

    name: str
    title: str
    motto: str
    scored: str

    def __init__(self, coder: Coder):
        self.coder = coder

    @abstractmethod
    async def label(self, model: str, image: np.ndarray, report: Report = nothing) -> Labelled:
        """What `model` finds in a picture (c, h, w) uint8; Trouble for pictures and models that cannot be used."""


labellers.discover(sys.modules[__name__])
