"""What is said by pixels alone: nearest images and mean colours against numpy's counting; and the pages' links."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest

from playground.data import ImageSet, datasets
from playground.events import Trouble
from playground.experiment import Experiment
from playground.lab.applications import applications
from playground.labelling import baselines
from playground.labelling.baselines import by_colour, mean_colours, nearest, nearest_in
from playground.tasks.classify import Classify

SHIPPED = "classify-digits"


def digits() -> ImageSet:
    return datasets["digits"](size=8).load()


@pytest.mark.parametrize("labels", [10, 0])
def test_the_nearest_by_pixels_are_those_of_the_labelled_training_images(labels):
    source = digits()
    found = nearest_in(source, Classify(labels=labels))
    known = [i for i in source.train if not labels or i in
             source.train[source.labels[source.train] == source.labels[i]][:labels]]
    assert found.places.tolist() == sorted(known) and found.of == len(known)
    image = source.images[source.held_out[5]]
    away = np.square(source.images[found.places].astype(float) - image).sum((1, 2, 3))
    said, near = found.says(image)
    wanted = found.places[np.argsort(away, kind="stable")[:3]]
    assert sorted(name for _, name in near) == sorted(source.classes[source.labels[i]] for i in wanted)
    assert (near[0][0] == source.images[wanted[0]]).all() and said in {name for _, name in near}
    right = np.mean([found.says(source.images[i])[0] == source.classes[source.labels[i]] for i in source.held_out[:50]])
    assert abs(right - found.accuracy) < 0.1 and found.asked == len(source.held_out) == 359
    assert found.accuracy > (0.97 if not labels else 0.75)


def test_of_many_labelled_images_some_are_searched_and_some_asked_with(monkeypatch):
    monkeypatch.setattr(baselines, "LABELLED", 200)
    monkeypatch.setattr(baselines, "ASKED", 20)
    found = nearest_in(digits(), Classify(labels=0))
    assert len(found.places) == 200 and found.of == 1438 and found.asked == 20


def test_it_is_made_once_and_left_out_where_the_images_are_not_here(bench, monkeypatch):
    first = asyncio.run(nearest(bench, SHIPPED))
    assert asyncio.run(nearest(bench, SHIPPED)) is first
    answer: Future = Future()
    answer.set_result(SimpleNamespace(source=SimpleNamespace(stand_in="These are reconstructions.")))
    monkeypatch.setattr(bench.supply, "look", lambda data, name: answer)
    assert asyncio.run(nearest(bench, SHIPPED)) is None
    assert asyncio.run(by_colour(bench, "segment-shapes", np.zeros((3, 9, 7), np.uint8))) is None
    failed: Future = Future()
    failed.set_exception(Trouble("There is no network."))
    monkeypatch.setattr(bench.supply, "look", lambda data, name: failed)
    assert asyncio.run(nearest(bench, SHIPPED)) is None


def coloured(masks: np.ndarray, classes: int) -> ImageSet:
    """Images in the colours of their masks, a little noise over them."""
    colours = np.random.default_rng(1).integers(0, 256, (classes, 3))
    noise = np.random.default_rng(2).normal(0, 3, (*masks.shape, 3))
    images = np.clip(colours[masks] + noise, 0, 255).astype(np.uint8).transpose(0, 3, 1, 2)
    every = np.arange(len(masks))
    return ImageSet(np.ascontiguousarray(images), np.zeros(len(masks), np.int64), ("",), every[:-2], every[-2:],
                    masks.astype(np.uint8))


def test_each_pixel_gets_the_class_whose_mean_colour_is_nearest():
    source = coloured(np.random.default_rng(0).integers(0, 3, (9, 12, 10)), 3)
    found = mean_colours(source)
    picture = np.random.default_rng(3).integers(0, 256, (3, 21, 33), np.uint8)
    train, masks = source.images[source.train] / 255, source.masks[source.train]
    means = np.stack([train.transpose(0, 2, 3, 1)[masks == k].mean(0) for k in range(3)])
    away = np.linalg.norm(picture.transpose(1, 2, 0)[:, :, None] / 255 - means, axis=-1)
    assert (baselines._coloured(found, picture, 3) == away.argmin(-1)).mean() > 0.99  # the means are of drawn pixels
    held = source.held_out[0]
    assert (baselines._coloured(found, source.images[held], 3) == source.masks[held]).all()


def test_a_large_picture_in_portions_is_as_in_one_go(monkeypatch):
    found = mean_colours(coloured(np.random.default_rng(0).integers(0, 3, (9, 12, 10)), 3))
    picture = np.random.default_rng(3).integers(0, 256, (3, 21, 33), np.uint8)
    whole = baselines._coloured(found, picture, 3)
    monkeypatch.setattr(baselines, "PORTION", 100)
    assert (baselines._coloured(found, picture, 3) == whole).all() and whole.shape == (21, 33)


def test_one_class_has_no_nearest_colour():
    assert mean_colours(coloured(np.zeros((5, 8, 8), np.int64), 1)) is None


@pytest.mark.slow
def test_a_grey_picture_is_told_too_by_a_model_of_coloured_ones(bench):
    made = asyncio.run(by_colour(bench, "segment-cells", np.zeros((1, 9, 7), np.uint8)))
    assert made.shape == (9, 7) and made.dtype == np.uint8 and (made == 0).all()  # dark ground


@pytest.mark.parametrize("name", sorted(applications))
def test_every_link_to_train_it_oneself_is_read_without_a_problem(name):
    page = applications[name](SimpleNamespace(bench=None))
    links = page.links()
    assert links
    for words, query in links.items():
        made, problems = Experiment.from_query(query)
        assert (problems, made.settled()[1]) == ([], []), words
        assert made.task.name == name
