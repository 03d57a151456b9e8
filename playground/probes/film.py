"""The film of a run: where the codes of some held-out images lay, at steps that only the experiment decides."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from playground.events import Frame
from playground.history import History
from playground.probes.maps import frame as framing
from playground.probes.maps import onto
from playground.probes.plane import PrincipalPlane

MOST_FRAMES = 60
ROWS = 2  # of the history from one frame to the next, so that wide codes too cost half a percent of a short run
FILMED = 500  # held-out images, the first ones
FARTHEST = 6e4  # what float16 can hold


class Film:
    """Up to 60 frames, at steps 0, 1, 2, 4, ... and then at rows of the history, evenly spread."""

    def __init__(self, interval: int, frames: tuple[Frame, ...] = (), stride: int = 1):
        self._kept = History(ROWS * interval, frames, stride, MOST_FRAMES)

    @property
    def frames(self) -> tuple[Frame, ...]:
        return self._kept.rows

    def look(self, step: int, codes: Tensor) -> None:
        """Take a frame of codes (m, k) if one is due at this step."""
        if self._kept.due(step):
            places, _ = PrincipalPlane().project(codes[:FILMED].float())
            self._kept.add(Frame(step, places.clamp(-FARTHEST, FARTHEST).half().cpu().numpy()))

    def state(self) -> dict[str, Tensor]:
        """The film as tensors of a checkpoint."""
        if not self.frames:
            return {}
        return {
            "film.steps": torch.tensor([self._kept.stride, *(frame.step for frame in self.frames)]),
            "film.places": torch.from_numpy(np.stack([frame.places for frame in self.frames])),
        }


def restored(tensors: dict[str, Tensor], interval: int) -> Film:
    """The film in a checkpoint's tensors; an empty one where there is none."""
    if "film.steps" not in tensors:
        return Film(interval)
    stride, *steps = tensors["film.steps"].tolist()
    places = tensors["film.places"].cpu().numpy()
    return Film(interval, tuple(Frame(step, shot) for step, shot in zip(steps, places)), stride)


def shown(frames: tuple[Frame, ...], last: np.ndarray, turn: bool) -> list[np.ndarray]:
    """Each frame's places (m, 2) float32 in [-1, 1]², sizes made equal, turned so that points move as little as can be.

    last: places (m', 2) of the same images on the map that the film ends in. turn: whether the axes mean nothing, as
    in a principal plane; then each frame is turned onto the next one, and the last one onto the map.
    """
    places, target = [], last
    for frame in reversed(frames):
        here = frame.places.astype(np.float32)
        m = min(len(here), len(target))
        if turn:
            here = ((here - here.mean(0)) @ onto(here[:m], target[:m])).astype(np.float32)
        centre, scale = framing(here)
        places.append(((here - centre) / scale).astype(np.float32))
        target = places[-1]
    return places[::-1]
