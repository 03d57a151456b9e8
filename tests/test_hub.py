"""Models in a hub's layout: folders and repositories, with a hub of the test's own that speaks as the real one does."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from huggingface_hub import HfApi, ModelCard
from huggingface_hub.errors import HfHubHTTPError

from playground import checkpoint, hub, incoming, packing
from playground.__main__ import main
from playground.caps import Caps
from playground.events import Trouble
from playground.hub import Autoencoder
from playground.library import SHIPPED, Library
from tests.plugins import experiment, stepped, until

NAME = "undercomplete-digits"


def network(name: str = NAME):
    return checkpoint.load(SHIPPED / name / "model.safetensors").model()


def images(model: Autoencoder) -> torch.Tensor:
    return torch.rand(3, *model.state.shape, generator=torch.Generator().manual_seed(0))


# Folders ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [NAME, "denoising-mnist", "classify-digits", "upscale-photos-2"])
def test_a_shipped_folder_is_read_by_its_name_and_gives_the_same(name):
    model = Autoencoder.from_pretrained(str(SHIPPED / name))
    ours, shipped = model.model, network(name)
    assert not model.training and ours.state_dict().keys() == shipped.state_dict().keys()
    x = ours.prepared(images(model))
    assert torch.equal(model(x), shipped(x))


def test_what_is_saved_comes_back_exactly(tmp_path):
    model = Autoencoder.from_pretrained(SHIPPED / NAME)
    with torch.no_grad():
        next(model.parameters()).mul_(0.5)
    model.save_pretrained(tmp_path / "mine")
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"model.safetensors", "config.json", "README.md"}
    again = Autoencoder.from_pretrained(tmp_path / "mine")
    x = images(model)
    assert torch.equal(again(x), model(x)) and not torch.equal(model(x), network()(x))
    assert again.state.about == model.state.about and again.state.step == model.state.step > 0
    assert torch.equal(again.decode(again.encode(x)), again(x))
    config = json.loads((tmp_path / "mine" / "config.json").read_text("utf-8"))
    assert Autoencoder(config["experiment"], config["shape"]).state.experiment == model.state.experiment


def test_the_card_is_one_that_hubs_read():
    state = packing.bare(checkpoint.load(SHIPPED / NAME / "model.safetensors"))
    card = ModelCard(packing.card(state, "user/name"))
    assert "pytorch_model_hub_mixin" in card.data.tags and card.data.library_name == "pytorch"
    assert "140,048 parameters" in card.text and 'from_pretrained("user/name")' in card.text


def test_a_folder_without_weights_or_with_a_pickle_is_refused(tmp_path):
    (tmp_path / "config.json").write_text((SHIPPED / NAME / "config.json").read_text("utf-8"), "utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(Trouble, match="no model.safetensors"):
        Autoencoder.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04")
    with pytest.raises(Trouble, match="damaged"):
        Autoencoder.from_pretrained(tmp_path)


# What a run gives ---------------------------------------------------------------------------------------------------


def test_a_run_is_taken_as_it_is_now_and_can_be_brought_and_learns_on(bench):
    job = bench.start(experiment(epochs=1000))
    stepped(bench, job, 4)
    bench.pause(job).result(10)
    event = until(bench, job, "paused").event
    state = incoming.read(checkpoint.to_bytes(packing.taken(bench, job)))
    assert state.step == event.step and state.about["history"][-1][:2] == [event.history[-1].step, pytest.approx(
        event.history[-1].held_out)]
    there = bench.ask(job, lambda model: {key: t.clone() for key, t in model.state_dict().items()}).result(10)
    assert all(torch.equal(state.tensors[f"model.{key}"], tensor) for key, tensor in there.items())

    mine = bench.library.add(state, "me")
    assert bench.snapshot(mine).owner == "me" and mine in {one.job for one in bench.jobs()}
    asked = bench.ask(mine, lambda model: model.state_dict()).result(10)
    assert all(torch.equal(asked[key], tensor) for key, tensor in there.items())
    bench.resume(mine)
    assert stepped(bench, mine, event.step + 1).step > event.step
    bench.pause(mine).result(10)


def test_a_run_that_ended_is_taken_with_its_film(bench):
    job = bench.start(experiment(epochs=2))
    until(bench, job, "done")
    for _ in range(3):  # also once it has left its film to its file
        assert packing.taken(bench, job).tensors["film.places"].ndim == 3
        bench.ask(job, lambda model: None).result(10)


def test_a_run_that_took_no_step_has_nothing_to_take(bench):
    job = bench.start(experiment(), paused=True)
    until(bench, job, "ready")
    with pytest.raises(Trouble, match="has not learnt anything"):
        packing.taken(bench, job)
    with pytest.raises(Trouble, match="no saved run"):
        packing.taken(bench, "../secret")


def test_the_zip_of_a_shipped_model_is_its_folder(bench):
    archive = zipfile.ZipFile(io.BytesIO(packing.zipped(packing.folder_of(bench, NAME), NAME)))
    assert archive.testzip() is None
    for path in (SHIPPED / NAME).iterdir():
        assert archive.read(f"{NAME}/{path.name}") == path.read_bytes()


# Repositories -------------------------------------------------------------------------------------------------------


class Hub(BaseHTTPRequestHandler):
    """As much of a hub as it takes to download one file. files: path -> content."""

    files: dict[str, bytes] = {}
    asked: list[tuple[str, str | None]] = []

    def do_HEAD(self):
        self._answer(False)

    def do_GET(self):
        self._answer(True)

    def _answer(self, whole: bool):
        self.asked.append((self.path, self.headers.get("authorization")))
        content = self.files.get(self.path.partition("?")[0])
        if content is None:
            known = any(path.split("/")[1:3] == self.path.split("/")[1:3] for path in self.files)
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(200)
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if whole:
            self.wfile.write(content)

    def log_message(self, *words):
        pass


@pytest.fixture
def served(monkeypatch):
    """A hub with one repository, user/name, that holds a shipped model, and one, user/empty, that holds none."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    weights = (SHIPPED / NAME / "model.safetensors").read_bytes()
    Hub.files = {"/user/name/resolve/main/model.safetensors": weights,
                 "/user/empty/resolve/main/pytorch_model.bin": b"\x80\x04",
                 "/user/other/resolve/main/model.safetensors": b"not a model"}
    Hub.asked = []
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    yield Hub
    server.shutdown()
    server.server_close()


