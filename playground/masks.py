"""Masks: which pixels of an image are hidden; drawn by kind and seed, brought to another size, shrunk with an image."""

from __future__ import annotations

import numpy as np

KINDS = ("box", "half", "scratches", "text", "noise")
BOX = 0.25  # of the area is what a box hides, so half of each side
NOISE = 0.5  # of the pixels are hidden by noise
WORDS = "What is hidden here is to be found again from what is left of the picture around it. "


def draw(kind: str, height: int, width: int, seed: int) -> np.ndarray:
    """A mask (height, width) of one of KINDS, bool, True = hidden; equal seeds draw equal masks.

    box: a quarter of the area at a random place. half: one of the four halves. scratches: a few thin lines. text: lines
    of writing. noise: every pixel with probability one half. ValueError for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"no mask is called {kind!r}; there are {', '.join(KINDS)}")
    return _DRAWN[kind](height, width, np.random.default_rng([seed, KINDS.index(kind)]))


def _box(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    tall, wide = max(1, round(height * BOX**0.5)), max(1, round(width * BOX**0.5))
    top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
    mask = np.zeros((height, width), bool)
    mask[top : top + tall, left : left + wide] = True
    return mask


def _half(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    side, mask = rng.integers(4), np.zeros((height, width), bool)
    if side < 2:
        mask[: max(1, height // 2)] = True
    else:
        mask[:, : max(1, width // 2)] = True
    return np.ascontiguousarray(np.flip(mask, (0, 1))) if side % 2 else mask


def _scratches(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Some lines from edge to edge, with a bend, a fortieth of the smaller side thick."""
    from PIL import Image, ImageDraw

    picture = Image.new("1", (width, height))
    pen, thick = ImageDraw.Draw(picture), max(1, round(min(height, width) / 40))
    for _ in range(rng.integers(4, 8)):
        across = rng.integers(2)
        along = np.linspace(-0.1, 1.1, 4)
        places = np.clip(rng.random() + np.cumsum(rng.normal(0, 0.15, 4)), 0, 1)
        points = [(a * width, p * height) if across else (p * width, a * height) for a, p in zip(along, places)]
        pen.line(points, fill=1, width=thick)
    return _drawn(picture)


def _text(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Writing over all of the picture, in letters of about a sixth of its height, at least as large as can be read."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("1", (width, height))
    pen, size = ImageDraw.Draw(picture), max(8, min(height, width) // 6)
    font = ImageFont.load_default(size)
    at = int(rng.integers(len(WORDS)))
    endless = (WORDS[at:] + WORDS[:at]) * (2 + width // size // 8)
    line, top = round(1.5 * size), int(rng.integers(-size // 2, size // 2 + 1))
    for row, y in enumerate(range(top, height, line)):
        pen.text((-(row % 3) * size, y), endless[row * 7 % len(WORDS) :], fill=1, font=font)
    return _drawn(picture)


def _drawn(picture) -> np.ndarray:
    """What is white in a Pillow image of mode 1; asked for its array, that gives booleans made of 255, no good in C."""
    return np.array(picture.convert("L")) > 0


def _noise(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    return rng.random((height, width)) < NOISE


_DRAWN = {"box": _box, "half": _half, "scratches": _scratches, "text": _text, "noise": _noise}


def pictured(picture: np.ndarray) -> np.ndarray:
    """The mask (h, w) that a picture (c, h, w) uint8 is of: what is brighter than half is hidden."""
    return picture.mean(0) > 127.5


def scaled(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """A mask (h, w) brought to (height, width): hidden is every pixel that touches a hidden one."""
    return mask if mask.shape == (height, width) else _touched(_touched(mask, height).T, width).T


def _touched(mask: np.ndarray, count: int) -> np.ndarray:
    """A mask (n, m) brought to (count, m): each row is hidden where any of those is that it overlaps."""
    n = len(mask)
    starts = np.arange(count) * n // count
    stops = -(-np.arange(1, count + 1) * n // count)
    below = np.zeros((1, mask.shape[1]), bool)  # since the last stop is n
    return np.logical_or.reduceat(np.concatenate([mask, below]), np.stack([starts, stops], 1).ravel(), 0)[::2]


def shrunk(pictures: np.ndarray, mask: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (m, c, h, w) uint8 and their mask (h, w) made smaller by a whole factor, sides rounded up.

    Each pixel is the mean of the known pixels it stands for; hidden is the one that stands for none. What lies under
    the mask reaches no pixel.
    """
    h, w = mask.shape
    rows, columns = np.arange(0, h, factor), np.arange(0, w, factor)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(values, rows, -2, dtype=np.int64), columns, -1)

    known = sums(~mask)
    means = sums(np.where(mask, 0, pictures)) / np.maximum(known, 1)
    return np.round(means).astype(np.uint8), known == 0
