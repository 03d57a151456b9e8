"""Every kind with every network and data set learns; apart from the other conformance tests, since it takes longest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.events import Allowance
from playground.experiment import formulas
from playground.tasks import tasks
from playground.trainer import train
from playground.variants import variants
from tests.plugins import experiment, first_data
from tests.test_conformance import ALL, marked, session

DIGITS = ("digits", "mnist", "kmnist", "fashion-mnist")


@pytest.mark.parametrize(("kind", "architecture", "data"), marked(ALL, lambda case: case[1] == "dense" and
                                                                  case[2] == first_data(case[0])))
def test_learns_what_it_has_not_seen(kind, architecture, data):
    # points in the plane start close to their mean, and two pixels give the noise no room: a longer, quieter run
    made = experiment(kind, architecture, data, rate=1e-2, epochs=1000, seed=1)
    calm = {"contractive": {"variant.weight": 0.01}, "sparse": {"variant.beta": 0.01},
            "denoising": {"variant.level": 0.1},
            "inpaint": {"task.holes": "noise", "task.share": 0.1, "task.known": 1.0} if data != "plane" else {},
            }.get(kind, {})
    if kind == "classify":  # with all labels there are, and at once
        made = replace(made, task=replace(made.task, labels=0, way="fine-tuned", pretraining=0.0))
    run = session(made.retuned(calm))
    first, begun = run.held_out_loss, run.terms
    events = train(run)
    next(events)
    # upscaling begins with what bicubic interpolation gives; a handful of pictures would be learnt by heart
    slow = data == "plane" or (kind, data) == ("classify", "cells")
    slow = slow or kind == "upscale" and len(run.resident.train) > 100
    last = events.send(Allowance(seconds=60, steps=300 if slow else 60))
    assert [*last.terms] == [*formulas(made)]
    if kind == "classify" and data not in DIGITS:  # two hundred images do not tell how many cells there are
        assert last.terms["classes"] < 0.9 * begun["classes"]
        return
    assert run.evaluate() < 0.9 * first
    assert kind in tasks or [*last.terms] == ["reconstruction", *variants[kind]().penalties]
    assert last.history[-1].held_out < first