def test_a_model_is_fetched_by_the_name_of_its_repository(served):
    state = hub.pull("user/name")
    assert state.about["source"] == "user/name"
    ours, shipped = state.model().state_dict(), network().state_dict()
    assert all(torch.equal(ours[key], shipped[key]) for key in shipped)
    assert all("model.safetensors" in path for path, _ in served.asked)


def test_a_visitors_question_does_not_carry_the_servers_token(served):
    hub.pull("user/name", token=False)
    assert served.asked and all(token is None for _, token in served.asked)


@pytest.mark.parametrize(("name", "words"), [("user/none", "no repository"), ("user/empty", "no other file is read"),
                                             ("user/other", "damaged")])
def test_what_is_not_there_or_no_model_is_a_sentence(served, name, words):
    with pytest.raises(Trouble, match=words):
        hub.pull(name)


def test_a_model_that_is_too_large_is_not_fetched(served, monkeypatch):
    monkeypatch.setattr(incoming, "caps", lambda: Caps(model=1000))
    with pytest.raises(Trouble, match="more than"):
        hub.pull("user/name")
    assert len(served.asked) == 1  # its size alone


def test_without_a_network_there_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # where nothing listens
    with pytest.raises(Trouble, match="cannot be reached"):
        hub.pull("user/name")
    assert main(["push", NAME, "user/name"]) == 1
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["https://example.org/a/b", "/etc/passwd", "../x", "a/../b", "user", "a/b/c", "a/\nb",
                                  "user/na me", "", "a/b?x", "a--b/c", "//a", "file:a/b", "a\\b", "user/nåme"])
