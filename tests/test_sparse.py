"""The sparse autoencoder: its penalty's gradient in the weights, the running mean activation, L1 and top-k."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from playground import checkpoint
from playground.architectures import architectures
from playground.experiment import Experiment, formulas
from playground.knobs import matters
from playground.layers import TopK, activation_of
from playground.losses import kl_sparsity
from playground.model import Autoencoder
from playground.trainer import Session, train
from playground.variants import variants
from playground.variants.sparse import RHO_HAT
from tests.plugins import experiment, resident


def network(code=5, activation="sigmoid"):
    torch.manual_seed(0)
    encoder, decoder = architectures["dense"](code=code, depth=1).build((1, 3, 4), activation)
    return Autoencoder(encoder, decoder).double()


def sparse(**knobs) -> Experiment:
    return replace(experiment("sparse"), variant=variants["sparse"](**knobs))


def session(made: Experiment, saved=None) -> Session:
    return Session(made, resident(made.data), "CPU", saved)


def terms(variant, model, x):
    return next(variant.losses(model, x, torch.Generator()))[1]


def test_the_gradient_in_the_weights_is_the_lectures_and_meets_finite_differences():
    """∂Ω/∂W = β Σ_l (-ρ/ρ̂_l + (1-ρ)/(1-ρ̂_l)) · (1/m) Σ_i g'(W x_i + b) x_iᵀ."""
    variant, model, x = variants["sparse"](rho=0.1, beta=3.0), network(), torch.rand(20, 1, 3, 4, dtype=torch.float64)
    weight = model.encoder[0].linear.weight

    def penalty():
        return terms(variant, model, x)["sparsity"]

    (by_autograd,) = torch.autograd.grad(penalty(), weight)
    h = model.encode(x).detach()
    rho_hat = h.mean(0)
    by_rho_hat = -0.1 / rho_hat + 0.9 / (1 - rho_hat)
    by_hand = 3.0 * by_rho_hat[:, None] * (h * (1 - h)).T @ x.flatten(1) / len(x)
    torch.testing.assert_close(by_autograd, by_hand, rtol=1e-10, atol=1e-12)
    with torch.no_grad():
        for place in np.ndindex(*weight.shape):
            weight[place] += 1e-6
            up = penalty()
            weight[place] -= 2e-6
            down = penalty()
            weight[place] += 1e-6
            assert by_autograd[place].item() == pytest.approx(((up - down) / 2e-6).item(), rel=1e-6, abs=1e-8)


def test_the_running_mean_nears_the_datas_and_is_steadier_than_a_batchs():
    """Of batches of B in a window of N images its variance is B / (2N - B) of a batch's."""
    variant, model, rng = variants["sparse"](window=200), network(), torch.Generator().manual_seed(0)
    data = torch.rand(5000, 1, 3, 4, dtype=torch.float64, generator=rng)
    truth = model.encode(data).mean(0).detach()
    of_batch, running = [], []
    for _ in range(1500):
        x = data[torch.randint(len(data), (10,), generator=rng)]
        for _ in variant.losses(model, x, rng):  # to its end: a step was taken
            pass
        running.append(model.memory[RHO_HAT])
        of_batch.append(model.encode(x).mean(0).detach())
    running, of_batch = torch.stack(running[300:]), torch.stack(of_batch[300:])
    assert ((running.mean(0) - truth).abs() < 5 * of_batch.std(0) / 1200**0.5).all()
    assert (running.var(0) / of_batch.var(0)).mean().item() == pytest.approx(10 / 390, rel=0.4)


def test_the_gradient_is_taken_at_the_running_mean():
    variant, model = variants["sparse"](window=100, beta=1.0), network()
    x = torch.rand(10, 1, 3, 4, dtype=torch.float64)
    before = torch.full((5,), 0.02, dtype=torch.float64)
    model.memory[RHO_HAT] = before
    value = terms(variant, model, x)["sparsity"]
    of_batch = model.encode(x).mean(0)
    mixed = (0.9 * before + 0.1 * of_batch).detach()
    torch.testing.assert_close(value, kl_sparsity(mixed, 0.05).sum())
    slope = -0.05 / mixed + 0.95 / (1 - mixed)
    weights = [*model.encoder.parameters()]
    for found, by_hand in zip(torch.autograd.grad(value, weights), torch.autograd.grad(slope @ of_batch, weights)):
        torch.testing.assert_close(found, by_hand)


