"""Losses, penalties and corruptions against closed forms, autograd and SciPy."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from scipy.special import rel_entr
from sklearn.decomposition import PCA

from playground import losses
from playground.architectures import architectures
from playground.batches import Resident, to_unit
from playground.corruption import CORRUPTIONS
from playground.events import Allowance
from playground.experiment import Experiment
from playground.layers import ACTIVATIONS
from playground.model import Autoencoder
from playground.trainer import Session, train


def test_reconstruction_losses_of_each_value_and_of_images():
    rng = np.random.default_rng(0)
    x, logits = rng.random((5, 1, 4, 3)), rng.normal(size=(5, 1, 4, 3))
    out = 1 / (1 + np.exp(-logits))
    t = torch.from_numpy
    by_hand = {"mse": (out - x) ** 2, "l1": abs(out - x), "bce": -(x * np.log(out) + (1 - x) * np.log(1 - out))}
    np.testing.assert_allclose(losses.squared_error(t(out), t(x)), by_hand["mse"])
    np.testing.assert_allclose(losses.absolute_error(t(out), t(x)), by_hand["l1"])
    np.testing.assert_allclose(losses.cross_entropy(t(logits), t(x)), by_hand["bce"])
    encoder, decoder = architectures["dense"](code=6, depth=1).build((1, 4, 3), "linear")
    for name, values in by_hand.items():
        model = Autoencoder(encoder, decoder, loss=name).double()
        model.decoder = torch.nn.Identity()  # so that the code is the logits of the output
        np.testing.assert_allclose(model.reconstruction_error(t(logits), t(x)), values.sum((1, 2, 3)))


def test_cross_entropy_is_finite_where_a_sigmoid_saturates():
    assert losses.cross_entropy(torch.tensor([[500.0]]), torch.tensor([[0.0]])).item() == pytest.approx(500)


@pytest.mark.parametrize("rho", [0.001, 0.005, 0.05, 0.3, 0.5])
def test_sparsity_is_the_kl_divergence(rho):
    rho_hat = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)
    q = rho_hat.numpy()
    by_scipy = rel_entr(rho, q) + rel_entr(1 - rho, 1 - q)
    np.testing.assert_allclose(losses.kl_sparsity(rho_hat, rho), by_scipy, rtol=1e-10, atol=1e-14)
    at_target = losses.kl_sparsity(torch.tensor([rho], dtype=torch.float64), rho)
    assert at_target.item() == pytest.approx(0, abs=1e-12)


def test_the_gradient_of_sparsity_is_the_lectures():
    rho, rho_hat = 0.05, torch.rand(20, dtype=torch.float64).mul(0.9).add(0.05).requires_grad_()
    losses.kl_sparsity(rho_hat, rho).sum().backward()
    q = rho_hat.detach()
    torch.testing.assert_close(rho_hat.grad, -rho / q + (1 - rho) / (1 - q))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sparsity_is_finite_for_dead_and_stuck_neurons(dtype):
    rho_hat = torch.tensor([0.0, 1e-30, 1 - 1e-9, 1.0], dtype=dtype, requires_grad=True)
    penalty = losses.kl_sparsity(rho_hat, 0.005)
    penalty.sum().backward()
    assert penalty.isfinite().all() and (penalty > 0).all()
    assert rho_hat.grad.isfinite().all()


MOMENTS = {  # kind -> mean and variance of a pixel of value x at level s
    "gaussian": (lambda x, s: x, lambda x, s: s**2),
    "masking": (lambda x, s: x * (1 - s), lambda x, s: x**2 * s * (1 - s)),
    "salt-and-pepper": (
        lambda x, s: (1 - s) * x + s / 2,
        lambda x, s: (1 - s) * x**2 + s / 2 - ((1 - s) * x + s / 2) ** 2,
    ),
    "speckle": (lambda x, s: x, lambda x, s: (x * s) ** 2),
}


@pytest.mark.parametrize("kind", sorted(MOMENTS))
@pytest.mark.parametrize("level", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_corruptions_have_their_mean_and_variance(kind, level, value):
    x = torch.full((50, 1, 40, 50), value)
    out = CORRUPTIONS[kind](x, level, torch.Generator().manual_seed(3)).double()
    mean, variance = (moment(value, level) for moment in MOMENTS[kind])
    assert out.mean().item() == pytest.approx(mean, abs=5 * math.sqrt(max(variance, 1e-12) / x.numel()) + 1e-6)
    assert out.var().item() == pytest.approx(variance, rel=0.03, abs=1e-6)


@pytest.mark.parametrize("level", [0.0, 0.25, 0.5, 1.0])
def test_block_hides_one_rectangle_of_its_share(level):
    x = torch.ones(200, 1, 20, 12)
    out = CORRUPTIONS["block"](x, level, torch.Generator().manual_seed(0))
    hidden = out == 0
    tall, wide = round(20 * level**0.5), round(12 * level**0.5)
    assert (hidden.flatten(1).sum(1) == tall * wide).all()
    if 0 < level < 1:
        assert (hidden.any(3).sum(2) == tall).all() and (hidden.any(2).sum(2) == wide).all()
        assert hidden[:, 0].float().mean(0)[0, 0] > 0  # the corners are reached


@pytest.mark.parametrize("level", [0.2, 0.5, 0.8])
def test_a_block_has_its_mean_and_variance_at_every_pixel(level):
    """A pixel is hidden with the share p of the places that cover it: mean x (1 - p), variance x² p (1 - p)."""
    height, width, value, count = 7, 5, 0.6, 20_000
    out = CORRUPTIONS["block"](torch.full((count, 1, height, width), value), level, torch.Generator().manual_seed(0))
    rows, columns = (_covered(side, round(side * level**0.5)) for side in (height, width))
    hidden = np.outer(rows, columns)
    error = 5 * value * np.sqrt(hidden * (1 - hidden) / count) + 1e-6
    assert (abs(out.double().mean(0)[0].numpy() - value * (1 - hidden)) < error).all()
    np.testing.assert_allclose(out.double().var(0)[0], value**2 * hidden * (1 - hidden), rtol=0.06, atol=2e-4)


def _covered(side: int, length: int) -> np.ndarray:
    """The share of the places of a stretch of `length` that cover each of the `side` pixels, counted one by one."""
    places = range(side - length + 1)
    return np.array([sum(place <= i < place + length for place in places) for i in range(side)]) / len(places)


@pytest.mark.parametrize("kind", sorted(CORRUPTIONS))
def test_corruptions_are_drawn_by_their_generator_alone(kind):
    x = torch.rand(3, 2, 9, 9)
    draw = lambda seed: CORRUPTIONS[kind](x, 0.5, torch.Generator().manual_seed(seed))  # noqa: E731
    torch.manual_seed(0)
    first = draw(1)
    torch.manual_seed(99)
    assert torch.equal(first, draw(1))
    assert not torch.equal(first, draw(2))
    assert not torch.equal(first, x)


def test_every_activation_offered_exists():
    from playground.architectures.dense import ACTIVATION_CHOICES

    assert set(ACTIVATION_CHOICES) <= set(ACTIVATIONS)


@pytest.mark.slow
def test_undercomplete_and_linear_meets_pca():
    """Baldi & Hornik 1989: the least squared error of a linear autoencoder is PCA's, and so is its subspace."""
    made, problems = Experiment.from_query(
        "data.size=8&architecture.depth=1&architecture.code=3&architecture.output=linear&variant=undercomplete"
        "&training.batch=4096&training.rate=0.05&training.schedule=cosine&training.epochs=900"
    )
    assert not problems
    images = Resident(made.data.load(), torch.device("cpu"))
    session = Session(made, images, "CPU")
    events = train(session)
    next(events)
    with suppress(StopIteration):
        while True:
            events.send(Allowance(seconds=60, steps=math.inf))
    x = to_unit(images.train)
    rows = x.flatten(1).double().numpy()
    pca = PCA(3, svd_solver="full").fit(rows)
    least = np.square(rows - pca.inverse_transform(pca.transform(rows))).sum(1).mean()
    with torch.no_grad():
        error = session.model.reconstruction_error(session.model.encode(x), x).double().mean().item()
    assert least * (1 - 1e-6) <= error <= least * 1.001
    spanned = session.model.decoder.blocks[0].linear.weight.detach().double().numpy()
    assert np.degrees(subspace_angles(spanned, pca.components_.T)).max() < 1
