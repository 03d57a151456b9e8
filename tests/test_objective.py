"""What the objective is made of in a run: weight decay, and held-out noise that never changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from playground.corruption import CORRUPTIONS
from playground.experiment import Training, formulas
from playground.trainer import Session
from playground.variants import variants
from tests.plugins import experiment, resident


def session(made) -> Session:
    return Session(made, resident(made.data), "CPU")


def test_weight_decay_is_half_its_weight_times_the_squares_of_the_weights_without_biases():
    made = experiment("sparse", decay=0.02)
    run = session(made)
    assert [*formulas(made)] == [*run.terms] == ["reconstruction", "sparsity", "decay"]
    by_hand = sum((layer.linear.weight.double() ** 2).sum().item() for stack in (run.model.encoder, run.model.decoder)
                  for layer in stack)
    assert run.terms["decay"] == pytest.approx(0.01 * by_hand, rel=1e-5)
    assert "decay" not in formulas(experiment("sparse"))


def test_weight_decay_makes_weights_smaller():
    def size(decay: float) -> float:
        run = session(experiment(decay=decay))
        for _ in range(60):
            run.advance()
        return sum(p.square().sum().item() for p in run.model.parameters() if p.ndim > 1)

    assert size(0.1) < 0.8 * size(0.0)


@pytest.mark.parametrize("kind", sorted(CORRUPTIONS))
def test_the_held_out_noise_is_the_same_at_every_measurement_and_in_training_never(kind):
    made = experiment("denoising")
    run = session(replace(made, variant=variants["denoising"](kind=kind, level=0.4)))
    seen = run.see(run.held_out, run.held_out_rng())
    first = run.evaluate()
    drawn = []
    original = CORRUPTIONS[kind]

    def watched(x, level, rng):
        drawn.append(original(x, level, rng))
        return drawn[-1]

    CORRUPTIONS[kind] = watched
    try:
        weights = {name: t.clone() for name, t in run.model.state_dict().items()}
        run.batches = _Always(run.batches[0])  # the same images at every step
        run.advance()
        run.advance()
        run.model.load_state_dict(weights)
        assert run.evaluate() == first and torch.equal(drawn[-1], seen)
    finally:
        CORRUPTIONS[kind] = original
    assert not torch.equal(drawn[0], drawn[1])


class _Always:
    """One batch for every step."""

    def __init__(self, batch):
        self._batch, self.per_epoch, self.size = batch, 1, len(batch)

    def __getitem__(self, step):
        return self._batch

    def pair(self, step):
        return self._batch, self._batch


def test_the_codes_units_of_a_denoising_network_can_be_chosen():
    made = replace(experiment("denoising"), variant=variants["denoising"](units="sigmoid"))
    code = session(made).model.encode(resident(made.data).sample())
    assert code.min() > 0 and code.max() < 1
    assert Training().decay == 0
