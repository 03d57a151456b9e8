"""One suite over every kind, architecture and data set: a new plug-in is tested without writing a test."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from playground import checkpoint
from playground.architectures import architectures
from playground.data import datasets
from playground.events import Allowance
from playground.experiment import Experiment, Training, formulas, parameters, plan
from playground.knobs import check, knobs
from playground.layers import activation_of
from playground.tasks import tasks
from playground.trainer import Session, train
from playground.variants import variants
from tests.plugins import KINDS, experiment, few, first_data, resident

PAIRS = [(kind, architecture) for kind, architecture in itertools.product(KINDS, sorted(architectures))
         if experiment(kind, architecture).settled()[1] == []]
COMMON = ("digits", "shapes", "plane")  # grey, coloured, no pictures at all
USUAL = {kind: experiment(kind, "usual").architecture.name for kind in KINDS}
FIRST = {architecture: kind for kind, architecture in reversed(PAIRS)}
FIRST |= {architecture: kind for kind, architecture in PAIRS if kind == "undercomplete"}  # the others are dearer
# Every kind meets every network it can use on its first data set, and the common sets with its usual network; every
# network meets every data set with one kind. All three together would take a quarter of the whole suite's time.
ALL = [(kind, architecture, data) for (kind, architecture), data in itertools.product(PAIRS, sorted(datasets))
       if experiment(kind, architecture, data).settled()[1] == []
       and (data == first_data(kind) or FIRST[architecture] == kind
            or (data in COMMON and USUAL[kind] == architecture))]
# What `make test-fast` tries: the dense network with every kind that takes it, and the others with one kind each; kinds
# that take none but these have quick tests of their own.
QUICK = {pair for pair in PAIRS if pair[1] == "dense"}
QUICK |= {("denoise", "residual"), ("segment", "unet"), ("undercomplete", "convolutional")}


def marked(cases: list[tuple[str, ...]], quick: Callable[[tuple[str, ...]], bool]) -> list:
    """The cases, slow ones marked."""
    return [pytest.param(*case, marks=() if quick(case) else pytest.mark.slow) for case in cases]


every_combination = pytest.mark.parametrize(("kind", "architecture", "data"), ALL)
every_pair = pytest.mark.parametrize(("kind", "architecture"), marked(PAIRS, QUICK.__contains__))


def quick(kind: str, architecture: str, **training) -> Experiment:
    """The pair's experiment on few images in small batches, of which an epoch has 20."""
    return replace(experiment(kind, architecture, **{"batch": 8, **training}), data=few(first_data(kind)))


def session(made: Experiment, saved=None) -> Session:
    return Session(made, resident(made.data), "CPU", saved)


def terms_of(made: Experiment, steps: int) -> list[dict[str, float]]:
    run = train(session(made))
    return [next(run).terms for _ in range(steps)]


@every_combination
def test_round_trips_through_link_and_json(kind, architecture, data):
    made = experiment(kind, architecture, data, seed=7)
    assert Experiment.from_query(made.to_query()) == (made, [])
    assert Experiment.from_json(made.to_json()) == made
    assert Experiment().to_query() == ""


@every_pair
@pytest.mark.slow
def test_round_trips_through_a_checkpoint_and_goes_on_as_if_never_stopped(kind, architecture, tmp_path):
    made = quick(kind, architecture)
    whole, part = session(made), session(made)
    straight = [event.terms for _, event in zip(range(28), train(whole))][-5:]
    run = train(part)
    for _ in range(23):  # 22 steps: past the first epoch, between two rows of the curve
        next(run)
    checkpoint.save(tmp_path / "run.safetensors", part.state())
    again = session(made, checkpoint.load(tmp_path / "run.safetensors"))
    assert (again.step, again.history.rows) == (part.step, part.history.rows)
    run = train(again)
    next(run)
    assert [next(run).terms for _ in range(5)] == straight
    assert again.history.rows == whole.history.rows


@every_pair
def test_a_loaded_model_gives_the_same_reconstructions(kind, architecture, tmp_path):
    run = session(quick(kind, architecture))
    run.advance()
    checkpoint.save(tmp_path / "run.safetensors", run.state())
    model = checkpoint.load(tmp_path / "run.safetensors").model()
    with torch.no_grad():
        assert torch.equal(model(run.held_out), run.model(run.held_out))


