"""Losses, penalties and corruptions against closed forms, autograd and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import rel_entr

from playground import losses
from playground.architectures import architectures
from playground.corruption import CORRUPTIONS
from playground.jacobian import code_and_norm, method_for
from playground.layers import ACTIVATIONS
from playground.model import Autoencoder


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


def jacobian_by_autograd(encoder, x):
    """The full Jacobian, an image at a time: the oracle."""
    rows = [torch.autograd.functional.jacobian(lambda image: encoder(image[None])[0], image) for image in x]
    return torch.stack([row.flatten(1).square().sum() for row in rows])


@pytest.mark.parametrize("name", sorted(architectures))
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "linear"])
@pytest.mark.parametrize("method", ["auto", "closed", "exact", "forward"])
def test_the_contraction_is_the_jacobians_norm(name, depth, activation, method):
    torch.manual_seed(0)
    encoder, _ = architectures[name](code=6, depth=depth, width=8, activation="tanh").build((1, 7, 5), activation)
    encoder.double()
    x = torch.rand(4, 1, 7, 5, dtype=torch.float64)
    used = "forward" if method == "forward" else method_for(encoder, method, 35, 6)
    code, norm = code_and_norm(encoder, x, used, torch.Generator())
    torch.testing.assert_close(norm, jacobian_by_autograd(encoder, x), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(code, encoder(x))


@pytest.mark.parametrize("method", ["closed", "reverse", "forward"])
def test_the_contractions_gradient_meets_finite_differences(method):
    torch.manual_seed(0)
    encoder, _ = architectures["dense"](code=3, depth=1).build((1, 2, 2), "sigmoid")
    encoder.double()
    x, weight = torch.rand(2, 1, 2, 2, dtype=torch.float64), encoder[0].linear.weight

    def penalty():
        return code_and_norm(encoder, x, method, torch.Generator())[1].sum()

    penalty().backward()
    with torch.no_grad():
        for i in range(3):
            for j in range(4):
                weight[i, j] += 1e-6
                up = penalty()
                weight[i, j] -= 2e-6
                down = penalty()
                weight[i, j] += 1e-6
                assert weight.grad[i, j].item() == pytest.approx(((up - down) / 2e-6).item(), rel=1e-5, abs=1e-8)


def test_the_estimate_has_the_jacobians_norm_as_its_mean():
    torch.manual_seed(0)
    encoder, _ = architectures["dense"](code=40, depth=2, width=16).build((1, 6, 6), "sigmoid")
    x = torch.rand(1, 1, 6, 6).expand(20_000, 1, 6, 6)
    norms = code_and_norm(encoder, x, "estimate", torch.Generator().manual_seed(1))[1].detach()
    truth = jacobian_by_autograd(encoder, x[:1]).item()
    standard_error = norms.std().item() / math.sqrt(len(norms))
    assert abs(norms.mean().item() - truth) < 4 * standard_error


def test_auto_estimates_only_large_codes():
    wide, _ = architectures["dense"](code=64, depth=2).build((1, 28, 28), "sigmoid")
    assert method_for(wide, "auto", 784, 64) == "estimate"
    assert method_for(wide, "auto", 2, 64) == "forward"
    assert method_for(wide, "exact", 784, 64) == "reverse"
    single, _ = architectures["dense"](code=64, depth=1).build((1, 28, 28), "sigmoid")
    assert method_for(single, "auto", 784, 64) == "closed"


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
