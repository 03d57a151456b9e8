"""Hosting: what a Space is assembled of starts from there, and the container is what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from playground.__main__ import main
from playground.events import Trouble
from playground.spaces import FILES, assemble, split

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
    else:
        assert front["app_port"] == "7860" and (tmp_path / "new" / "Dockerfile").is_file()
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