@every_pair
def test_is_repeatable_by_its_seed(kind, architecture):
    made = quick(kind, architecture)
    torch.manual_seed(1)
    first = terms_of(made, 6)
    torch.manual_seed(2)
    assert terms_of(made, 6) == first
    assert terms_of(quick(kind, architecture, seed=5), 6) != first


@every_pair
def test_running_beside_other_jobs_changes_no_number(kind, architecture):
    made = quick(kind, architecture)
    alone = terms_of(made, 6)
    ours, other = train(session(made)), train(session(quick("denoising", "dense", seed=9)))
    together = [event.terms for event, _, _ in zip(ours, other, range(6))]
    assert together == alone


@every_pair
@pytest.mark.slow
def test_slices_change_no_number(kind, architecture):
    made = quick(kind, architecture, epochs=20)
    in_many, at_once = session(made), session(made)
    run = train(in_many)
    next(run)
    for steps in (1, 2, 3, 1, 7, 1, 9, 10):
        run.send(Allowance(seconds=60, steps=steps))
    run = train(at_once)
    next(run)
    run.send(Allowance(seconds=60, steps=34))
    assert in_many.step == at_once.step == 34
    assert in_many.history.rows == at_once.history.rows and len(at_once.history.rows) > 5


@every_pair
def test_the_plan_is_the_network_that_is_built(kind, architecture):
    made = experiment(kind, architecture)
    model = made.build(made.data.shape)
    assert sum(p.numel() for p in model.parameters()) == parameters(made)
    layers = plan(made)
    assert (layers[0].part, layers[-1].part) == ("input", "output")
    assert [layer.part for layer in layers].count("code") == 1
    assert layers[0].shape == made.task.given(made.data.shape)
    assert layers[-1].shape == made.data.shape or not made.task.restores


@pytest.mark.parametrize("name", sorted(variants))
def test_a_variant_explains_itself(name):
    variant = variants[name]
    assert variant.__doc__ and variant.motto.endswith(".")
    assert activation_of(variant().code_activation)
    assert [*formulas(experiment(name))][0] == "reconstruction"


@pytest.mark.parametrize("name", sorted(tasks))
def test_a_task_explains_itself(name):
    task = tasks[name]
    assert task.__doc__ and task.motto.endswith(".") and task.title and task.measured
    for loss in knobs(Training)["loss"].choices:
        terms = [*task().formulas(variants["undercomplete"](), loss)]
        assert terms and (terms[0] == "reconstruction") >= task.restores


def test_the_pairs_are_all_that_fit():
    """Every kind has a network, its usual one first of all, and every network a kind; what is refused says why."""
    assert QUICK <= {*PAIRS} and {architecture for _, architecture in QUICK} == {*architectures}
    assert {kind for kind, _ in PAIRS} == {*KINDS} and {architecture for _, architecture in PAIRS} == {*architectures}
    assert {(kind, tasks[kind].usual) for kind in KINDS if kind in tasks} <= {*PAIRS}
    for kind, architecture in {*itertools.product(KINDS, architectures)} - {*PAIRS}:
        settled, (problem,) = experiment(kind, architecture).settled()
        assert problem.startswith("architecture: ") and settled.settled() == (settled, [])


@every_pair
def test_the_network_has_a_code_where_it_says_so(kind, architecture):
    made = experiment(kind, architecture)
    model = made.build(made.data.shape)
    assert model.has_code == made.architecture.has_code
    x = resident(made.data).sample()[:5]
    seen = made.task.see(x, made.variant, torch.Generator().manual_seed(1))
    code = model.encode(seen)
    assert model.vector(code).shape == (5, made.architecture.code)
    assert model.decode(code).shape == model(seen).shape
    assert made.task.picture(seen).shape == made.task.shown(made.task.output(model, code, seen), x).shape == x.shape
    assert model.restores == made.task.restores


@every_pair
def test_every_knob_has_a_help_and_a_default_in_range(kind, architecture):
    made = experiment(kind, architecture)
    for part in (made.data, made.architecture, made.variant, made.training, made.task):
        for name, setting in knobs(part).items():
            assert setting.help.endswith("."), (part, name)
            assert check(type(part), name, getattr(type(part)(), name)) == getattr(type(part)(), name)
            assert all(check(type(part), name, stop) == stop for stop in setting.stops)
