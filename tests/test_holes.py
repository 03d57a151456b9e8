"""Holes drawn for training: shapes, shares, every kind's own look, and that only the generator decides."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.holes import KINDS, MIXED, MIXTURE, draw

EVERY = (MIXED, *KINDS)
sides = st.integers(1, 70)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(EVERY), height=sides, width=sides, count=st.integers(0, 7),
       share=st.floats(0.05, 0.9), seed=st.integers(0, 10_000))
def test_holes_have_the_images_size_and_depend_on_the_generator_alone(kind, height, width, count, share, seed):
    torch.manual_seed(seed + 1)
    holes = draw(kind, count, height, width, share, rng(seed))
    torch.manual_seed(seed + 2)
    assert holes.shape == (count, 1, height, width) and holes.dtype is torch.bool
    assert torch.equal(holes, draw(kind, count, height, width, share, rng(seed)))


@pytest.mark.parametrize("kind", EVERY)
def test_another_seed_gives_other_holes_and_each_image_its_own(kind):
    holes = draw(kind, 64, 28, 28, 0.5, rng())
    assert not torch.equal(holes, draw(kind, 64, 28, 28, 0.5, rng(1)))
    assert len(torch.unique(holes.flatten(1), dim=0)) >= (4 if kind == "half" else 30)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(4, 70), width=st.integers(4, 70), share=st.floats(0.05, 0.9), seed=st.integers(0, 10_000))
def test_a_box_is_a_full_rectangle_of_at_most_the_share(height, width, share, seed):
    for hole in draw("box", 8, height, width, share, rng(seed))[:, 0]:
        rows, columns = hole.any(1), hole.any(0)
        assert hole.any() and torch.equal(hole, rows[:, None] & columns[None])
        for line in (rows, columns):  # one piece
            places = torch.nonzero(line)[:, 0]
            assert len(places) == places[-1] - places[0] + 1
        # rounding to whole pixels may add half a pixel on either side
        tall, wide = int(rows.sum()), int(columns.sum())
        assert (tall - 0.5) * (wide - 0.5) <= share * height * width or min(tall, wide) == 1


def test_the_largest_boxes_reach_the_share_and_lie_anywhere():
    boxes = draw("box", 4000, 40, 40, 0.4, rng())[:, 0].float()
    shares = boxes.mean((1, 2))
    assert 0.38 < shares.max() <= 0.42 and shares.min() < 0.07
    often = boxes.mean(0)
    assert often.min() > 0  # every pixel is hidden at times, corners included
    assert torch.allclose(often, often.flip(0), atol=0.05) and torch.allclose(often, often.flip(1), atol=0.05)


@pytest.mark.parametrize("height, width", [(8, 8), (9, 14), (1, 2), (2, 1), (1, 1)])
def test_a_half_is_one_of_four(height, width):
    tall, wide = max(1, height // 2), max(1, width // 2)
    halves: set[bytes] = set()
    for side, length in ((0, tall), (1, wide)):
        for first in (True, False):
            half = torch.zeros(height, width, dtype=torch.bool)
            half.narrow(side, 0 if first else (height, width)[side] - length, length).fill_(True)
            halves.add(half.numpy().tobytes())
    found = {hole.numpy().tobytes() for hole in draw("half", 200, height, width, 0.1, rng())}
    assert found == halves


def test_noise_hides_single_pixels_up_to_half_more_than_the_share():
    shares = draw("noise", 2000, 32, 32, 0.4, rng()).float().mean((1, 2, 3))
    assert 0.55 < shares.max() < 0.66 and shares.min() < 0.08
    assert abs(shares.mean() - (0.05 + 0.6) / 2) < 0.02
    assert draw("noise", 500, 32, 32, 0.9, rng()).float().mean((1, 2, 3)).max() < 1  # something always stays


@pytest.mark.parametrize("kind, least, most", [("scratches", 0.01, 0.45), ("text", 0.1, 0.4)])
@pytest.mark.parametrize("side", [16, 28, 96])
def test_scratches_and_text_hide_some_and_never_nearly_all(kind, least, most, side):
    holes = draw(kind, 500, side, side, 0.5, rng()).float().mean((1, 2, 3))
    assert holes.min() > 0 and least < holes.mean() < most and holes.max() < 0.8


def test_a_scratch_crosses_the_image():
    for hole in draw("scratches", 200, 32, 48, 0.5, rng())[:, 0]:
        assert hole.any(1).all() or hole.any(0).all()


def test_mixed_draws_each_kind_as_often_as_it_says():
    """Each image has the hole of one kind: with one generator, every kind is drawn as draw() of it alone would."""
    assert sum(MIXTURE.values()) == pytest.approx(1) and [*MIXTURE] == [*KINDS]
    holes = draw(MIXED, 4000, 16, 16, 0.5, rng())[:, 0]
    rows, columns = holes.any(2), holes.any(1)
    full = (holes == rows[:, :, None] & columns[:, None, :]).flatten(1).all(1) & holes.any((1, 2))
    # boxes and halves are full rectangles, hardly any other hole of this size is
    assert abs(full.float().mean() - MIXTURE["box"] - MIXTURE["half"]) < 0.05
    halved = torch.stack([h.sum() == 128 for h in holes]) & full
    assert abs(halved.float().mean() - MIXTURE["half"]) < 0.04
    assert holes.any((1, 2)).float().mean() > 0.98
