"""Runs whose numbers overflow: what is kept of them, that they can go on, and that their pictures raise nothing."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.architectures import architectures
from playground.events import Allowance, Snapshot, Trouble
from playground.experiment import Experiment
from playground.lab import messages
from playground.probes.film import FARTHEST, Film, shown
from playground.probes.plane import PrincipalPlane
from playground.trainer import KEEP_GOOD_EVERY, Session, train
from tests.plugins import experiment, resident

LINEAR = {"output": "linear", "activation": "linear"}
HUGE = [1e4, 1e12, 1e19, 1e25, 3e38, math.inf, -math.inf, math.nan]


def linear(**changes) -> Experiment:
    """An experiment that bounds nothing: its codes and its loss can grow beyond all numbers."""
    made = experiment(epochs=1000)
    return replace(made, architecture=replace(made.architecture, **LINEAR, **changes))


def session(made: Experiment) -> Session:
    return Session(made, resident(made.data), "CPU")


def explode(run: Session, value: float = 1e30) -> None:
    with torch.no_grad():
        next(run.model.parameters()).fill_(value)


def diverge(run: Session) -> str:
    """Steps until the loss is no number; the sentence."""
    with pytest.raises(Trouble) as caught:
        for _ in range(5):
            run.advance()
            run.present()
    return str(caught.value)


def steps(run: Session, until: int) -> Session:
    while run.step < until:
        run.advance()
        run.present()
    return run


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 2])
def test_a_run_goes_on_from_good_weights_kept_when_its_buffer_was_full(rows):
    made = linear()
    run, straight = session(made), session(made)
    kept = rows * run.history.interval  # a row of the history is due at this very step, and the buffer of terms full
    steps(run, kept - 1)
    run._good_at -= 2 * KEEP_GOOD_EVERY
    steps(run, kept)
    explode(run)
    assert f"step {kept:,} are kept" in diverge(run)
    steps(run, kept + 2 * run.history.interval)
    steps(straight, run.step)
    assert run.history.rows == straight.history.rows
    assert [frame.step for frame in run.film.frames] == [frame.step for frame in straight.film.frames]


@pytest.mark.parametrize("where", ["weights", "moments"])
def test_weights_and_moments_that_are_no_numbers_are_never_kept_as_good(where):
    run = steps(session(linear()), 5)
    with torch.no_grad():
        if where == "weights":
            next(run.model.parameters()).fill_(math.nan)  # as a step can leave them whose loss was still a number
        else:
            optimiser = run.optimisers["autoencoder"]
            next(iter(optimiser.state.values()))["exp_avg_sq"].fill_(math.inf)  # no step moves these weights any more
    assert all(tensor.isfinite().all() for tensor in run.saved("paused").tensors.values())
    assert (run.saved("paused").about["status"], run.saved("paused").step) == ("paused", 0)
    run._good_at -= 2 * KEEP_GOOD_EVERY
    with pytest.raises(Trouble, match="overflowed at step 5; the weights of step 0 are kept: lower the learning rate"):
        run.present()
    assert run.step == 0 and all(weight.isfinite().all() for weight in run.model.parameters())


def test_a_last_step_that_overflows_does_not_end_the_run_well(monkeypatch):
    run = steps(session(replace(linear(), training=replace(linear().training, epochs=1))), 3)
    events = train(run)
    next(events)
    events.send(Allowance(60.0, run.steps - run.step - 1))
    monkeypatch.setattr(run, "report", lambda look=False: explode(run, math.nan))
    with pytest.raises(Trouble, match=f"overflowed at step {run.steps}"):
        events.send(Allowance())
        events.send(Allowance())


@pytest.mark.parametrize("value", HUGE)
@pytest.mark.parametrize("code", [1, 2, 3, 8, 64, 65, 300])
@pytest.mark.slow
def test_pictures_of_a_run_whose_codes_overflow_raise_nothing_and_are_finite(code, value):
    run = session(linear(code=code))
    run.report(look=True)
    with torch.no_grad():
        for weight in run.model.encoder.parameters():
            weight.mul_(value)
    for step in range(1, 6):  # the plane is fitted anew at some looks only
        run.held_out_loss = run.evaluate()
        run.film.look(2**step, run._codes)
        event = run.report(look=True)
        assert np.isfinite(event.view.codes).all() and all(0 <= share <= 1.001 for share in event.view.spread)
        text = json.dumps(messages.hello(Snapshot("job", run.experiment, "running", event), lambda job: None),
                          allow_nan=False)
        assert json.loads(text)["view"]["grades"]
    assert all(np.isfinite(frame.places).all() for frame in run.film.frames)
    assert all(np.isfinite(places).all() for places in shown(run.film.frames, event.view.codes, turn=code > 2))
    list(run.measure())


@pytest.mark.parametrize("value", HUGE)
def test_one_code_that_overflows_among_good_ones_leaves_a_picture(value):
    rng = torch.Generator().manual_seed(0)
    for k in (1, 2, 5, 100):
        codes = torch.randn(50, k, generator=rng)
        plane, film = PrincipalPlane(), Film(1)
        plane.project(codes)
        codes[7, 0] = value
        for step in range(5):
            places, spread = plane.project(codes)
            assert places.isfinite().all() and all(0 <= share <= 1.001 for share in spread)
            film.look(step, codes)
        assert all(np.abs(frame.places.astype(float)).max() <= FARTHEST for frame in film.frames)


def test_a_loss_that_is_a_number_is_no_trouble_however_large():
    made = linear()
    run = session(replace(made, architecture=architectures["dense"](code=8, width=32)))  # the output is bounded
    explode(run, 1e18)
    with torch.no_grad():
        run.model.decoder[-1].linear.weight.zero_()  # so the gradient is as well
    run.advance()
    event = run.report(look=True)
    assert event.step == 1 and math.isfinite(event.terms["reconstruction"])
