"""‖J_x(h)‖_F² by every method against autograd's full Jacobian, its gradient against finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from playground.architectures import architectures
from playground.architectures.dense import ACTIVATION_CHOICES
from playground.experiment import Experiment, formulas
from playground.jacobian import code_and_norm, method_for

CODED = sorted(name for name in architectures if architectures[name].has_code)


def jacobian_by_autograd(encoder, x):
    """The full Jacobian, an image at a time: the oracle."""
    rows = [torch.autograd.functional.jacobian(lambda image: encoder(image[None])[0], image) for image in x]
    return torch.stack([row.flatten(1).square().sum() for row in rows])


@pytest.mark.parametrize("name", CODED)
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


TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("shape", [(1, 7, 5), (1, 1, 2)], ids=str)  # more pixels than units, and fewer
@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("bend", ACTIVATION_CHOICES)
@pytest.mark.slow
def test_every_architecture_meets_autograd_whatever_bends_it(name, bend, shape, dtype):
    torch.manual_seed(0)
    encoder, _ = architectures[name](code=5, depth=3, width=16, activation=bend).build(shape, "sigmoid")
    encoder.to(dtype)
    x = torch.rand(3, *shape, dtype=dtype)
    truth = jacobian_by_autograd(encoder.double(), x.double()).to(dtype)
    encoder.to(dtype)
    for method in ("reverse", "forward"):
        code, norm = code_and_norm(encoder, x, method, torch.Generator())
        torch.testing.assert_close(norm, truth, rtol=TOLERANCE[dtype], atol=0)
        torch.testing.assert_close(code, encoder(x))


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_it_meets_autograd_after_training_has_made_it_small(dtype):
    torch.manual_seed(0)
    encoder, _ = architectures["dense"](code=6, depth=2, width=24).build((1, 8, 8), "sigmoid")
    optimiser, x = torch.optim.Adam(encoder.parameters(), lr=0.02), torch.rand(30, 1, 8, 8)
    first = None
    for _ in range(100):
        norm = code_and_norm(encoder, x, "reverse", torch.Generator())[1].sum()
        first = first or norm.item()
        optimiser.zero_grad()
        norm.backward()
        optimiser.step()
    truth = jacobian_by_autograd(encoder.double(), x.double())
    assert truth.sum() < 0.05 * first
    found = code_and_norm(encoder.to(dtype), x.to(dtype), "reverse", torch.Generator())[1]
    torch.testing.assert_close(found, truth.to(dtype), rtol=TOLERANCE[dtype], atol=0)


@pytest.mark.parametrize("bend", ["tanh", "elu", "gelu"])
@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 1, 2)], ids=str)
def test_the_gradient_of_deep_contractions_is_autograds(bend, shape):
    torch.manual_seed(0)
    encoder, _ = architectures["dense"](code=3, depth=3, width=8, activation=bend).build(shape, "sigmoid")
    encoder.double()
    x, weights = torch.rand(4, *shape, dtype=torch.float64), [*encoder.parameters()]
    found = torch.autograd.grad(code_and_norm(encoder, x, "reverse", torch.Generator())[1].sum(), weights)
    jacobians = torch.autograd.functional.jacobian(lambda all: encoder(all).sum(0), x, create_graph=True)
    expected = torch.autograd.grad(jacobians.square().sum(), weights)
    for ours, theirs in zip(found, expected):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


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


@pytest.mark.slow
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


@pytest.mark.parametrize(("query", "words"), [
    ("architecture.depth=1", "by formula"), ("architecture.depth=2", "by rows"), ("architecture.code=64", "estimated"),
    ("data=plane", "by columns"), ("variant.method=estimate", "estimated"),
    ("architecture.code=64&variant.method=exact", "by rows"),
    ("architecture=convolutional&variant.method=closed", "by rows"),
])
def test_the_objective_says_how_the_contraction_is_found(query, words):
    made, problems = Experiment.from_query(f"variant=contractive&{query}")
    assert not problems and formulas(made)["contraction"][1].endswith(words)
