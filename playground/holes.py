"""Holes: what is hidden of a batch of images while a network learns to fill them, drawn at random on the device."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

SMALLEST = 0.05  # of the area is the smallest box, and the sparsest noise
LINES, BENDS = 6, 4  # most scratches, and the knots of each
BROAD = 10  # a scratch is at most this part of the smaller side broad
LETTER, SMALL = 6, 8  # a letter is a sixth of the smaller side tall, at least 8 pixels
CELLS = 8  # cells in the height of a letter


def _uniform(rng: Generator, low: float, high: float, *shape: int) -> Tensor:
    return torch.empty(shape, device=rng.device).uniform_(low, high, generator=rng)


def box(count: int, height: int, width: int, share: float, rng: Generator) -> Tensor:
    """A rectangle of up to `share` of the area, from half to twice as tall as wide, anywhere: bool (count, h, w)."""
    area = _uniform(rng, min(SMALLEST, share), share, count) * height * width
    tall = (area * torch.exp(_uniform(rng, -0.7, 0.7, count)) * height / width).sqrt().round().clamp(1, height)
    wide = (area / tall).round().clamp(1, width)
    top = (_uniform(rng, 0, 1, count) * (height - tall + 1)).floor()
    left = (_uniform(rng, 0, 1, count) * (width - wide + 1)).floor()
    rows, columns = torch.arange(height, device=rng.device), torch.arange(width, device=rng.device)
    return _between(rows, top, tall)[:, :, None] & _between(columns, left, wide)[:, None, :]


def _between(along: Tensor, first: Tensor, length: Tensor) -> Tensor:
    return (along >= first[:, None]) & (along < (first + length)[:, None])


def half(count: int, height: int, width: int, share: float, rng: Generator) -> Tensor:
    """One of the four halves, whatever the share: bool (count, h, w)."""
    side = _uniform(rng, 0, 4, count).floor()[:, None, None]
    rows = torch.arange(height, device=rng.device)[None, :, None].expand(1, height, width)
    columns = torch.arange(width, device=rng.device)[None, None, :].expand(1, height, width)
    tall, wide = max(1, height // 2), max(1, width // 2)
    above, left = (side == 0) & (rows < tall), (side == 1) & (columns < wide)
    below, right = (side == 2) & (rows >= height - tall), (side == 3) & (columns >= width - wide)
    return above | left | below | right


def scratches(count: int, height: int, width: int, share: float, rng: Generator) -> Tensor:
    """One to six bent strokes across the image or down it, from thin as a hair to a brush's: bool (count, h, w)."""
    broad = max(1.0, min(height, width) / BROAD)
    drawn = _uniform(rng, 0, LINES, count, 1).floor() >= torch.arange(LINES, device=rng.device)
    thick = torch.where(drawn, 1 + (broad - 1) * _uniform(rng, 0, 1, count, LINES).square(), 0.0)
    steps = torch.empty(count, LINES, BENDS, device=rng.device).normal_(0, 0.15, generator=rng)
    knots = (_uniform(rng, 0, 1, count, LINES, 1) + steps.cumsum(2)).clamp(0, 1)
    down = (_uniform(rng, 0, 1, count, LINES) < 0.5)[..., None, None]
    return torch.where(down, _strokes(knots, thick, width, height).mT, _strokes(knots, thick, height, width)).any(1)


def _strokes(knots: Tensor, thick: Tensor, across: int, along: int) -> Tensor:
    """Lines through knots (n, l, k), evenly spaced along, each of its thickness: bool (n, l, across, along)."""
    places = torch.linspace(0, BENDS - 1, along, device=knots.device) if along > 1 else knots.new_zeros(1)
    before = places.floor().long().clamp(max=BENDS - 2)
    middle = torch.lerp(knots[..., before], knots[..., before + 1], places - before) * (across - 1)
    rows = torch.arange(across, device=knots.device)[:, None]
    return (rows - middle[..., None, :]).abs() < (thick / 2)[..., None, None]


def text(count: int, height: int, width: int, share: float, rng: Generator) -> Tensor:
    """Lines of something like writing, one and a half letters apart: bool (count, h, w)."""
    letter = max(SMALL, min(height, width) // LETTER)
    cell, line = max(1, letter // CELLS), round(1.5 * letter)
    down = torch.arange(height, device=rng.device) + (_uniform(rng, 0, line, count, 1)).floor()
    right = torch.arange(width, device=rng.device) + (_uniform(rng, 0, CELLS * cell, count, 1)).floor()
    written = (down % line < letter)[:, :, None] & (right % (CELLS * cell) < (CELLS - 2) * cell)[:, None, :]
    ink = _uniform(rng, 0, 1, count, -(-height // cell), -(-width // cell)) < 0.5
    return written & ink.repeat_interleave(cell, 1).repeat_interleave(cell, 2)[:, :height, :width]


def noise(count: int, height: int, width: int, share: float, rng: Generator) -> Tensor:
    """Single pixels, up to one and a half times the share of them: bool (count, h, w)."""
    chance = _uniform(rng, SMALLEST, min(1.5 * share, 0.95), count, 1, 1)
    return _uniform(rng, 0, 1, count, height, width) < chance


Drawing = Callable[[int, int, int, float, Generator], Tensor]
KINDS: dict[str, Drawing] = {"box": box, "half": half, "scratches": scratches, "text": text, "noise": noise}
MIXED = "mixed"
MIXTURE = {"box": 0.5, "half": 0.125, "scratches": 0.125, "text": 0.125, "noise": 0.125}  # how often each is drawn


def draw(kind: str, count: int, height: int, width: int, share: float, rng: Generator) -> Tensor:
    """Holes of one of KINDS, or "mixed", each image's own: bool (count, 1, height, width) on the generator's device.

    share: of the area that is hidden at most, 0 to 1, where the kind heeds it. Nothing here waits for the device.
    """
    if kind != MIXED:
        return KINDS[kind](count, height, width, share, rng)[:, None]
    which, below = _uniform(rng, 0, 1, count, 1, 1), 0.0
    hidden = torch.zeros(count, height, width, dtype=torch.bool, device=rng.device)
    for name, chance in MIXTURE.items():
        hidden |= KINDS[name](count, height, width, share, rng) & (which >= below) & (which < below + chance)
        below += chance
    return hidden[:, None]
