"""The command line's pictures: files and standard streams, colour modes, transparency, and how it ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playground import checkpoint, classical
from playground.__main__ import main
from playground.images import read_image
from playground.trainer import Session, train
from tests.plugins import experiment, resident

ROOT = Path(__file__).resolve().parent.parent
RNG = np.random.default_rng(0)
H, W = 20, 30


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path, one = tmp_path_factory.mktemp("model") / "denoiser.safetensors", experiment("denoising", epochs=1)
    session = Session(one, resident(one.data), "CPU")
    events = train(session)
    for _ in range(20):
        events.send(None)
    events.close()
    checkpoint.save(path, session.state("done"))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((H, W), np.uint8)
    mask[5:12, 8:20] = 255
    Image.fromarray(mask).save("mask.png")
    Image.fromarray(RNG.integers(0, 256, (H, W, 3), np.uint8)).save("in.png")
    return tmp_path


def hidden() -> np.ndarray:
    return np.asarray(Image.open("mask.png")) > 0


def run(*arguments: str, data: bytes = b"", home: Path) -> subprocess.CompletedProcess:
    environment = os.environ | {"PLAYGROUND_HOME": str(home / "home"), "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "playground", *arguments], input=data, capture_output=True,
                          timeout=120, env=environment, cwd=home)


@pytest.mark.slow
def test_standard_streams_hold_the_picture_alone(folder, model):
    done = run("inpaint", "--model", str(model), "--mask", "mask.png", "-", "-", data=Path("in.png").read_bytes(),
               home=folder)
    assert done.returncode == 0, done.stderr.decode()
    image, filled = read_image(Path("in.png")), read_image(done.stdout)
    assert (filled[:, ~hidden()] == image[:, ~hidden()]).all() and (filled[:, hidden()] != image[:, hidden()]).any()
    assert done.stderr.decode().endswith(".\n") and b"Traceback" not in done.stderr


@pytest.mark.slow
def test_codes_to_the_standard_output(folder, model):
    done = run("encode", "--model", str(model), "in.png", "-", "--out", "-", data=Path("in.png").read_bytes(),
               home=folder)
    assert done.returncode == 0, done.stderr.decode()
    written = np.load(io.BytesIO(done.stdout))  # no pickle inside, or this refuses
    assert written["codes"].shape == (2, 8) and (written["codes"][0] == written["codes"][1]).all()
    assert written["files"].tolist() == ["in.png", "-"]


@pytest.mark.parametrize("name", classical.FILLS)
def test_the_classical_fills(folder, name):
    assert main(["inpaint", "--model", name, "--mask", "mask.png", "in.png", "out.png"]) == 0
    expected = classical.FILLS[name](read_image(Path("in.png")), hidden())
    assert (read_image(Path("out.png")) == expected).all()


def picture(mode: str) -> Image.Image:
    """A picture of noise in a mode of Pillow's."""
    if mode == "I;16":
        return Image.fromarray(RNG.integers(0, 65536, (H, W)).astype(np.uint16))
    if mode == "P":
        return Image.fromarray(RNG.integers(0, 256, (H, W, 3), np.uint8)).quantize(16)
    if mode == "1":
        return Image.fromarray(RNG.integers(0, 2, (H, W)).astype(bool))
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.merge(mode, [Image.fromarray(RNG.integers(0, 256, (H, W), np.uint8)) for _ in range(bands)])


@pytest.mark.parametrize("mode, out, extension", [
    ("L", "L", "png"), ("1", "L", "png"), ("LA", "LA", "png"), ("I;16", "L", "png"), ("RGB", "RGB", "png"),
    ("RGBA", "RGBA", "png"), ("P", "RGB", "png"), ("CMYK", "RGB", "tif"),
])
@pytest.mark.parametrize("command", ["inpaint", "denoise", "reconstruct"])
def test_any_colour_mode_in_the_same_size_out(folder, model, command, mode, out, extension):
    picture(mode).save(f"odd.{extension}")
    mask = ["--mask", "mask.png"] if command == "inpaint" else []
    assert main([command, "--model", str(model), *mask, f"odd.{extension}", "out.png"]) == 0
    with Image.open("out.png") as written, Image.open(f"odd.{extension}") as read:
        assert written.size == (W, H) and written.mode == out
        if command != "inpaint":
            return
        if out.endswith("A"):  # what is known keeps colours and transparency, what was filled is opaque
            before, after = np.asarray(read), np.asarray(written)
            assert (after[~hidden()] == before[~hidden()]).all() and (after[hidden()][:, -1] == 255).all()
        else:
            before, after = read_image(Path(f"odd.{extension}")), read_image(Path("out.png"))
            assert (before[:, ~hidden()] == after[:, ~hidden()]).all()


