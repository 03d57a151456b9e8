"""Tiles: nothing is lost, nothing shows where they meet."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.data import datasets
from playground.patchwork import Patchwork, even
from playground.probes import sizes, tiles
from tests.plugins import experiment


def patchwork(make, size=(16, 16), notes=None):
    async def here(do):
        return do()

    def steps(x, known):
        yield
        return make(x, known)

    return Patchwork(here, torch.device("cpu"), size, steps, [] if notes is None else notes)


def over(make, pictures, mask=None, size=(16, 16), report=lambda fraction: None):
    return asyncio.run(patchwork(make, size).over(pictures, mask, report))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


@given(length=st.integers(1, 300), side=st.integers(1, 40))
def test_tiles_cover_all_and_share_half(length, side):
    length = max(length, side)
    begins = tiles.starts(length, side)
    assert begins[0] == 0 and begins[-1] == length - side
    steps = np.diff(begins)
    assert (steps >= 1).all() and (steps <= max(1, side - side // 2)).all()


@settings(deadline=None, max_examples=40)
@given(h=st.integers(16, 70), w=st.integers(16, 70), c=st.sampled_from([1, 3]))
def test_the_picture_itself_comes_back(h, w, c):
    picture = noise(2, c, h, w)
    out = over(lambda x, known: x, picture)
    assert out.dtype == np.float32 and np.abs(out * 255 - picture).max() < 1e-3


@pytest.mark.parametrize("h, w", [(5, 9), (16, 9), (40, 10)])
def test_smaller_pictures_are_enlarged_and_brought_back(h, w):
    picture = sizes.resized(noise(1, 1, 4, 4), h, w)
    notes = []
    out = asyncio.run(patchwork(lambda x, known: x, notes=notes).over(picture, None))
    assert out.shape == picture.shape and np.abs(out * 255 - picture).mean() < 6
    assert f"from {w} × {h} to" in notes[0]


def test_a_picture_of_the_models_size_is_what_the_model_makes_of_it():
    model = experiment().build((1, 16, 16)).eval()
    picture = noise(3, 1, 16, 16)
    with torch.no_grad():
        direct = model(torch.from_numpy(picture).float() / 255).clamp(0, 1).numpy()
        assert (over(lambda x, known: model(x).clamp(0, 1), picture) == direct).all()


def test_between_two_flat_tiles_lies_a_smooth_ramp():
    """Closed form: where tiles of levels a and b share 8 pixels, a + (b - a) sin²."""
    picture = np.zeros((1, 1, 16, 24), np.uint8)
    picture[..., 12:] = 255
    out = over(lambda x, known: x.mean((1, 2, 3), keepdim=True).expand_as(x), picture)[0, 0]
    levels = 0.25, 0.75  # the mean of columns 0 to 15, 8 to 23: 4 and 12 of 16 are white
    ramp = levels[0] + 0.5 * np.sin(np.pi / 32 * np.arange(1, 17, 2)) ** 2
    row = np.r_[np.full(8, levels[0]), ramp, np.full(8, levels[1])]
    assert np.allclose(out, row, atol=1e-6)


def test_no_seams_where_tiles_meet():
    """A linear autoencoder of rank 6 on a photograph, beside the mean of its tiles at every place, free of seams."""
    picture = datasets["photos"](size=96, colour=False, count=100).load().images[3:4]
    windows = np.lib.stride_tricks.sliding_window_view(picture[0, 0] / np.float32(255), (16, 16))
    everywhere = windows.reshape(-1, 256)
    mean, directions = everywhere.mean(0), np.linalg.eigh(np.cov(everywhere.T))[1][:, -6:]
    reproduced = ((everywhere - mean) @ directions @ directions.T + mean).reshape(81, 81, 16, 16)
    smooth, count = np.zeros((96, 96)), np.zeros((96, 96))
    for y, x in np.ndindex(16, 16):
        smooth[y : y + 81, x : x + 81] += reproduced[:, :, y, x]
        count[y : y + 81, x : x + 81] += 1
    smooth /= count
    cut = reproduced[::16, ::16].transpose(0, 2, 1, 3).reshape(96, 96)  # side by side
    basis, middle = (torch.from_numpy(array.astype(np.float32)) for array in (directions, mean))
    tiled = over(lambda x, _: ((x.flatten(1) - middle) @ basis @ basis.T + middle).view_as(x), picture)[0, 0]

    def seams(image: np.ndarray, begins: np.ndarray) -> float:
        """How much larger the steps into these columns are than all others."""
        steps = np.abs(np.diff(image, axis=1)).mean(0)
        return steps[begins - 1].mean() / np.delete(steps, begins - 1).mean()

    borders = np.arange(8, 96, 8)  # tiles begin or end here
    assert seams(cut, borders[1::2]) > 1.5
    assert seams(tiled, borders) < 1.1 * seams(smooth, borders) < 1.3
    assert np.abs(tiled - smooth).mean() < 0.7 * np.abs(cut - smooth).mean()


class TestFill:
    def test_only_tiles_at_the_hole_are_asked_for_and_what_they_hide_is_right(self):
        picture, mask = noise(1, 1, 64, 64), np.zeros((64, 64), bool)
        mask[30:33, 40:44] = True
        seen = []

        def make(x, known):
            seen.append((x, known))
            return torch.where(known, x, -1.0)

        out = over(make, picture, mask)
        assert (out[0, 0] == -1).tolist() == mask.tolist()
        assert np.allclose(out[0, 0][~mask], picture[0, 0][~mask] / 255, atol=1e-6)
        x, known = seen[0]
        assert len(seen) == 1 and 1 <= len(x) <= 9 and known.shape == (len(x), 1, 16, 16)

    def test_a_hole_larger_than_tiles_is_filled_from_its_rim(self):
        """A model that gives the mean of what it knows: on a flat picture every hole gets its level."""
        picture, mask = np.full((1, 3, 120, 90), 90, np.uint8), np.zeros((120, 90), bool)
        mask[10:110, 10:80] = True
        picture[:, :, mask] = 255  # what is hidden must not be seen

        def make(x, known):
            mean = (x * known).sum((1, 2, 3)) / (known.expand_as(x).sum((1, 2, 3))).clamp_min(1)
            assert known.flatten(1).any(1).all()  # no tile is asked to make up everything
            return torch.where(known, x, mean[:, None, None, None])

        out = asyncio.run(patchwork(make).fill(picture, mask))
        assert np.abs(out[:, :, mask] * 255 - 90).max() < 1

    def test_everything_hidden_is_asked_at_once_on_the_smallest(self):
        calls = []

        def make(x, known):
            calls.append(known.any().item())
            return torch.full_like(x, 0.5)

        out = asyncio.run(patchwork(make).fill(noise(1, 1, 50, 40), np.ones((50, 40), bool)))
        assert calls[0] is False and np.allclose(out, 0.5, atol=0.01)


def test_the_fraction_grows_to_one():
    told = []
    over(lambda x, known: x, noise(1, 1, 200, 200), report=told.append)
    assert len(told) > 2 and told == sorted(told) and told[-1] == 1.0


class TestChannels:
    def test_grey_models_get_each_channel(self):
        image = noise(3, 6, 5)
        batch, note = sizes.for_model(image, 1)
        assert batch.shape == (3, 1, 6, 5) and "grey" in note
        assert (sizes.from_model(batch / 255, image) == image).all()

    def test_colour_models_get_grey_thrice(self):
        image = noise(1, 6, 5)
        batch, note = sizes.for_model(image, 3)
        assert batch.shape == (1, 3, 6, 5) and "grey" in note
        assert (sizes.from_model(batch / 255, image) == image).all()

    @pytest.mark.parametrize("c", [1, 3])
    def test_equal_channels_stay(self, c):
        image = noise(c, 6, 5)
        batch, note = sizes.for_model(image, c)
        assert not note and (sizes.from_model(batch / 255, image) == image).all()


@pytest.mark.parametrize("size, portion", [(0.2, 1), (1, 1), (3.9, 2), (32, 32), (63, 32), (64.5, 64), (2048, 2048)])
def test_portions_come_in_few_sizes(size, portion):
    assert even(size) == portion
