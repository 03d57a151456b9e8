"""Experiments as links, JSON and headers: forgiving where people write, strict where files speak."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.architectures import architectures
from playground.caps import caps
from playground.data import datasets
from playground.events import Trouble
from playground.experiment import PARTS, Experiment, Training, _network, parameters, plan
from playground.knobs import knobs
from playground.variants import variants


def test_the_issue_own_link_is_read():
    made, problems = Experiment.from_query("?variant=sparse&variant.rho=0.05&data=digits")
    assert problems == []
    assert (made.variant.name, made.variant.rho, made.data.name) == ("sparse", 0.05, "digits")
    assert made.to_query() == "variant=sparse"


def test_a_link_holds_only_what_differs():
    made = Experiment(variant=variants["sparse"](rho=0.2), training=Training(seed=3))
    assert made.to_query() == "variant=sparse&variant.rho=0.2&training.seed=3"


@pytest.mark.parametrize(("query", "words"), [
    ("variant=sprase", ["sprase", "sparse", "undercomplete"]),
    ("variant=sparse&variant.rho=2", ["variant.rho", "2", "0.001 to 0.5"]),
    ("variant=sparse&variant.rho=nan", ["variant.rho", "nan"]),
    ("variant=sparse&variant.rho=inf", ["variant.rho"]),
    ("training.batch=64.5", ["training.batch", "whole"]),
    ("training.batch=many", ["training.batch", "many"]),
    ("architecture.tied=perhaps", ["architecture.tied", "perhaps"]),
    ("architecture.code=", ["architecture.code"]),
    ("colour=red", ["colour"]),
    ("variant.wings=2", ["variant.wings"]),
    ("training.loss=mae", ["mae", "mse"]),
    ("architecture.code=100000", ["1 to 1024"]),
])
def test_a_bad_value_is_reported_and_left_at_its_default(query, words):
    made, problems = Experiment.from_query(query)
    assert len(problems) == 1 and all(word in problems[0] for word in words)
    assert Experiment.from_query(made.to_query()) == (made, [])
    untouched, _ = Experiment.from_query(query.split("&")[0] if query.startswith("variant=sparse") else "")
    assert made == untouched


def test_limits_hold_whatever_the_link_says():
    query = "data=shapes&data.size=256&architecture.width=2048&architecture.depth=6&architecture.code=1024"
    made, problems = Experiment.from_query(query)
    assert parameters(made) <= caps().parameters
    assert any("parameters" in problem for problem in problems) or "size" in str(problems)


parts = st.fixed_dictionaries({part: st.sampled_from(sorted(registry)) for part, registry in PARTS.items()})


@st.composite
def experiments(draw):
    """Any experiment that people can choose: what its task has no use for stands at its default."""
    made = {}
    for part, name in draw(parts).items():
        cls, values = PARTS[part][name], {}
        for field, setting in knobs(cls).items():
            default = getattr(cls(), field)
            if setting.choices:
                values[field] = draw(st.sampled_from(setting.choices))
            elif isinstance(default, bool):
                values[field] = draw(st.booleans())
            elif isinstance(default, int):
                values[field] = draw(st.integers(int(setting.low), int(min(setting.high, setting.low + 64))))
            elif isinstance(default, float):
                values[field] = draw(st.floats(setting.low, setting.high, allow_nan=False))
        made[part] = cls(**values)
    settled, _ = Experiment(**made).settled()
    assert settled.settled() == (settled, [])
    return settled


@settings(max_examples=60, deadline=None)
@given(experiments())
def test_any_experiment_round_trips(made):
    if parameters(made) <= caps().parameters:
        assert Experiment.from_query(made.to_query()) == (made, [])
        assert Experiment.from_json(made.to_json()) == made


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=80), st.dictionaries(
    st.sampled_from(["data", "variant", "variant.rho", "architecture.code", "training.seed", "x", ""]),
    st.text(max_size=12), max_size=5).map(urlencode)))
@pytest.mark.slow
def test_no_link_is_too_strange(query):
    made, problems = Experiment.from_query(query)
    assert isinstance(made, Experiment) and all(isinstance(problem, str) for problem in problems)


@pytest.mark.parametrize(("query", "part", "word"), [
    ("task=inpaint&variant=sparse", "variant", "no say"),
    ("architecture=unet", "architecture", "no code"),
])
def test_what_the_task_has_no_use_for_stays_at_its_default(query, part, word):
    made, problems = Experiment.from_query(query)
    assert getattr(made, part) == getattr(Experiment(), part)
    assert len(problems) == 1 and problems[0].startswith(part) and word in problems[0]
    with pytest.raises(Trouble, match=word):
        Experiment.from_json(_together(query).to_json())


def _together(query):
    """An experiment of parts that do not fit, as only a file could hold it."""
    parts = dict(pair.split("=") for pair in query.split("&"))
    return replace(Experiment(), **{part: PARTS[part][name]() for part, name in parts.items()})


def test_files_from_before_there_were_tasks_reconstruct():
    raw = Experiment(variant=variants["sparse"]()).to_dict()
    assert raw.pop("task")["name"] == "reconstruct" and raw["training"].pop("schedule") == "constant"
    assert Experiment.from_json(json.dumps({**raw, "version": 1})) == Experiment(variant=variants["sparse"]())
    with pytest.raises(Trouble, match="not an experiment"):
        Experiment.from_json(json.dumps(raw))


@pytest.mark.parametrize("damage", [
    lambda raw: "not json",
    lambda raw: "[]",
    lambda raw: "null",
    lambda raw: json.dumps({**raw, "version": 99}),
    lambda raw: json.dumps({key: raw[key] for key in raw if key != "data"}),
    lambda raw: json.dumps({**raw, "extra": 1}),
    lambda raw: json.dumps({**raw, "training": {**raw["training"], "batch": -1}}),
    lambda raw: json.dumps({**raw, "training": {"name": "adam"}}),
    lambda raw: json.dumps({**raw, "variant": {"name": "nosuch"}}),
])
def test_files_are_strict(damage):
    with pytest.raises(Trouble) as trouble:
        Experiment.from_json(damage(Experiment().to_dict()))
    assert str(trouble.value).endswith(".")


def test_only_live_knobs_turn():
    made = Experiment(variant=variants["sparse"]())
    turned = made.retuned({"variant.rho": "0.1", "training.rate": 0.01})
    assert (turned.variant.rho, turned.training.rate) == (0.1, 0.01)
    assert made.turns(turned) == ("ρ = 0.1", "η = 0.01")
    assert made.same_structure(turned) and turned.same_structure(made)
    with pytest.raises(ValueError, match="architecture.code"):
        made.retuned({"architecture.code": 3})
    with pytest.raises(ValueError, match="outside"):
        made.retuned({"variant.rho": 3})


@pytest.mark.parametrize("other", [
    Experiment(variant=variants["sparse"]()),
    Experiment(architecture=architectures["dense"](code=3)),
    Experiment(training=Training(seed=1)),
    Experiment(data=datasets["plane"]()),
])
def test_structure_is_all_that_is_not_live(other):
    assert not Experiment().same_structure(other) and not other.same_structure(Experiment())


def test_the_plan_counts_by_hand():
    made = Experiment(architecture=architectures["dense"](code=16, depth=2, width=256), data=datasets["digits"](size=8))
    assert [layer.units for layer in plan(made)] == [64, 256, 16, 256, 64]
    by_hand = [0, 64 * 256 + 256, 256 * 16 + 16, 16 * 256 + 256, 256 * 64 + 64]
    assert [layer.parameters for layer in plan(made)] == by_hand


def test_a_cosine_takes_the_rate_from_its_value_to_nothing():
    flat, falling = Training(rate=0.01), Training(rate=0.01, schedule="cosine")
    assert [flat.rate_at(step, 100) for step in (0, 50, 99)] == [0.01] * 3
    assert falling.rate_at(0, 100) == 0.01 and falling.rate_at(50, 100) == pytest.approx(0.005)
    assert falling.rate_at(25, 100) == pytest.approx(0.01 * (2 + 2**0.5) / 4) and falling.rate_at(100, 100) == 0


def test_a_class_of_seeds_and_rates_has_one_plan_of_the_network():
    first = Experiment.from_query("variant=sparse&architecture.width=64")[0]
    other = Experiment.from_query("variant=sparse&architecture.width=64&training.seed=7&training.rate=0.01")[0]
    wider = Experiment.from_query("variant=sparse&architecture.width=128")[0]
    assert _network(first) is _network(other) is not _network(wider)
    for one in (first, other, wider):
        assert parameters(one) == sum(weights.numel() for weights in one.build(one.data.shape).parameters())
