"""The inpaint task against sums by hand: its terms, its merge, and that what is hidden never reaches the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from playground.experiment import Training
from playground.metrics import psnr
from playground.tasks import tasks
from playground.tasks.inpaint import GREY, Inpainter, hidden, merged, rim
from playground.trainer import Session
from tests.plugins import experiment, resident

NETWORKS = ("dense", "convolutional", "unet")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 5, channels: int = 1, side: int = 16, seed: int = 0) -> Tensor:
    return torch.rand(count, channels, side, side, generator=rng(seed))


def holes(count: int = 5, side: int = 16, seed: int = 0) -> Tensor:
    return torch.rand(count, 1, side, side, generator=rng(seed)) < 0.4


def built(architecture: str = "dense", loss: str = "mse", data: str = "digits") -> Inpainter:
    made = experiment("inpaint", architecture, data, loss=loss)
    return made.build(made.data.shape)


def pixel_error(loss: str, out: float, target: float) -> float:
    if loss == "bce":
        return -(target * np.log(out) + (1 - target) * np.log(1 - out))
    return abs(out - target) if loss == "l1" else (out - target) ** 2


def touches(hole: np.ndarray, i: int, j: int) -> bool:
    """Whether pixel (i, j) of the hole has a known one among its eight neighbours."""
    h, w = hole.shape
    around = [(a, b) for a in (i - 1, i, i + 1) for b in (j - 1, j, j + 1) if 0 <= a < h and 0 <= b < w]
    return any(not hole[a, b] for a, b in around)


@pytest.mark.parametrize("loss", ["mse", "l1", "bce"])
@pytest.mark.parametrize("architecture", NETWORKS)
def test_terms_are_sums_over_the_hole_its_rim_and_the_rest(architecture, loss):
    model, x = built(architecture, loss), images()
    task = tasks["inpaint"](rim=0.7, known=0.2)
    ((side, terms),) = task.losses(model, x, x, experiment().variant, rng(3))
    seen = task.see(x, experiment().variant, rng(3))
    with torch.no_grad():
        out = model.decode(model.encode(seen)).double().numpy()
    assert side == "autoencoder" and [*terms] == ["reconstruction", "rim", "known"]
    for n in range(len(x)):
        hole = seen[n, -1].numpy() > 0
        sums = {"reconstruction": 0.0, "rim": 0.0, "known": 0.0}
        for i in range(16):
            for j in range(16):
                error = pixel_error(loss, out[n, 0, i, j], float(x[n, 0, i, j]))
                sums["reconstruction"] += error * hole[i, j]
                sums["rim"] += 0.7 * error * (hole[i, j] and touches(hole, i, j))
                sums["known"] += 0.2 * error * (not hole[i, j])
        for name, value in sums.items():
            assert float(terms[name][n].detach()) == pytest.approx(value, rel=2e-3, abs=1e-3), name


def test_the_rim_is_the_part_of_the_hole_beside_known_pixels():
    hole = torch.zeros(1, 1, 7, 8)
    hole[:, :, 1:6, 2:7] = 1
    expected = hole.clone()
    expected[:, :, 2:5, 3:6] = 0
    assert torch.equal(rim(hole), expected)
    hole[:] = 1  # nothing known, no rim
    assert not rim(hole).any()
    hole[0, 0, 0, 0] = 0
    assert rim(hole).sum() == 3 and rim(hole)[0, 0, 1, 1] == 1


@pytest.mark.parametrize("architecture", NETWORKS)
@pytest.mark.parametrize("data", ["digits", "photos"])
def test_what_is_hidden_never_reaches_the_network(architecture, data):
    model = built(architecture, data=data)
    x, hole = images(channels=model.channels), holes()
    other = torch.where(hole, images(channels=model.channels, seed=9), x)
    assert not torch.equal(x, other)
    assert torch.equal(model.fill(x, hole), model.fill(other, hole))
    assert torch.equal(hidden(x, hole), hidden(other, hole))
    spoilt = x.masked_fill(hole, torch.nan)
    assert torch.equal(model.fill(spoilt, hole), model.fill(x, hole))


@settings(max_examples=60, deadline=None)
@given(channels=st.sampled_from([1, 3]), height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 999))
def test_merging_keeps_known_pixels_bit_for_bit(channels, height, width, seed):
    x = torch.rand(2, channels, height, width, generator=rng(seed))
    hole = torch.rand(2, 1, height, width, generator=rng(seed + 1)) < 0.5
    out = torch.rand(x.shape, generator=rng(seed + 2))
    whole = merged(out, hidden(x, hole))
    where = hole.expand_as(x)
    assert torch.equal(whole[~where], x[~where]) and torch.equal(whole[where], out[where])


@pytest.mark.parametrize("architecture", NETWORKS)
def test_a_fill_depends_on_the_known_pixels_and_on_the_mask(architecture):
    model, x, hole = built(architecture), images(), holes()
    filled = model.fill(x, hole)
    assert torch.equal(filled[~hole], x[~hole])
    assert torch.equal(filled[hole], model.decode(model.encode(hidden(x, hole))).clamp(0, 1)[hole])
    other = model.fill(x.roll(1, 0), hole)
    assert not torch.equal(other[hole], filled[hole])
    wider = torch.ones_like(hole)
    assert not torch.equal(model.fill(torch.zeros_like(x), wider)[hole], model.fill(torch.zeros_like(x), hole)[hole])
    whole = model.encode(x)  # an image alone is one without a hole
    joined = model.encode(hidden(x, torch.zeros_like(hole)))
    assert all(torch.equal(a, b) for a, b in zip(whole, joined))


def test_the_held_out_figure_is_the_psnr_inside_the_hole():
    made = experiment("inpaint", epochs=1)
    session = Session(made, resident(made.data), "CPU")
    x = session.held_out[:4]
    seen = made.task.see(x, made.variant, rng(1))
    out = made.task.output(session.model, session.model.encode(seen), seen)
    errors = made.task.squared_error(out, x, seen)
    for n in range(4):
        hole = seen[n, -1].numpy() > 0
        theirs = peak_signal_noise_ratio(x[n, 0].numpy()[hole], out[n, 0].detach().numpy()[hole], data_range=1.0)
        assert psnr(float(errors[n].detach())) == pytest.approx(theirs, abs=1e-3)
    picture = made.task.picture(seen)
    assert (picture[seen[:, -1:] > 0] == GREY).all() and picture.shape == x.shape


def test_a_colour_figure_is_the_mean_over_pixels_and_channels():
    task, x = tasks["inpaint"](), images(3, channels=3)
    seen = hidden(x, holes(3))
    error = task.squared_error(torch.zeros_like(x), x, seen)
    by_hand = torch.stack([x[n][:, seen[n, -1] > 0].square().mean() for n in range(3)])
    assert torch.allclose(error, by_hand)


def test_hardly_any_hole_is_no_division_by_zero():
    task, x = tasks["inpaint"](), images(2)
    seen = hidden(x, torch.zeros(2, 1, 16, 16, dtype=torch.bool))
    assert task.squared_error(x, x, seen).tolist() == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", NETWORKS)
def test_learning_to_fill_beats_the_mean_of_what_is_known(architecture):
    """On held-out images with the same quarter hidden; the network learns the whole time from other holes."""
    made = replace(experiment("inpaint", architecture, loss="bce"), training=Training(loss="bce", rate=3e-3, batch=32))
    session = Session(made, resident(made.data), "CPU")
    x, hole = session.held_out[:60], torch.zeros(60, 1, 16, 16, dtype=torch.bool)
    hole[:, :, 5:13, 4:12] = True
    for _ in range(150):
        session.advance()
    known = (x * ~hole).sum((1, 2, 3), keepdim=True) / (~hole).sum((1, 2, 3), keepdim=True)
    mean = torch.where(hole, known.expand_as(x), x)
    ours = (session.model.fill(x, hole) - x).square().sum()
    assert ours < 0.6 * (mean - x).square().sum()