@pytest.mark.parametrize("window", [1, 10])
def test_a_batch_as_large_as_the_window_counts_alone(window):
    model, x = network(), torch.rand(10, 1, 3, 4, dtype=torch.float64)
    model.memory[RHO_HAT] = torch.full((5,), 0.5, dtype=torch.float64)
    found = terms(variants["sparse"](window=window), model, x)["sparsity"]
    torch.testing.assert_close(found, kl_sparsity(model.encode(x).mean(0), 0.05).sum())


def test_asking_for_the_terms_remembers_nothing_and_a_step_does():
    run = session(sparse())
    assert run.model.memory == {}
    run.advance()
    first = run.model.memory[RHO_HAT]
    run._first_terms()
    assert run.model.memory[RHO_HAT] is first
    run.advance()
    assert not torch.equal(run.model.memory[RHO_HAT], first)


def test_the_running_mean_is_kept_in_checkpoints_and_files_without_one_are_read(tmp_path):
    run = session(sparse())
    for _ in range(5):
        run.advance()
    checkpoint.save(tmp_path / "run.safetensors", run.state())
    saved = checkpoint.load(tmp_path / "run.safetensors")
    assert torch.equal(session(run.experiment, saved).model.memory[RHO_HAT], run.model.memory[RHO_HAT])
    older = replace(saved, tensors={name: t for name, t in saved.tensors.items() if "memory" not in name})
    again = session(run.experiment, older)
    again.advance()
    assert again.model.memory[RHO_HAT].shape == (8,)


@pytest.mark.parametrize("kind", ["l1", "top-k"])
def test_every_kind_goes_on_from_a_checkpoint_as_if_never_stopped(kind, tmp_path):
    made = sparse(kind=kind)
    whole, part = session(made), session(made)
    straight = [event.terms for _, event in zip(range(13), train(whole))][-6:]
    for _ in range(6):
        part.advance()
    checkpoint.save(tmp_path / "run.safetensors", part.state())
    run = train(session(made, checkpoint.load(tmp_path / "run.safetensors")))
    next(run)
    assert [next(run).terms for _ in range(6)] == straight
    assert [*straight[0]] == [*formulas(made)]


def test_l1_is_the_sum_of_the_code():
    variant, model = variants["sparse"](kind="l1", beta=0.3), network(activation="relu")
    x = torch.rand(7, 1, 3, 4, dtype=torch.float64)
    found = terms(variant, model, x)["sparsity"]
    np.testing.assert_allclose(found.detach(), 0.3 * np.abs(model.encode(x).detach().numpy()).sum(1))
    assert variant.code_activation == "relu"


@pytest.mark.parametrize(("kept", "of"), [(1, 6), (3, 6), (6, 6), (9, 6)])
def test_top_k_keeps_the_largest_as_they_are(kept, of):
    z = torch.randn(50, of, dtype=torch.float64, requires_grad=True)
    h = TopK(kept)(z)
    for before, after in zip(z.detach().numpy(), h.detach().numpy()):
        assert sorted(after[after != 0]) == sorted(before)[-kept:]
    assert ((h != 0).sum(1) == min(kept, of)).all()
    h.sum().backward()
    assert torch.equal(z.grad, (h != 0).double())


def test_top_k_changes_the_code_and_not_the_loss():
    made = sparse(kind="top-k", active=2)
    run = session(made)
    assert [*formulas(made)] == ["reconstruction"] and "2 largest" in formulas(made)["reconstruction"][1]
    assert ((run.model.encode(run.held_out) != 0).sum(1) == 2).all()
    assert activation_of("top-2").kept == 2


def test_the_formula_is_that_of_the_kind():
    assert "KL" in formulas(sparse())["sparsity"][0]
    assert "h" in formulas(sparse(kind="l1"))["sparsity"][0] and "KL" not in formulas(sparse(kind="l1"))["sparsity"][0]


@pytest.mark.parametrize(("kind", "there"), [
    ("kl", {"kind", "rho", "beta", "window"}), ("l1", {"kind", "beta"}), ("top-k", {"kind", "active"}),
])
def test_only_the_kinds_own_knobs_have_a_say(kind, there):
    variant = variants["sparse"](kind=kind)
    assert {name for name in variant.__dataclass_fields__ if matters(variant, name)} == there


@pytest.mark.parametrize("version", [1, 2])
def test_files_from_before_read_with_new_knobs_at_their_default(version):
    raw = Experiment(variant=variants["sparse"](rho=0.2)).to_dict()
    del raw["training"]["decay"]
    if version == 1:
        del raw["task"], raw["training"]["schedule"]
    for name in ("kind", "active", "window"):
        del raw["variant"][name]
    read = Experiment.from_json(json.dumps({**raw, "version": version}))
    assert read == Experiment(variant=variants["sparse"](rho=0.2))