def test_exif_rotation_is_applied(folder, model):
    turned = Image.Exif()
    turned[0x0112] = 6
    picture("RGB").save("turned.jpg", exif=turned)
    assert main(["reconstruct", "--model", str(model), "turned.jpg", "out.webp"]) == 0
    with Image.open("out.webp") as written:
        assert written.size == (H, W) and written.format == "WEBP"


def test_what_a_format_loses_is_said(folder, model, capsys):
    picture("RGBA").save("seen-through.png")
    assert main(["reconstruct", "--model", str(model), "seen-through.png", "out.jpg"]) == 0
    assert "no transparency" in capsys.readouterr().err
    picture("I;16").save("deep.png")
    assert main(["denoise", "--model", str(model), "deep.png", "out.png"]) == 0
    assert "became 8" in capsys.readouterr().err


def test_a_mask_of_another_size_is_scaled_with_a_note(folder, capsys):
    Image.open("mask.png").resize((2 * W, 2 * H)).save("large.png")
    assert main(["inpaint", "--model", "telea", "--mask", "large.png", "in.png", "out.png"]) == 0
    assert "The mask was scaled from 60 × 40 to 30 × 20 pixels." in capsys.readouterr().err


@pytest.mark.parametrize("arguments, words", [
    (["denoise", "--model", "nobody", "in.png", "out.png"], "no file and no model called 'nobody'"),
    (["denoise", "--model", "in.png", "in.png", "out.png"], "damaged or is not a model"),
    (["denoise", "--model", "telea", "in.png", "out.png"], "no file and no model"),
    (["inpaint", "--model", "telea", "in.png", "out.png"], "--mask"),
    (["inpaint", "--model", "telea", "--mask", "mask.png", "away.png", "out.png"], "away.png cannot be read"),
    (["inpaint", "--model", "telea", "--mask", "mask.png", "in.png", "out.gif"], "not as .gif"),
    (["inpaint", "--model", "telea", "--mask", "mask.png", "in.png", "away/out.png"], "No file can be written"),
    (["inpaint", "--model", "telea", "--mask", "text.txt", "in.png", "out.png"], "not a PNG"),
    (["inpaint", "--model", "telea", "--mask", "-", "-", "out.png"], "not both"),
    (["encode", "--model", "nobody", "in.png", "--out", "codes.npz"], "no file and no model"),
])
def test_what_is_wrong_ends_with_2_and_one_sentence(folder, capsys, arguments, words):
    Path("text.txt").write_text("no picture")
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert words in said.err and said.err.count("\n") == 1 and not said.out and not Path("out.png").exists()


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory) -> Path:
    path, one = tmp_path_factory.mktemp("model") / "upscaler.safetensors", experiment("upscale", "usual", "photos")
    checkpoint.save(path, Session(one, resident(one.data), "CPU").state("done"))
    return path


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_picture_is_made_twice_as_large_with_its_transparency(folder, upscaler, mode):
    picture(mode).save("odd.png")
    assert main(["upscale", "--model", str(upscaler), "--scale", "2", "odd.png", "out.png"]) == 0
    with Image.open("out.png") as written:
        assert written.size == (2 * W, 2 * H) and written.mode == mode


def test_without_a_model_the_shipped_one_enlarges(folder):
    assert main(["upscale", "in.png", "out.png"]) == 0
    with Image.open("out.png") as written:
        assert written.size == (2 * W, 2 * H)


def test_what_a_model_cannot_is_one_sentence(folder, upscaler, model, capsys):
    for arguments, words in (
        (["upscale", "--model", str(upscaler), "--scale", "4", "in.png", "out.png"], "enlarges 2 times, not 4 times"),
        (["upscale", "--model", str(model), "in.png", "out.png"], "was not trained to upscale"),
        (["denoise", "--model", str(upscaler), "in.png", "out.png"], "was not trained to denoise"),
    ):
        assert main(arguments) == 2
        said = capsys.readouterr().err.strip()
        assert words in said and said.count("\n") == 0
