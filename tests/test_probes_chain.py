"""The chain rule's factors: every number is autograd's, and the product by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.probes import chain
from playground.probes.codes import frozen
from tests.test_probes_inside import ARCHITECTURES, model_of, sample


def chain_of(kind="undercomplete", architecture="dense", loss="mse", **changes):
    made, images, model = model_of(kind, architecture, **changes)
    made = replace(made, training=replace(made.training, loss=loss))
    model = made.build(images.shape).double()
    return made, images, model, sample(images, 16)


def of(links, kind, layer):
    (found,) = [one for one in links if (one.kind, one.layer) == (kind, layer)]
    return found


def objective(made, model, x) -> tuple[torch.Tensor, float]:
    """What a training step steps along, differentiable, and how much of it is the penalty."""
    _, terms = next(made.task.losses(model, x, x, made.variant, torch.Generator().manual_seed(3)))
    means = {name: term.mean() for name, term in terms.items()}
    decay = made.training.decay / 2 * sum(w.square().sum() for w in model.parameters() if w.ndim > 1)
    penalty = sum(float(means[name].detach()) for name in made.variant.penalties) if made.task.varied else 0
    return torch.stack(list(means.values())).sum() + decay, penalty + float(torch.as_tensor(decay).detach())


def compare(made, model, x) -> chain.Chain:
    """The chain of a batch, every weight's gradient in it held against autograd's of the whole objective."""
    found = chain.backwards(model, made, x, torch.Generator().manual_seed(3))
    truth, penalty = objective(made, model, x)
    truth.backward()
    assert (found.penalty or 0) == pytest.approx(penalty, rel=1e-9)
    assert found.loss + penalty == pytest.approx(float(truth.detach()), rel=1e-9)
    shown = {one.layer: one for one in found.links if one.kind == "weights"}
    shown |= {one.layer: one for one in found.links if one.kind == "penalty" and
              one.shape == shown[one.layer].shape}  # a penalty of weights: what it joins is the layer's last word
    for number, block in enumerate((*model.encoder.blocks, *model.decoder.blocks), 1):
        grads = [w.grad.flatten() for w in block.linear.parameters() if w.ndim > 1]
        if not grads:  # tied
            assert number not in shown
            continue
        assert shown[number].norm == pytest.approx(float(torch.cat(grads).norm()), rel=1e-9)
        np.testing.assert_allclose(shown[number].gradient.ravel(), torch.cat(grads).numpy(), rtol=1e-4, atol=1e-7)
    assert found.links[0].kind == "loss" and found.links[-1].layer == 1
    assert not any(weight.requires_grad is False for weight in model.parameters())
    return found


@pytest.mark.parametrize("loss", ["mse", "l1", "bce"])
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "unet"])
def test_every_weights_gradient_is_autograds(architecture, loss):
    made, images, model, x = chain_of("inpaint" if architecture == "unet" else "sparse", architecture, loss)
    found = compare(made, model, x)
    assert found.links[-1].kind == "weights" and (found.penalty is None) == (architecture == "unet")


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "elu", "gelu", "linear"])
@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("kind, knobs", [
    ("undercomplete", {}), ("denoising", {"units": "tanh"}), ("sparse", {}), ("sparse", {"kind": "l1"}),
    ("sparse", {"kind": "top-k", "active": 3}), ("contractive", {}), ("contractive", {"method": "estimate"}),
], ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())))
@pytest.mark.slow
def test_penalties_activations_and_tied_weights(kind, knobs, tied, activation):
    made, images, model = model_of(kind, "dense", depth=2, tied=tied, activation=activation)
    made = replace(made, variant=replace(made.variant, **knobs))
    model = made.build(images.shape).double()
    found = compare(made, model, sample(images, 8))
    added = [one for one in found.links if one.kind == "penalty"]
    assert [one.layer for one in added] == ([] if not made.variant.penalties else [2] if kind == "sparse" else [2, 1])
    assert all(one.factor_norm > 0 for one in added)


@pytest.mark.parametrize("kind", ["undercomplete", "sparse", "contractive"])
def test_weight_decay_joins_at_every_weight(kind):
    made, images, model, x = chain_of(kind)
    made = replace(made, training=replace(made.training, decay=0.1))
    found = compare(made, model, x)
    assert {one.layer for one in found.links if one.kind == "penalty"} == {1, 2, 3, 4}


def test_contraction_of_a_convolutional_encoder_joins_at_its_weights():
    made, images, model, x = chain_of("contractive", "convolutional")
    found = compare(made, model, x[:4])
    assert [one.layer for one in found.links if one.kind == "penalty"] == list(range(len(model.encoder), 0, -1))


def test_where_rho_hat_joins_the_numbers_are_the_lectures():
    """∂Ω/∂ρ̂_l = -ρ/ρ̂_l + (1-ρ)/(1-ρ̂_l), and ρ̂_l is the mean of h_l over the m images of the batch."""
    made, images, model, x = chain_of("sparse", depth=1)
    found = chain.backwards(model, made, x, torch.Generator())
    h, (rho, beta), m = model.encode(x).detach().numpy(), (made.variant.rho, made.variant.beta), len(x)
    slope = beta / m * ((1 - rho) / (1 - h.mean(0)) - rho / h.mean(0))
    link, before, after = (of(found.links, kind, layer) for kind, layer in
                           (("penalty", 1), ("inputs", 2), ("activation", 1)))
    assert link.factor_norm == pytest.approx(np.linalg.norm(np.broadcast_to(slope, h.shape)))
    np.testing.assert_allclose(link.gradient, before.gradient + slope, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(after.gradient, link.gradient * (h * (1 - h))[0], rtol=1e-5, atol=1e-9)


def test_a_shallow_contraction_is_rifais_formula():
    """Ω = (1/m) Σ_i Σ_l (h_l(1-h_l))² ‖W_l‖², its derivative in W by finite differences."""
    made, images, model, x = chain_of("contractive", depth=1)
    found, weight = chain.backwards(model, made, x, torch.Generator()), model.encoder.blocks[0].linear.weight
    with torch.no_grad():
        h = model.encode(x)
        by_hand = made.variant.weight * ((h * (1 - h)).square() @ weight.square().sum(1)).mean()
    assert found.penalty == pytest.approx(float(by_hand), rel=1e-9)
    link, plain = of(found.links, "penalty", 1), of(found.links, "weights", 1)
    added, at, step = link.gradient - plain.gradient, (2, 17), 1e-6
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[at] += sign * step
        values.append(chain.backwards(model, made, x, torch.Generator()).penalty)
        with torch.no_grad():
            weight[at] -= sign * step
    assert added[at] == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-3)


def test_the_factors_multiplied_by_hand_give_the_gradients():
    """The lecture's chain for one hidden layer on each side, in numpy."""
    made, images, model, x = chain_of(depth=1, code=6)
    found = chain.backwards(model, made, x, torch.Generator()).links
    W, Wd = (block.linear.weight.detach().numpy() for block in (model.encoder.blocks[0], model.decoder.blocks[0]))
    rows = x.flatten(1).numpy()
    h = model.encode(x).detach().numpy()
    out = model(x).detach().numpy().reshape(len(x), -1)
    at_out = 2 * (out - rows) / len(x)
    delta = at_out * out * (1 - out)
    norm = np.linalg.norm
    assert of(found, "loss", 0).norm == pytest.approx(norm(at_out))
    assert of(found, "output", 2).norm == pytest.approx(norm(delta))
    assert of(found, "output", 2).factor_norm == pytest.approx(norm(out * (1 - out)))
    assert of(found, "weights", 2).norm == pytest.approx(norm(delta.T @ h))
    assert of(found, "weights", 2).factor_norm == pytest.approx(norm(h))
    assert of(found, "inputs", 2).norm == pytest.approx(norm(delta @ Wd))
    assert of(found, "inputs", 2).factor_norm == pytest.approx(norm(Wd))
    assert of(found, "inputs", 2).factor_shape == Wd.shape
    assert of(found, "weights", 1).norm == pytest.approx(norm((delta @ Wd).T @ rows))
    assert of(found, "weights", 1).shape == W.shape
    assert [one.kind for one in found] == ["loss", "output", "weights", "inputs", "weights"]


