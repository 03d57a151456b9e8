"""Desks of the Paint page: each visitor's picture, what is hidden of it and what was made of it, for a while."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from playground.events import Trouble

MOST_BYTES = 600_000_000  # of all desks together; those not used for longest go first
MOST_DESKS = 400
IDLE = 6 * 3600.0  # seconds after which a desk is cleared
GONE = "There is no picture of that name here any more"


@dataclass(eq=False)
class Piece:
    """A part of a result: uint8 (c, h', w') at (left, top) of the picture; outside it the result is `under`."""

    image: np.ndarray
    left: int
    top: int
    under: np.ndarray

    def whole(self) -> np.ndarray:
        """The result as large as the picture, (c, h, w) uint8."""
        whole = self.under.copy()
        c, h, w = self.image.shape
        whole[:, self.top : self.top + h, self.left : self.left + w] = self.image
        return whole


@dataclass(eq=False)
class Desk:
    """One picture being worked on. picture: uint8 (c, h, w), about: what the page is told of it, mask: bool (h, w)."""

    picture: np.ndarray
    about: dict[str, Any]
    mask: np.ndarray
    made: dict[str, Piece] = field(default_factory=dict)
    used: float = field(default_factory=time.monotonic)
    task: asyncio.Future | None = None

    @property
    def bytes(self) -> int:
        return self.picture.nbytes + self.mask.nbytes + sum(one.image.nbytes for one in self.made.values())

    def begin(self, task: asyncio.Future) -> asyncio.Future:
        """Have this work done on the desk, instead of what was going on."""
        self.stop()
        self.task = task
        return task

    def stop(self) -> bool:
        """End what is going on; whether there was something."""
        going = self.task is not None and not self.task.done()
        if going and self.task is not None:
            self.task.cancel()
        self.task = None
        return going


class Desks:
    """Desks by names that nobody can guess. Only the event loop touches them."""

    def __init__(self, most_bytes: int = MOST_BYTES):
        self._most_bytes = most_bytes
        self._desks: dict[str, Desk] = {}

    def find(self, name: str) -> Desk:
        """The desk of that name; Trouble when it was cleared or never was."""
        desk = self._desks.pop(name, None)
        if desk is None:
            raise Trouble(f"{GONE}: choose one again.")
        desk.used = time.monotonic()
        self._desks[name] = desk
        return desk

    def put(self, picture: np.ndarray, about: dict[str, Any], name: str = "") -> tuple[str, Desk]:
        """A picture on the desk of that name, with nothing hidden, or on a new desk; the desk's name, and the desk."""
        if name in self._desks:
            self._desks.pop(name).stop()
        else:
            name = secrets.token_urlsafe(12)
        desk = self._desks[name] = Desk(picture, about, np.zeros(picture.shape[1:], bool))
        self._clear(name)
        return name, desk

    def _clear(self, spared: str) -> None:
        """Forget idle desks, then those used longest ago, until the rest fits."""
        now, total = time.monotonic(), sum(desk.bytes for desk in self._desks.values())
        for name, desk in list(self._desks.items()):
            full = total > self._most_bytes or len(self._desks) > MOST_DESKS
            if name != spared and (full or now - desk.used > IDLE):
                total -= desk.bytes
                self._desks.pop(name).stop()
