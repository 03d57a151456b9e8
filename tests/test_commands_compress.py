"""The commands `compress` and `decompress`: files and standard streams, folders, and how they end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playground import aec
from playground.__main__ import main
from playground.images import read_image

ROOT = Path(__file__).resolve().parent.parent


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("several").mkdir()
    for i in range(12):
        Image.fromarray(noise(1, 28, 28)[0] // 2).save(f"several/{i:02}.png")
    Image.fromarray(noise(20, 30, 3)).save("in.png")
    return tmp_path


def test_files_in_and_files_out(folder, capfd):
    assert main(["compress", "--bits", "8", "in.png", "pictures.aec"]) == 0
    assert "1 picture" in (said := capfd.readouterr().err) and "8 bits" in said and "PSNR" in said
    assert main(["decompress", "pictures.aec", "out.webp"]) == 0
    assert read_image(Path("out.webp")).shape == (3, 20, 30)
    assert main(["compress", "several", "in.png", "all.aec"]) == 0
    assert main(["decompress", "all.aec", "out"]) == 0
    assert sorted(os.listdir("out")) == [f"{i:02}.png" for i in range(1, 14)]
    assert read_image(Path("out/13.png")).shape == (3, 20, 30) and read_image(Path("out/01.png")).shape == (1, 28, 28)


@pytest.mark.slow
def test_standard_streams_hold_the_file_and_the_picture_alone(folder, capfdbinary):
    done = subprocess.run([sys.executable, "-m", "playground", "compress", "-", "-"], cwd=folder, timeout=120,
                          input=Path("in.png").read_bytes(), capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.returncode == 0 and done.stdout.startswith(aec.MAGIC), done.stderr.decode()
    Path("packed.aec").write_bytes(done.stdout)
    assert main(["decompress", "packed.aec", "-"]) == 0
    assert read_image(capfdbinary.readouterr().out, "").shape == (3, 20, 30)


@pytest.mark.parametrize(("arguments", "said"), [
    (["compress", "in.png", "nowhere/out.aec"], "No file can be written"),
    (["compress", "missing.png", "out.aec"], "missing.png cannot be read"),
    (["compress", "--bits", "9", "in.png", "out.aec"], "--bits"),
    (["compress", "--model", "nobody", "in.png", "out.aec"], "nobody"),
    (["compress", "--model", "inpaint-digits", "in.png", "out.aec"], "not trained to compress"),
    (["compress", "home", "out.aec"], "no picture in the folder"),
    (["decompress", "in.png", "out.png"], "in.png is not a file of compressed codes (.aec)"),
    (["decompress", "all.aec", "out.png"], "name a folder"),
    (["decompress", "all.aec", "-"], "name a folder"),
    (["decompress", "all.aec", "in.png/out"], "No folder can be made"),
    (["decompress", "one.aec", "out.xyz"], "not as .xyz"),
    (["decompress", "half.aec", "out.png"], "half.aec is damaged or cut off"),
    (["decompress", "--model", "undercomplete-mnist", "one.aec", "out.png"], "weights differ"),
])  # fmt: skip
@pytest.mark.slow
def test_what_is_wrong_is_one_sentence_and_writes_nothing(folder, capfd, arguments, said):
    Path("home").mkdir()
    assert main(["compress", "several", "all.aec"]) == main(["compress", "in.png", "one.aec"]) == 0
    Path("half.aec").write_bytes(Path("one.aec").read_bytes()[:40])
    before = sorted(os.listdir())
    capfd.readouterr()
    assert main(arguments) == 2
    out, err = capfd.readouterr()
    assert said in err and err.count("\n") == 1 and not out and sorted(os.listdir()) == before
