"""The dense layers' product against torch's own: values, first and second derivatives, and every way they are asked."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from playground.layers import linear as module
from playground.layers.linear import Linear, linear

SIZES = [(3, 5, 4), (1, 7, 1), (16, 784, 32), (128, 784, 64)]


@pytest.fixture(params=[0, module.WORTH_IT], ids=["always", "where it is worth it"])
def threshold(request, monkeypatch):
    monkeypatch.setattr(module, "WORTH_IT", request.param)


def made(batch: int, inputs: int, outputs: int) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(batch, inputs, generator=rng, requires_grad=True)
    weight = torch.randn(outputs, inputs, generator=rng).mul_(inputs**-0.5).requires_grad_()
    return x, weight, torch.randn(outputs, generator=rng, requires_grad=True)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("with_bias", [True, False])
def test_value_and_derivatives_are_torchs(sizes, with_bias, threshold):
    x, weight, bias = made(*sizes)
    leaves = (x, weight, bias) if with_bias else (x, weight)
    outcomes = []
    for product in (linear, F.linear):
        y = product(*leaves)
        first = torch.autograd.grad(y.tanh().sum(), leaves, create_graph=True)
        second = torch.autograd.grad(sum(one.square().sum() for one in first), leaves)
        outcomes.append((y, *first, *second))
    for ours, theirs in zip(*outcomes):
        ours, theirs = ours.detach(), theirs.detach()
        assert float((ours - theirs).norm() / theirs.norm()) < 1e-5


def test_second_derivatives_by_finite_differences(monkeypatch):
    """In float64, which oneDNN does not multiply: the formulas of the derivatives, apart from rounding."""
    monkeypatch.setattr(module, "product", F.linear)
    monkeypatch.setattr(module, "_suits", lambda a, b: True)
    monkeypatch.setattr(module, "_PRODUCT", F.linear)
    leaves = [leaf.detach().double().requires_grad_() for leaf in made(3, 5, 4)]
    assert torch.autograd.gradcheck(linear, leaves)
    assert torch.autograd.gradgradcheck(linear, leaves)


def test_rows_of_a_jacobian_in_one_batch(threshold):
    x, weight, _ = made(4, 20, 6)
    y = linear(x, weight)
    basis = torch.eye(6).unsqueeze(1).expand(6, 4, 6)
    (rows,) = torch.autograd.grad(y, x, basis, create_graph=True, is_grads_batched=True)
    torch.testing.assert_close(rows, weight.unsqueeze(1).expand(6, 4, 20))
    (slope,) = torch.autograd.grad(rows.square().sum(), weight)
    torch.testing.assert_close(slope, 8 * weight)


def test_pushed_forward_mapped_and_transposed(threshold):
    x, weight, bias = (leaf.detach() for leaf in made(4, 20, 6))
    layer = Linear(20, 6)
    _, pushed = torch.func.jvp(layer, (x,), (torch.ones_like(x),))
    torch.testing.assert_close(pushed, layer.weight.sum(1).expand(4, 6))
    torch.testing.assert_close(torch.func.vmap(lambda row: linear(row[None], weight, bias)[0])(x), x @ weight.T + bias)
    torch.testing.assert_close(linear(x @ weight.T, weight.T), x @ weight.T @ weight)


def test_is_a_linear_layer_to_everybody_else():
    layer, plain = Linear(8, 3), torch.nn.Linear(8, 3)
    plain.load_state_dict(layer.state_dict())
    x = torch.rand(5, 8)
    torch.testing.assert_close(layer(x), plain(x))


def test_questions_of_any_size_leave_nothing_behind(monkeypatch):
    """Without derivatives it is torch's own product, for which nothing is prepared and kept for each size."""
    monkeypatch.setattr(module, "_PRODUCT", lambda *told: pytest.fail("oneDNN was asked"))
    x, weight, bias = made(256, 784, 64)
    with torch.no_grad():
        assert torch.equal(linear(x, weight, bias), F.linear(x, weight, bias))
    leaves = [leaf.detach() for leaf in (x, weight, bias)]
    assert torch.equal(linear(*leaves), F.linear(*leaves))
