"""The page Models: what is brought is checked, becomes the visitor's own, works as any run does, and can be taken."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import pytest
import streamlit as st
import torch

from playground import caps, checkpoint, incoming
from playground.checkpoint import to_bytes
from playground.events import Trouble
from playground.gate import gate
from playground.hub import Autoencoder
from playground.lab import models as page_models
from playground.lab.models import Models, keep
from playground.lab.places import places
from playground.library import SHIPPED
from playground.owners import Viewer
from tests.plugins import experiment, stepped, until
from tests.test_hub import served  # noqa: F401  (fixture)
from tests.test_lab import MAIN, bench, opened  # noqa: F401  (fixtures)

NAME = "undercomplete-digits-2"
VIEW = MAIN.parent / "views" / "models.py"


@dataclass
class Visitor:
    """As much of a visit as bringing a model needs."""

    bench: object
    viewer: Viewer


@dataclass
class Upload:
    """A file as Streamlit hands it on."""

    name: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    def getvalue(self) -> bytes:
        return self.content


@pytest.fixture
def anna(bench, monkeypatch):
    monkeypatch.setattr(st, "session_state", State())
    return Models(Visitor(bench, Viewer("anna", local=False)))


class State(dict):
    """A session's state outside of any session."""

    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


def brought(models: Models, content: bytes, name: str = "it.safetensors") -> tuple[str, str]:
    """The role and the sentence of what came of a file."""
    st.session_state["file"] = Upload(name, content)
    models.bring("file")
    return st.session_state.models_said


def shipped(name: str = NAME) -> bytes:
    return (SHIPPED / name / "model.safetensors").read_bytes()


def test_a_model_that_is_brought_is_the_visitors_own_and_answers_as_the_one_it_was(anna, bench):
    role, sentence = brought(anna, shipped())
    assert role == "note" and "it.safetensors is here" in sentence
    (run,) = bench.jobs()
    assert run.owner == "anna" and not Viewer("ben", local=False).owns(run.owner)
    ours, theirs = (bench.ask(name, lambda model: model.state_dict()).result(20) for name in (run.job, NAME))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    bench.watch(run.job)
    event = until(bench, run.job, "done").event
    entry = bench.library.find(NAME)
    assert event.step == entry.step and event.metrics["psnr"] == pytest.approx(entry.metrics["psnr"], abs=0.01)
    assert len(event.history) == len(entry.history) and len(event.film) > 3


def test_what_is_wrong_is_a_sentence_and_nothing_is_kept_or_lost(anna, bench):
    brought(anna, shipped())
    before = sorted(bench.library.runs.glob("*"))
    for wrong in (b"", b"PK", shipped()[:-1], shipped("classify-digits")[:5000]):
        role, sentence = brought(anna, wrong)
        assert role == "alert" and sentence.endswith(".") and "Traceback" not in sentence
    assert sorted(bench.library.runs.glob("*")) == before


def test_its_size_is_asked_before_it_is_read(anna, monkeypatch):
    monkeypatch.setattr(incoming, "caps", lambda: caps.Caps(model=1000))
    monkeypatch.setattr(Upload, "getvalue", lambda self: pytest.fail("it was read"))
    assert "more than" in brought(anna, bytes(1001))[1]


def test_there_is_an_end_to_what_one_visitor_keeps_on_a_shared_server(anna, bench, monkeypatch):
    monkeypatch.setattr(gate, "shared", True)
    monkeypatch.setattr(page_models, "caps", lambda: caps.Caps(models=2))
    assert [brought(anna, shipped())[0] for _ in range(3)] == ["note", "note", "alert"]
    ben = Visitor(bench, Viewer("ben", local=False))
    assert keep(ben, checkpoint.load(SHIPPED / NAME / "model.safetensors"))  # another's are not counted


def test_a_full_disk_is_a_sentence(anna, bench, monkeypatch):
    def full(*values):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    role, sentence = brought(anna, shipped())
    assert role == "alert" and "No space left" in sentence and bench.jobs() == ()


def test_a_repository_is_fetched_by_its_name_without_the_servers_token(anna, bench, served):
    st.session_state["models_repository"] = "user/name"
    anna.fetch()
    assert st.session_state.models_said[0] == "note" and bench.jobs()[0].owner == "anna"
    assert all(token is None for _, token in served.asked)
    st.session_state["models_repository"] = "https://example.org/user/name"
    anna.fetch()
    assert st.session_state.models_said[0] == "alert" and len(bench.jobs()) == 1


def test_only_ones_own_are_deleted(anna, bench):
    brought(anna, shipped())
    job = bench.jobs()[0].job
    Models(Visitor(bench, Viewer("ben", local=False))).delete(job)
    anna.delete(NAME)
    assert bench.snapshot(job) is not None and (SHIPPED / NAME).exists()
    anna.delete(job)
    assert bench.snapshot(job) is None


def test_what_is_taken_is_what_was_there(anna, bench, tmp_path):
    assert anna.file(NAME) == shipped()
    job = bench.start(experiment("denoising", epochs=1000), owner="anna")
    stepped(bench, job, 3)
    bench.pause(job).result(10)
    weights = bench.ask(job, lambda model: {key: t.clone() for key, t in model.state_dict().items()}).result(10)
    zipfile.ZipFile(io.BytesIO(anna.folder(job))).extractall(tmp_path)
    for state in (incoming.read(anna.file(job)), Autoencoder.from_pretrained(tmp_path / job).checkpoint()):
        assert all(torch.equal(state.tensors[f"model.{key}"], tensor) for key, tensor in weights.items())
        assert "anna" not in str(state.about)
    assert b"anna" not in anna.file(job)


def test_the_page_shows_a_model_and_where_to_try_it(bench):
    state = incoming.named(checkpoint.load(SHIPPED / NAME / "model.safetensors"), "<b>.safetensors")
    job = bench.library.add(incoming.named(incoming.read(to_bytes(state)), "<b>.safetensors"))
    test = opened(VIEW, {"model": job})
    (body,) = [element.body for element in test.get("html") if 'data-testid="model"' in element.body]
    assert f'data-model="{job}"' in body and "&lt;b&gt;.safetensors" in body and "<b>" not in body
    for page in places(state.experiment, job, True):
        assert f'href="/{page}?' in body
    assert [one.label for one in test.get("download_button")] == ["Download the file (.safetensors)",
                                                                 "Download for a hub (.zip)"]
    test.button(key=f"models.delete.{job}").click().run()
    assert not test.exception and bench.snapshot(job) is None


def test_nobody_keeps_a_model_by_a_name_that_leads_elsewhere(bench):
    with pytest.raises(Trouble):
        Models(Visitor(bench, Viewer())).file("../../etc/passwd")


def test_only_what_concerns_the_last_thing_done_is_said_and_the_place_for_files_begins_anew(anna):
    brought(anna, b"nothing of the kind")
    before = st.session_state.models_files
    st.session_state.models_repository = "no name"
    anna.fetch()
    role, sentence = st.session_state.models_said
    assert role == "alert" and "it.safetensors" not in sentence and st.session_state.models_files == before + 1