def test_tied_weights_have_one_gradient_and_the_whole_of_it():
    made, images, model, x = chain_of(depth=1, tied=True)
    found = chain.backwards(model, made, x, torch.Generator())
    made.task.error(model, model.encode(x), x, x).mean().backward()
    weight = model.encoder.blocks[0].linear.weight
    assert [one.layer for one in found.links if one.kind == "weights"] == [1]
    assert of(found.links, "weights", 1).norm == pytest.approx(float(weight.grad.norm()))
    assert of(found.links, "inputs", 2).factor_norm == pytest.approx(float(weight.detach().norm()))


def test_a_step_down_the_gradient_lowers_the_loss_as_foretold():
    made, images, model, x = chain_of()
    found = chain.backwards(model, made, x, torch.Generator())
    link, layer, rate = of(found.links, "weights", 1), model.encoder.blocks[0].linear, 1e-5
    with torch.no_grad():
        layer.weight -= rate * torch.from_numpy(link.gradient)
    fallen = found.loss - chain.backwards(model, made, x, torch.Generator()).loss
    assert fallen == pytest.approx(rate * link.norm**2, rel=1e-2)


def test_a_frozen_copy_stays_frozen():
    made, images, model, x = chain_of()
    still = frozen(model)
    chain.backwards(still, made, x, torch.Generator())
    assert not any(weight.requires_grad for weight in still.parameters())
    assert all(weight.grad is None for weight in still.parameters())
