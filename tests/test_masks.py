"""Masks and the classical fills: what they hide, and the libraries called directly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.restoration import inpaint_biharmonic

from playground import classical, masks
from playground.data import datasets

SIDES = st.integers(1, 40)


def photo(channels: int, height: int, width: int) -> np.ndarray:
    """Part of a photograph."""
    image = datasets["photos"](size=96, colour=channels == 3, count=100).load().images[3]
    return np.ascontiguousarray(image[:, :height, :width])


class TestMasks:
    @pytest.mark.parametrize("kind", masks.KINDS)
    @settings(deadline=None, max_examples=20)
    @given(height=SIDES, width=SIDES, seed=st.integers(0, 2**31))
    def test_any_size_and_the_same_again(self, kind, height, width, seed):
        mask = masks.draw(kind, height, width, seed)
        assert mask.shape == (height, width) and mask.dtype == bool
        assert (mask == masks.draw(kind, height, width, seed)).all()
        assert mask.view(np.uint8).max(initial=0) <= 1  # scikit-image trips over booleans made of other bytes

    @pytest.mark.parametrize("kind", masks.KINDS)
    def test_hides_some_and_leaves_some_otherwise_each_time(self, kind):
        drawn = [masks.draw(kind, 64, 48, seed) for seed in range(8)]
        assert all(0.01 < mask.mean() < 0.75 for mask in drawn)
        assert len({mask.tobytes() for mask in drawn}) > 2

    def test_a_box_is_a_quarter_and_a_half_is_one_of_four(self):
        assert {masks.draw("box", 32, 32, seed).sum() for seed in range(20)} == {256}
        halves = {masks.draw("half", 32, 32, seed).tobytes() for seed in range(40)}
        assert len(halves) == 4 and all(np.frombuffer(half, bool).sum() == 512 for half in halves)

    def test_an_unknown_kind_names_the_known_ones(self):
        with pytest.raises(ValueError, match="scratches"):
            masks.draw("hole", 8, 8, 0)

    @settings(deadline=None, max_examples=50)
    @given(st.data())
    def test_scaled_hides_all_that_touches_what_was_hidden(self, data):
        h, w, height, width = (data.draw(SIDES) for _ in range(4))
        mask = np.zeros((h, w), bool)
        y, x = data.draw(st.integers(0, h - 1)), data.draw(st.integers(0, w - 1))
        mask[y, x] = True
        large = masks.scaled(mask, height, width)
        rows = [i * h < (y + 1) * height and (i + 1) * h > y * height for i in range(height)]
        columns = [j * w < (x + 1) * width and (j + 1) * w > x * width for j in range(width)]
        assert (large == np.outer(rows, columns)).all() and large.any()

    def test_shrunk_is_the_mean_of_what_is_known(self):
        pictures = np.random.default_rng(0).integers(0, 256, (2, 3, 7, 10), np.uint8)
        mask = masks.draw("noise", 7, 10, 1)
        mask[:3, :3] = True
        small, hidden = masks.shrunk(pictures, mask, 3)
        assert small.shape == (2, 3, 3, 4) and hidden.shape == (3, 4) and hidden[0, 0]
        for i, j in np.ndindex(3, 4):
            cell = (slice(3 * i, 3 * i + 3), slice(3 * j, 3 * j + 3))
            known = ~mask[cell]
            assert hidden[i, j] == (not known.any())
            if known.any():
                assert (small[:, :, i, j] == np.round(pictures[:, :, *cell][:, :, known].mean(-1))).all()


class TestClassical:
    @pytest.mark.parametrize("channels", [1, 3])
    @pytest.mark.parametrize("kind", masks.KINDS)
    @pytest.mark.slow
    def test_equal_to_the_libraries(self, channels, kind):
        image, mask = photo(channels, 40, 48), masks.draw(kind, 40, 48, 5)
        plain = image.transpose(1, 2, 0)
        blank = np.where(mask[..., None], plain[~mask].mean(0).round(), plain).astype(np.uint8)
        opencv = cv2.inpaint(blank, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
        assert (classical.telea(image, mask) == opencv.reshape(plain.shape).transpose(2, 0, 1)).all()
        smooth = inpaint_biharmonic(plain / 255, mask, channel_axis=-1).transpose(2, 0, 1) * 255
        assert np.abs(classical.biharmonic(image, mask) - smooth).max() < 1

    @pytest.mark.parametrize("name", classical.FILLS)
    @settings(deadline=None, max_examples=40)
    @given(height=SIDES, width=SIDES, channels=st.sampled_from([1, 3]), kind=st.sampled_from(masks.KINDS),
           seed=st.integers(0, 999))
    def test_known_pixels_stay_as_they_are(self, name, height, width, channels, kind, seed):
        image = np.random.default_rng(seed).integers(0, 256, (channels, height, width), np.uint8)
        mask = masks.draw(kind, height, width, seed)
        filled = classical.FILLS[name](image, mask)
        assert filled.shape == image.shape and filled.dtype == np.uint8
        assert (filled[:, ~mask] == image[:, ~mask]).all()

    @pytest.mark.parametrize("name", classical.FILLS)
    def test_nothing_and_everything_hidden(self, name):
        image, fill = photo(3, 24, 24), classical.FILLS[name]
        assert (fill(image, np.zeros((24, 24), bool)) == image).all()
        assert (fill(image, np.ones((24, 24), bool)) == 128).all()

    def test_a_large_hole_is_solved_smaller_and_still_smooth(self):
        y, x = np.mgrid[:300, :400]
        image = (0.3 * x + 0.2 * y + 40).astype(np.uint8)[None]
        mask = np.zeros((300, 400), bool)
        mask[50:250, 80:300] = True
        assert classical.reduction(mask) == 2
        filled = classical.biharmonic(np.where(mask, 0, image).astype(np.uint8), mask)
        assert (filled[:, ~mask] == image[:, ~mask]).all()
        assert np.abs(filled.astype(int) - image)[:, mask].max() <= 3  # a plane is biharmonic: its own fill
