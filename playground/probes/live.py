"""The pictures of a running session, taken a few times a second while somebody watches."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from playground.events import Still, View
from playground.images import thumbnails
from playground.probes.plane import PrincipalPlane, bounded

if TYPE_CHECKING:
    from playground.batches import Resident
    from playground.trainer import Session

SHOWN = 8
SHOWN_POINTS = 256  # where an "image" is a point of the plane, a picture needs many
LARGEST = 64  # pixels a side in the pictures sent live
THUMBNAIL = 32
DRAWN = 500


class Live:
    """What never changes (`still`) and what does (`view()`), as arrays, for one session."""

    def __init__(self, session: Session, device_name: str):
        self._session: Session = weakref.proxy(session)  # which owns this: in a circle, ended runs would stay in memory
        self._plane = PrincipalPlane()
        resident = session.resident
        count = SHOWN_POINTS if resident.shape == (1, 1, 2) else SHOWN
        self._indices = torch.from_numpy(resident.shown(count)).to(resident.device)
        self.still = Still(
            shape=resident.shape,
            steps_per_epoch=session.batches.per_epoch,
            device=device_name,
            shown=_bytes(session.held_out[self._indices]),
            thumbnails=resident.once("drawn", lambda: _drawn(resident)),
            labels=resident.held_out_labels[:DRAWN],
            classes=resident.source.classes,
            train_images=len(resident.train),
            held_out_images=len(resident.held_out),
            truth=self._truth(),
            stand_in=resident.source.stand_in,
        )

    def _truth(self) -> np.ndarray | None:
        """What the answers to the images shown should look like, where that is not the images."""
        task, clean = self._session.experiment.task, self._session.held_out[self._indices]
        truth = task.truth(self._session.target(clean, self._indices))
        return None if truth is clean else _bytes(task.shown(truth, clean))

    @torch.no_grad()
    def view(self) -> View:
        """Eight reconstructions and the places of up to 500 held-out codes, as the model is now."""
        session, task, model = self._session, self._session.experiment.task, self._session.model
        x = session.held_out
        seen = session.see(x, session.held_out_rng())
        codes = bounded(model.vector(model.encode(seen[:DRAWN])).float())
        clean, shown = x[self._indices], seen[self._indices]
        output = task.output(model, model.encode(shown), shown)
        places, spread = self._plane.project(codes)
        target = session.target(clean, self._indices)
        return View(
            step=session.step,
            seen=None if seen is x else _bytes(task.picture(shown)),
            output=_bytes(task.shown(output, clean)),
            codes=places.cpu().numpy(),
            spread=spread,
            activity=codes.abs().mean(0).cpu().numpy(),
            grades=tuple(task.grades(output, target, shown).tolist()),
        )


def _drawn(resident: Resident) -> np.ndarray:
    drawn = resident.held_out[:DRAWN].cpu().numpy()
    return thumbnails(drawn if drawn.dtype == np.uint8 else _bytes(torch.from_numpy(drawn)), THUMBNAIL)


def _bytes(images: Tensor) -> np.ndarray:
    """Images in [0, 1] to uint8, at most 64 pixels a side."""
    levels = images.clamp(0, 1).mul(255).round().to(torch.uint8).cpu().numpy()
    return thumbnails(levels, LARGEST)
