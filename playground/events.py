"""Events: what a job reports and what a screen may know; frozen plain values, arrays of numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Trouble(Exception):
    """An error people can cause; its text is one sentence fit for a page."""


@dataclass(frozen=True)
class Allowance:
    """What the engine allows a job before it must answer: time, steps, and whether somebody is watching."""

    seconds: float = 0.0
    steps: float = 1
    look: bool = False


@dataclass(frozen=True)
class Row:
    """One point of the curves: step taken, mean of each term over the last steps, reconstruction loss held out."""

    step: int
    terms: dict[str, float]
    held_out: float


@dataclass(frozen=True, eq=False)
class Frame:
    """Where the codes of the first 500 held-out images lay after `step` steps: places float16 (m, 2).

    The plane is the code itself where it has one or two entries, else that of its two principal directions.
    """

    step: int
    places: np.ndarray


@dataclass(frozen=True)
class View:
    """What the pictures of a running job show, taken after `step` steps.

    seen, output: uint8 (8, c, h, w), at most 64 pixels a side, `seen` only where it differs from the input; points in
    the plane come by the 256. codes: float32 (m, 2) places, finite, of the
    sample's codes in the plane. spread: share of the codes' variance along both axes, empty when the plane is the code
    itself. activity: float32 (k,), mean absolute activation of each code entry. grades: what each
    output is worth, in the task's unit.
    """

    step: int
    seen: np.ndarray | None
    output: np.ndarray
    codes: np.ndarray
    spread: tuple[float, ...]
    activity: np.ndarray
    grades: tuple[float, ...]


@dataclass(frozen=True)
class Still:
    """What does not change during a run and its pictures need.

    shape (c, h, w) of the images; steps per epoch; device in words; shown: uint8 (8, c, h, w) held-out images (256 of
    them for points in the plane);
    thumbnails: uint8 (m, c, h', w'), at most 32 pixels a side, of the sample whose codes are drawn; labels: int64 (m,).
    truth: as `shown`, what the outputs should look like, where that is not the images. stand_in: where the images are
    not the data set's own, what they are, in a sentence.
    """

    shape: tuple[int, int, int]
    steps_per_epoch: int
    device: str
    shown: np.ndarray
    thumbnails: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    train_images: int
    held_out_images: int
    truth: np.ndarray | None = None
    stand_in: str = ""


@dataclass(frozen=True)
class Stepped:
    """The state of a training run after some steps.

    history is bounded: `stride` doubles each time every other row is dropped. rate: images a second. marks: (step,
    text) of live knobs turned mid-run. metrics: held-out figures, filled when the run is done. film: the codes' places
    through the run.
    """

    step: int
    steps: int
    terms: dict[str, float]
    held_out: float
    history: tuple[Row, ...]
    stride: int
    rate: float
    marks: tuple[tuple[int, str], ...]
    still: Still
    view: View | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    film: tuple[Frame, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """A job that cannot go on yet: what it waits for and how far that is, 0 to 1 (None: unknown)."""

    reason: str
    fraction: float | None = None


@dataclass(frozen=True)
class Finished:
    """The last event of a job that has a result."""

    result: Any


@dataclass(frozen=True)
class Snapshot:
    """What a screen may know of a job. Never changed, only replaced; `version` grows with each replacement.

    status: opening, ready, running, paused, stopped, done or failed. event: the last thing the job said.
    problem: one sentence when it failed or stopped itself. owner: to whom it belongs, see `owners`.
    """

    job: str
    title: Any
    status: str = "opening"
    event: Any = None
    problem: str = ""
    pace: float | None = None
    earlier: tuple[str, ...] = ()
    version: int = 0
    owner: str = ""

    @property
    def steps_taken(self) -> int:
        """Steps the run took; at least 1 for a saved one that is not open. 0 for those that are ready or opening."""
        return 1 if self.event is None and self.status != "opening" else getattr(self.event, "step", 0)
