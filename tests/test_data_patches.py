"""Natural patches and the plane's known density, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from playground.data import datasets
from playground.data.patches import whitened
from playground.data.plane import CENTRES, CLASSES, SPREAD


def test_whitening_makes_every_frequency_equally_strong_where_amplitudes_fall_as_one_over_f():
    rng, side = np.random.default_rng(0), 128
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    falling = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) / np.maximum(frequency, 1 / side)).real
    power = abs(np.fft.fft2(whitened(falling))) ** 2

    def band(low, high):
        return power[(frequency > low) & (frequency <= high)].mean()

    assert band(0.02, 0.1) == pytest.approx(band(0.1, 0.2), rel=0.15)
    assert band(0.45, 0.5) < 0.1 * band(0.1, 0.2)  # what is finer than the cut-off is noise


def test_whitened_patches_have_three_deviations_between_a_tenth_and_nine():
    images = datasets["patches"](whiten=True, count=3000, size=8).load().images / 255
    assert images.min() == pytest.approx(0.1, abs=0.005) and images.max() == pytest.approx(0.9, abs=0.005)
    assert images.mean() == pytest.approx(0.5, abs=0.01) and 0.1 < images.std() < 0.14


def test_pixels_three_apart_are_alike_only_before_whitening():
    def alike(whiten):
        images = datasets["patches"](whiten=whiten, count=2000).load().images.astype(float)
        return np.corrcoef(images[..., 3:].ravel(), images[..., :-3].ravel())[0, 1]

    assert alike(False) > 0.8 and abs(alike(True)) < 0.2


@pytest.mark.parametrize("curve", sorted(CLASSES))
@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_the_score_is_the_gradient_of_the_logarithm(curve, sigma):
    plane, points = datasets["plane"](curve=curve), np.random.default_rng(0).random((50, 2))
    _, score = plane.density(points, sigma)
    for axis in (0, 1):
        step = 1e-6 * np.eye(2)[axis]
        up, down = (plane.density(points + sign * step, sigma)[0] for sign in (1, -1))
        np.testing.assert_allclose(score[:, axis], (up - down) / 2e-6, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("curve", sorted(CLASSES))
def test_the_density_is_that_of_the_points_drawn(curve):
    """The mean of Gaussians about many drawn points estimates the density smoothed by them."""
    plane, sigma = datasets["plane"](curve=curve, count=20_000), 0.05
    drawn, points = plane.load().images.reshape(-1, 2), np.random.default_rng(1).random((100, 2))
    kernels = np.exp(-np.square(points[:, None] - drawn).sum(2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    density = np.exp(plane.density(points, sigma)[0])
    error = kernels.std(1) / len(drawn) ** 0.5
    assert (abs(kernels.mean(1) - density) < 5 * error + 0.01).all()


def test_the_clusters_are_two_gaussians():
    plane, points = datasets["plane"](curve="clusters", noise=0.01), np.random.default_rng(2).random((40, 2))
    variance = SPREAD**2 + 0.01**2 + 0.03**2
    by_scipy = np.mean([multivariate_normal(centre, variance).pdf(points) for centre in CENTRES], 0)
    np.testing.assert_allclose(np.exp(plane.density(points, 0.03)[0]), by_scipy, rtol=1e-9)
