"""Hosting: what a Space is assembled of starts from there, and the container is what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from playground.__main__ import main
from playground.caps import text as text_of_caps
from playground.events import Trouble
from playground.gate import usual_host
from playground.spaces import FILES, assemble, split
from tests.browser.conftest import free_port

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("sdk", [*FILES])
def test_a_space_is_whole_and_its_readme_says_what_it_is(sdk, tmp_path, capsys):
    assert main(["space", "--sdk", sdk, str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "new")
    front, text = split((tmp_path / "new" / "README.md").read_text(encoding="utf-8"))
    assert front["sdk"] == sdk and text.startswith("# Autoencoder Playground") and "![" not in text
    if sdk == "gradio":
        pinned = f"gradio=={front['sdk_version']}"
        assert front["app_file"] == "app.py" and pinned in (ROOT / "requirements.txt").read_text().split()
        assert f"ARG PYTHON={front['python_version'].strip(chr(34))}\n" in (ROOT / "Dockerfile").read_text()
    else:
        assert front["app_port"] == "7860" and (tmp_path / "new" / "Dockerfile").is_file()
    ours, theirs = ((where / "requirements.txt").read_text().split("\n") for where in (ROOT, tmp_path / "new"))
    assert [line for line in theirs if line not in ours] == (["spaces"] if sdk == "gradio" else [])
    settings = tomllib.loads((tmp_path / "new" / "playground.toml").read_text(encoding="utf-8"))
    assert settings == {**tomllib.loads(text_of_caps()), "embed": "https://huggingface.co https://*.hf.space"}
    assert len(front["short_description"]) <= 60
    assert (tmp_path / "new" / "pretrained" / "undercomplete-digits" / "model.safetensors").is_file()
    assert not list((tmp_path / "new").rglob("__pycache__"))


@pytest.mark.slow
def test_its_program_runs_from_there_with_nothing_else_of_the_project(tmp_path):
    folder = assemble("gradio", tmp_path / "space")
    code = "import app, playground; print(playground.__file__); from playground.library import Library, SHIPPED; " \
           "print(len(Library(SHIPPED).shipped_models()))"
    told = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={"PATH": "", "PLAYGROUND_HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"})
    where, count = told.stdout.split()
    assert where.startswith(str(folder)) and int(count) == len(list((ROOT / "pretrained").glob("*/config.json")))


def test_a_program_that_is_told_nothing_listens_where_its_host_reaches_it(monkeypatch):
    for name in ("SPACE_ID", "SPACES_ZERO_GPU", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(name, raising=False)
    assert usual_host() == "127.0.0.1"
    for name, value, wanted in (("SPACES_ZERO_GPU", "1", "0.0.0.0"), ("SPACE_ID", "anna/it", "0.0.0.0"),
                                ("GRADIO_SERVER_NAME", "192.0.2.7", "192.0.2.7")):
        monkeypatch.setenv(name, value)
        assert usual_host() == wanted


def answer(address: str) -> str:
    """What stands at an address; nothing where nobody listens."""
    try:
        with urllib.request.urlopen(address, timeout=5) as found:
            return found.read().decode()
    except urllib.error.URLError:
        return ""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is this machine by itself on Linux only")
def test_a_gradio_space_without_a_gpu_serves_the_studio_to_its_host(tmp_path):
    folder, port = assemble("gradio", tmp_path / "space"), free_port()
    hosting = ("SPACE_ID", "SPACES_ZERO_GPU", "GRADIO_SERVER_NAME", "PYTHONPATH")
    outside = {name: value for name, value in os.environ.items() if name not in hosting}
    own = {"PLAYGROUND_HOME": str(tmp_path / "home"), "PLAYGROUND_WARM": "0", "PLAYGROUND_DEVICE": "cpu",
           "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        served = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=folder, stdout=log, stderr=log,
                                  env={**outside, **own, "SPACE_ID": "anna/it"})
    try:
        end = time.monotonic() + 150
        while not (health := answer(f"http://127.0.0.1:{port}/health")):
            assert served.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.2)
        assert '"ok":true' in health
        page = answer(f"http://127.0.0.2:{port}/")  # as somebody else would come
        assert "gradio" in page and "Studio" in page and ">Lab<" not in page
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(60)
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_where_a_gpu_is_lent_and_its_package_is_missing_one_sentence_says_so(tmp_path):
    folder = assemble("gradio", tmp_path / "space")
    (tmp_path / "none").mkdir()  # a finder that has no such package, whatever is installed here
    (tmp_path / "none" / "sitecustomize.py").write_text("import sys; sys.modules['spaces'] = None")
    ended = subprocess.run([sys.executable, "app.py", "--port", str(free_port())], cwd=folder, capture_output=True,
                           text=True, timeout=120,
                           env={**os.environ, "PYTHONPATH": str(tmp_path / "none"), "SPACES_ZERO_GPU": "1",
                                "PLAYGROUND_HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"})
    (sentence,) = ended.stderr.strip().splitlines()
    assert ended.returncode == 1 and "SPACES_ZERO_GPU is set" in sentence and "requirements.txt" in sentence


def test_what_is_there_is_not_written_over(tmp_path):
    (tmp_path / "mine").write_text("mine")
    for folder in (tmp_path, tmp_path / "mine"):
        with pytest.raises(Trouble, match="holds something already"):
            assemble("docker", folder)
    with pytest.raises(Trouble, match="no kind of Space"):
        assemble("other", tmp_path / "new")
    with pytest.raises(Trouble, match="checkout"):
        assemble("docker", tmp_path / "new", root=tmp_path)


def test_the_container_is_slim_runs_as_a_user_and_is_watched():
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.M)
    last = stages[-1]
    assert len(stages) == 3 and "pip install" not in last and "apt-get" not in last
    assert "--uid 1000" in last and last.index("USER user") < last.index("CMD [") and "/health" in last
    copied = " ".join(re.findall(r"^COPY --chown=user (.+) \S+$", last, re.M)).split()
    kept = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.M)
    assert set(copied) | {"requirements.txt"} == set(kept) and all((ROOT / name).exists() for name in kept)


@pytest.mark.parametrize("arguments, installed", [
    ({}, ["-r requirements.txt"]),
    ({"DEVICE": "cpu"}, None),
    ({"DEVICE": "cpu", "TORCH_INDEX": "https://wheels.example/whl/cpu"},
     ["--index-url https://wheels.example/whl/cpu -r torch.txt", "-r requirements.txt"]),
])
def test_the_container_is_built_with_and_without_cuda_and_says_what_it_needs(tmp_path, arguments, installed):
    """Its own commands, but for the programs that install: what they would be given."""
    first = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.M)[1]
    defaults = dict(re.findall(r"^ARG (DEVICE|TORCH_INDEX)=(.*)$", first, re.M))
    (command,) = re.findall(r"^RUN ((?:.*\\\n)*.*)$", first, re.M)
    for program in ("python -m venv /venv", "find /venv"):
        assert program in command
    command = command.replace("python -m venv /venv", "true").replace("find /venv", "true")
    command = command.replace("/venv/bin/pip install --no-cache-dir", "echo pip")
    (tmp_path / "requirements.txt").write_text((ROOT / "requirements.txt").read_text())
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], **defaults, **arguments})
    if installed is None:
        (sentence,) = done.stderr.strip().splitlines()
        assert done.returncode == 1 and not done.stdout
        told = ("--build-arg TORCH_INDEX=", "--index-url", "Start Locally", "/whl/cpu", "with CUDA")
        assert all(words in sentence for words in told)
        assert all(words in (ROOT / "docs" / "HOSTING.md").read_text() for words in told)
    else:
        assert done.returncode == 0 and done.stdout.splitlines() == [f"pip {one}" for one in installed]
        names = re.findall(r"^(\w+)==", (tmp_path / "torch.txt").read_text(), re.M) if "DEVICE" in arguments else []
        assert names == ["torch", "torchvision"][: len(names)]
