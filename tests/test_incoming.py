"""Models that people bring: whole ones come through number for number, whatever else is one sentence and no more."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from playground import caps, checkpoint, incoming
from playground.batches import Resident
from playground.checkpoint import Checkpoint
from playground.events import Trouble
from playground.experiment import Experiment
from playground.library import SHIPPED, Library
from playground.trainer import Session

QUERY = "variant=sparse&architecture.code=2&architecture.width=16&architecture.depth=1&data.size=8&training.batch=512"
quick = settings(max_examples=60, deadline=None)


@cache
def whole() -> Checkpoint:
    """A model that took three steps, as a run keeps it: with its optimiser, its curve and its film."""
    made, problems = Experiment.from_query(QUERY)
    assert not problems
    session = Session(made, Resident(made.data.load(), torch.device("cpu")), "CPU")
    for _ in range(3):
        session.advance()
    session.present()
    return session.state()


@cache
def content() -> bytes:
    return checkpoint.to_bytes(whole())


def parts(data: bytes) -> tuple[dict, bytes]:
    (size,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def joined(header: object, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def changed(**words: object) -> bytes:
    """The file with other words in its header."""
    header, body = parts(content())
    header["__metadata__"] |= words
    return joined(header, body)


def refused(data: bytes, words: str = "") -> str:
    with pytest.raises(Trouble) as told:
        incoming.read(data, "mine.safetensors")
    sentence = str(told.value)
    assert "mine.safetensors" in sentence and words in sentence and len(sentence) < 600 and "\n" not in sentence
    return sentence


def looked_at(data: bytes) -> None:
    """Either a sentence, or a model that can be built and whose numbers are finite."""
    try:
        state = incoming.read(data, "mine.safetensors")
    except Trouble as trouble:
        assert len(str(trouble)) < 600 and "\n" not in str(trouble)
    else:
        assert all(bool(weights.isfinite().all()) for weights in state.model().state_dict().values())


# What is whole ------------------------------------------------------------------------------------------------------


def test_what_a_run_keeps_comes_back_number_for_number():
    state = incoming.read(content())
    kept = {key: t for key, t in whole().tensors.items() if key.startswith(("model.", "film."))}
    assert state.experiment == whole().experiment and state.step == 3 and state.shape == whole().shape
    assert state.tensors.keys() == kept.keys() and "optimiser" in str([*whole().tensors])
    assert all(torch.equal(state.tensors[key], tensor) for key, tensor in kept.items())
    assert state.about["history"] == whole().about["history"] and state.about["status"] == "done"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/model.safetensors")), ids=lambda path: path.parent.name)
def test_every_shipped_model_can_be_brought(path):
    state = incoming.read(path.read_bytes(), path.name)
    shipped = checkpoint.load(path).model().state_dict()
    assert all(torch.equal(tensor, shipped[key]) for key, tensor in state.model().state_dict().items())


def test_halves_are_taken_and_become_what_training_uses():
    halves = {key: t.half() if key.startswith("model.") else t for key, t in whole().tensors.items()}
    state = incoming.read(checkpoint.to_bytes(replace(whole(), tensors=halves)))
    for key, tensor in state.tensors.items():
        assert tensor.dtype == whole().tensors[key].dtype and torch.equal(tensor, halves[key].to(tensor.dtype))


def test_whose_it_was_and_what_it_is_called_do_not_come_along(tmp_path):
    theirs = replace(whole(), about={**whole().about, "owner": "them", "guest": False, "earlier": ["x"]})
    state = incoming.named(incoming.read(checkpoint.to_bytes(theirs)), "it.safetensors")
    library = Library(tmp_path)
    entry = library.find(library.add(state, "me", guest=True))
    assert (entry.owner, entry.guest, entry.earlier, entry.source) == ("me", True, (), "it.safetensors")
    assert entry.experiment == whole().experiment and len(entry.history) == len(whole().about["history"])


# What is not --------------------------------------------------------------------------------------------------------


@quick
@given(st.integers(0, 10**9))
def test_cut_off(where):
    refused(content()[: where % len(content())])


@quick
@given(st.lists(st.tuples(st.integers(0, 10**9), st.binary(min_size=1, max_size=9)), min_size=1, max_size=4))
def test_bytes_that_are_others(changes):
    data = bytearray(content())
    for where, other in changes:
        where %= len(data)
        data[where : where + len(other)] = other
    looked_at(bytes(data))


@quick
@given(st.binary(max_size=400))
def test_anything_at_all(data):
    refused(data)
    refused(struct.pack("<Q", len(data)) + data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6,
)


@quick
@given(st.data(), VALUES)
def test_a_header_that_says_something_else(data, value):
    """One value, anywhere in the header, the experiment or what is told of the run, becomes another."""
    header, body = parts(content())
    words = header["__metadata__"]
    opened = {key: json.loads(words[key]) for key in ("experiment", "about", "shape")}
    place = data.draw(st.sampled_from([header, words, *opened.values()]))
    while True:
        key = data.draw(st.sampled_from(sorted(place, key=str) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = value
    if place is not words:
        words |= {key: json.dumps(one) for key, one in opened.items() if isinstance(words, dict)}
    looked_at(joined(header, body))


@quick
@given(st.data(), st.sampled_from([float("nan"), float("inf"), -float("inf")]))
def test_a_weight_that_is_no_number(data, wrong):
    name = data.draw(st.sampled_from([key for key in whole().tensors if key.startswith("model.")]))
    tensor = whole().tensors[name].clone()
    tensor.view(-1)[data.draw(st.integers(0, tensor.numel() - 1))] = wrong
    refused(checkpoint.to_bytes(replace(whole(), tensors={**whole().tensors, name: tensor})), name)


@quick
@given(st.data(), st.sampled_from([torch.float64, torch.bfloat16, torch.int32, torch.uint8, torch.bool]))
def test_a_weight_of_another_type(data, dtype):
    name = data.draw(st.sampled_from([key for key in whole().tensors if key.startswith("model.")]))
    other = {**whole().tensors, name: whole().tensors[name].to(dtype)}
    refused(checkpoint.to_bytes(replace(whole(), tensors=other)), "another type of numbers")


@quick
@given(st.data(), st.lists(st.integers(-2, 2**63), max_size=4))
def test_a_shape_that_is_absurd(data, shape):
    """The sizes are compared before any number is read: no memory is asked for what a header claims."""
    header, body = parts(content())
    name = data.draw(st.sampled_from([key for key in header if key != "__metadata__"]))
    if header[name]["shape"] == shape:
        return
    header[name]["shape"] = shape
    refused(joined(header, body))


@quick
@given(st.text(st.characters(codec="ascii"), min_size=1) | st.just("y" * 9999))
def test_a_tensor_that_nobody_needs(name):
    refused(checkpoint.to_bytes(replace(whole(), tensors={**whole().tensors, f"x{name}": torch.zeros(1)})),
            "does not build")


@pytest.mark.parametrize("name", [key for key in whole().tensors if key.startswith("model.")])
def test_a_weight_that_is_missing(name):
    others = {key: tensor for key, tensor in whole().tensors.items() if key != name}
    refused(checkpoint.to_bytes(replace(whole(), tensors=others)), f"lacks {name}")


def test_what_is_no_model_of_the_playground():
    refused(save({"weight": torch.zeros(2)}), "header holds no experiment")
    refused(changed(version="2"), "another version")
    refused(b"PK\x03\x04" + bytes(100), "no safetensors file")
    refused(changed(experiment="[" * 100_000))
    refused(changed(about="[" * 100_000))
    refused(struct.pack("<Q", 2**63) + content()[8:], "no safetensors file")


def test_an_experiment_that_is_too_large_is_not_built():
    raw = Experiment().to_dict()
    raw["architecture"] |= {"width": 4096, "depth": 6, "code": 4096}
    assert "architecture" in refused(changed(experiment=json.dumps(raw)))


def test_a_file_is_refused_by_its_size_before_it_is_read(monkeypatch):
    monkeypatch.setattr(incoming, "caps", lambda: caps.Caps(model=len(content()) - 1))
    refused(content(), "more than")
    monkeypatch.setattr(incoming, "caps", lambda: caps.Caps(parameters=100))
    refused(content(), "parameters")


def test_images_of_another_size_than_the_experiments():
    refused(changed(shape="[1, 9, 9]"), "images of its own experiment")
    refused(changed(shape="[1, 8]"), "images of its own experiment")


def test_a_film_that_is_none():
    for wrong in (torch.zeros(3), torch.zeros(2, 3, 2).half().fill_(float("nan")), torch.zeros(99, 3, 2).half()):
        refused(checkpoint.to_bytes(replace(whole(), tensors={**whole().tensors, "film.places": wrong})), "film")
