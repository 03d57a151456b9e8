"""The photographs: where their patches come from, and what may be done to those that are learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from playground.data import datasets
from playground.data import photos as photographs


def test_held_out_patches_come_from_other_parts_of_the_photographs(monkeypatch):
    """In photographs whose every field has its own red, no red is seen both in training and held out."""
    height, width, grid = 300, 450, photographs.GRID
    fields = np.arange(height)[:, None] * grid // height * grid + np.arange(width) * grid // width
    noise = np.random.default_rng(0).integers(256, size=(2, height, width))
    painted = np.stack([fields * 20, *noise]).astype(np.uint8)
    monkeypatch.setattr(photographs, "photograph", lambda name: painted)
    images = datasets["photos"](count=1000, seed=5).load()
    red = images.images[:, 0].reshape(1000, -1)
    assert (red.max(1) == red.min(1)).all()
    for photo in range(len(photographs.PHOTOS)):
        seen = [set(red[part[images.labels[part] == photo], 0] // 20) for part in (images.train, images.held_out)]
        assert [len(part) for part in seen] == [7, 2] and not seen[0] & seen[1]


def test_the_photographs_are_scikit_learns():
    from sklearn.datasets import load_sample_image

    for name, file in (("temple", "china.jpg"), ("flower", "flower.jpg")):
        assert np.array_equal(photographs.photograph(name).transpose(1, 2, 0), load_sample_image(file))


@pytest.mark.slow
def test_varied_photographs_train_on_more_and_hold_out_the_same_fields():
    plain, varied = (datasets["photos"](count=2000, varied=it).load() for it in (False, True))
    assert (plain.held_out == varied.held_out).all()
    lean = lambda found, part: np.ptp([  # noqa: E731
        found.images[part, :, half].mean() for half in (slice(16), slice(16, None))
    ])
    assert lean(plain, plain.train) > 8 and lean(varied, varied.train) < 3  # light is above
    assert lean(varied, varied.held_out) > 3
