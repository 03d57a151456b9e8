"""The U-Net paper's own parts: deformation, parts of slices, averaging over turns, and the pixel error."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.papers.membranes import CROPS, DISPLACED, KEPT_OUT, SIDE, Membranes, deformed, slices
from benchmarks.papers.unet2015 import pixel_error, predicted, wrong
from playground.events import Trouble
from tests.plugins import real_datasets


class Fixed:
    """A generator whose displacements are those given."""

    def __init__(self, values):
        self.values = np.asarray(values, float)

    def normal(self, mean, spread, shape):
        assert (mean, spread, shape) == (0, DISPLACED, (2, 3, 3))
        return np.broadcast_to(self.values, shape)


def test_a_deformation_of_nothing_changes_nothing_and_a_shift_shifts():
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 256, (64, 64), np.uint8), rng.integers(0, 2, (64, 64), np.uint8)
    same = deformed(image, mask, Fixed(0))
    assert np.array_equal(same[0], image) and np.array_equal(same[1], mask)
    down, right = 3, 5
    moved = deformed(image, mask, Fixed([[[down]], [[right]]]))
    for out, whole in zip(moved, (image, mask)):
        assert np.array_equal(out[: 64 - down, : 64 - right], whole[down:, right:])


def test_image_and_mask_are_deformed_alike_by_what_the_grid_says():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None], 256, 0)
    grid = np.zeros((2, 3, 3))
    grid[1] = np.random.default_rng(0).normal(0, DISPLACED, (3, 3))
    image, mask = deformed(ramp, (ramp > 127).astype(np.uint8), Fixed(grid))
    for i, j in np.ndindex(3, 3):  # at its points the displacement is the grid's own, where the ramp goes on
        y, x = (min(round(k * 127.5), 255) for k in (i, j))
        if 2 < x + grid[1, i, j] < 253:
            assert float(image[y, x]) == pytest.approx(x + grid[1, i, j], abs=1.5)
    assert ((image > 127) == mask).mean() > 0.99


@pytest.mark.slow
def test_parts_to_learn_from_and_slices_kept_out_are_of_different_slices():
    real_datasets()
    found, (images, masks) = Membranes(count=2 * CROPS).load(), slices()
    assert found.images.shape[1:] == Membranes().shape and found.images.shape[2:] == found.masks.shape[1:]
    assert len(found.train) == 2 * CROPS and len(found.held_out) == 9 * KEPT_OUT
    first = found.held_out[0]
    assert np.array_equal(found.images[first, 0], images[-KEPT_OUT, :SIDE, :SIDE])
    assert np.array_equal(found.masks[first], masks[-KEPT_OUT, :SIDE, :SIDE]) and 0.1 < found.masks.mean() < 0.4
    again = Membranes(count=2 * CROPS).load()
    assert np.array_equal(again.images, found.images) and np.array_equal(again.masks, found.masks)


def test_without_the_slices_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PLAYGROUND_DATASETS", str(tmp_path))
    with pytest.raises(Trouble, match="PLAYGROUND_DATASETS"):
        slices()


def test_turns_are_turned_back_and_averaged():
    class Reads(torch.nn.Module):
        """Says the picture itself, a little brighter to the right, which an average over all turns makes even."""

        def __init__(self):
            super().__init__()
            self.nothing = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            bias = torch.linspace(-0.2, 0.2, x.shape[-1])
            return torch.cat([1 - x, x + bias], 1)

    image = np.random.default_rng(0).integers(0, 256, (80, 80), np.uint8)
    assert np.abs(predicted(Reads(), image, 1) - image / 255).max() > 0.03
    assert np.abs(predicted(Reads(), image, 8) - image / 255).max() < 1e-5


def test_the_pixel_error_is_of_the_inside_of_cells_at_its_best_threshold():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    masks = (rng.random((3, 40, 40)) < 0.2).astype(np.uint8)
    said = np.clip(0.3 * masks + rng.random(masks.shape) * 0.6, 0, 1).astype(np.float32)
    scores = [f1_score(masks.ravel() == 0, (1 - said).ravel() > at / 10, zero_division=0) for at in range(11)]
    assert pixel_error(said, masks) == pytest.approx(1 - max(scores)) and np.argmax(scores) not in (0, 10)
    assert pixel_error(masks.astype(np.float32), masks) == 0
    share = masks.mean()  # all called interior
    assert pixel_error(np.zeros(masks.shape), masks) == pytest.approx(1 - 2 * (1 - share) / (2 - share))


def test_the_share_of_wrong_pixels():
    masks = np.random.default_rng(0).integers(0, 2, (3, 40, 40)).astype(np.uint8)
    assert wrong(masks.astype(np.float32), masks) == 0 and wrong(1.0 - masks, masks) == 1
    assert wrong(np.zeros(masks.shape), masks) == pytest.approx(masks.mean())