def test_addresses_and_paths_are_no_repositories(monkeypatch, name):
    monkeypatch.setattr(hub, "_api", lambda token: pytest.fail("the network was asked"))
    with pytest.raises(Trouble):
        hub.pull(name)


@pytest.fixture
def pushed(monkeypatch):
    """What the hub was told, by the edge of its client."""
    told = {}

    def create_repo(self, repo_id, **settings):
        told.update(repo_id=repo_id, **settings)
        return type("Url", (str,), {"repo_id": repo_id})(f"https://hub/{repo_id}")

    def upload_folder(self, *, repo_id, folder_path, **more):
        told["files"] = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}

    monkeypatch.setattr(HfApi, "create_repo", create_repo)
    monkeypatch.setattr(HfApi, "upload_folder", upload_folder)
    return told


def test_a_model_is_pushed_as_the_hubs_layout(pushed, capsys):
    told = pushed
    assert main(["push", NAME, "user/name", "--private"]) == 0
    assert capsys.readouterr().out == "https://hub/user/name\n" and told["private"] and told["repo_id"] == "user/name"
    assert told["files"].keys() == {"model.safetensors", "config.json", "README.md"}
    state = incoming.read(told["files"]["model.safetensors"])
    assert all(torch.equal(t, network().state_dict()[key]) for key, t in state.model().state_dict().items())


def test_the_mixins_own_push_writes_the_same(pushed):
    Autoencoder.from_pretrained(SHIPPED / NAME).push_to_hub("user/name", private=True)
    assert pushed["repo_id"] == "user/name" and pushed["private"]
    assert pushed["files"].keys() == {"model.safetensors", "config.json", "README.md"}
    assert b'from_pretrained("user/name")' in pushed["files"]["README.md"]
    incoming.read(pushed["files"]["model.safetensors"])


def test_who_may_not_push_is_told_how_to(monkeypatch):
    def refuse(self, *names, **settings):
        raise HfHubHTTPError("no", response=type("Answer", (), {"status_code": 403, "headers": {}, "request": None})())

    monkeypatch.setattr(HfApi, "create_repo", refuse)
    with pytest.raises(Trouble, match="hf auth login"):
        hub.push(packing.bare(checkpoint.load(SHIPPED / NAME / "model.safetensors")), "user/name")


# Commands -----------------------------------------------------------------------------------------------------------


def test_files_go_out_and_come_back(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    for out in ("it.safetensors", "it.zip", "it"):
        assert main(["export-model", NAME, "--out", str(tmp_path / out)]) == 0
    assert main(["import", str(tmp_path / "it.safetensors")]) == 0
    name = json.loads(capsys.readouterr().out.splitlines()[-1])["name"]
    assert Library(tmp_path / "runs").find(name).source == "it.safetensors"
    assert torch.equal(*(Autoencoder.from_pretrained(folder)(torch.ones(1, 1, 16, 16))
                         for folder in (tmp_path / "it", SHIPPED / NAME)))
    assert zipfile.ZipFile(tmp_path / "it.zip").namelist()[0] == f"{NAME}/model.safetensors"


def test_wrong_files_end_in_a_sentence(tmp_path, monkeypatch, capsys, served):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    assert main(["import", str(tmp_path / "bad.safetensors")]) == 1
    assert main(["import", str(tmp_path / "none.safetensors")]) == 2
    assert main(["export-model", "none"]) == 2
    assert main(["pull", "https://example.org/x"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4 and all(line.endswith(".") for line in said)
    assert main(["pull", "user/name"]) == 0 and len(Library(tmp_path / "runs").saved()) == 1
