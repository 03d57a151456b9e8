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


@pytest.mark.parametrize("loss", ["mse", "l1", "bce"])
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "unet"])
def test_every_weights_gradient_is_autograds(architecture, loss):
    kind = "inpaint" if architecture == "unet" else "sparse"
    made, images, model, x = chain_of(kind, architecture, loss)
    found = chain.backwards(model, made, x, torch.Generator().manual_seed(3))
    seen = made.task.see(x, made.variant, torch.Generator().manual_seed(3))
    truth = made.task.error(model, model.encode(seen), x, seen).mean()
    truth.backward()
    assert found.loss == pytest.approx(float(truth.detach()), rel=1e-9)
    blocks = (*model.encoder.blocks, *model.decoder.blocks)
    for number, block in enumerate(blocks, 1):
        grads = [w.grad.flatten() for w in block.linear.parameters() if w.ndim > 1]
        link = of(found.links, "weights", number)
        assert link.norm == pytest.approx(float(torch.cat(grads).norm()), rel=1e-9)
        np.testing.assert_allclose(link.gradient.ravel(), torch.cat(grads).numpy(), rtol=1e-4, atol=1e-7)
    assert found.links[0].kind == "loss" and found.links[-1].kind == "weights" and found.links[-1].layer == 1
    assert not any(weight.requires_grad is False for weight in model.parameters())


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
