"""The library: listings that stay cheap however often they are asked for, and never out of date."""

from __future__ import annotations

import os

import pytest

from playground import checkpoint
from playground.events import Trouble
from playground.library import Library
from playground.trainer import Session
from tests.plugins import experiment, resident


@pytest.fixture
def counted(monkeypatch):
    """Names of the files whose headers were read."""
    read, load = [], checkpoint.load
    monkeypatch.setattr(checkpoint, "load", lambda path, weights=True: read.append(path.stem) or load(path, weights))
    return read


@pytest.fixture
def state():
    one = experiment()
    return Session(one, resident(one.data), "CPU").state("paused")


def test_a_header_is_read_once_until_its_file_changes(tmp_path, counted, state):
    library = Library(tmp_path, tmp_path / "none")
    for name in ("a", "b"):
        library.save(name, state)
    for _ in range(3):
        assert {entry.name: entry.status for entry in library.saved()} == {"a": "paused", "b": "paused"}
        assert library.entry("a").name == library.find("a").name == "a"
    assert sorted(counted) == ["a", "b"]
    state.about["status"] = "done"
    library.save("b", state)
    assert {entry.name: entry.status for entry in library.saved()} == {"a": "paused", "b": "done"}
    assert sorted(counted) == ["a", "b", "b"]


def test_what_is_gone_or_damaged_is_not_remembered(tmp_path, state):
    library = Library(tmp_path, tmp_path / "none")
    for name in ("a", "b", "c"):
        library.save(name, state)
    assert len(library.saved()) == 3
    library.delete("a")
    os.truncate(library.path("b"), 100)
    assert [entry.name for entry in library.saved()] == ["c"]
    assert library.entry("a") is None and library.find("b") is None
    library.save("a", state)
    assert library.entry("a").name == "a"
    library.delete("a")
    library.saved()
    assert library.path("a") not in library._known  # what was deleted is not kept for ever


def test_a_model_that_is_not_there_is_one_sentence(tmp_path):
    library = Library(tmp_path, tmp_path / "none")
    assert library.entry("nowhere") is None
    with pytest.raises(Trouble, match="not the name of a run"):
        library.path("../up")
