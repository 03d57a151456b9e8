"""Ways of the Studio's tabs that give more than a picture: a picture's like, and a file, made and read again."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from playground import aec
from playground.data import datasets
from playground.images import read_image, to_png
from playground.metrics import psnr_between
from playground.owners import MACHINE
from playground.studio.examples import editor_value, held_out_image
from playground.studio.pictures import enlarged

FIGURE = re.compile(r"<figcaption><b>(.*?)</b> ([\d.]+)")


@pytest.fixture
def actions(bench):
    from playground.studio.endpoints import Actions
    from playground.studio.training import Trainings

    return Actions(bench, Trainings(bench))


@pytest.fixture
def label(actions):
    from playground.studio.label_tab import Label

    return Label(actions)


@pytest.fixture
def restore(actions):
    from playground.studio.restore_tab import Restore

    return Restore(actions)


def ask(coroutine):
    return asyncio.run(coroutine)


def painted(image: np.ndarray) -> dict:
    """What the editor sends of a picture (c, h, w) that nothing is painted on."""
    big = enlarged(image)
    value = editor_value(big, np.zeros(big.shape[1:], bool))
    return value | {"background": np.pad(value["background"], ((0, 0), (0, 0), (0, 1)), constant_values=255)}


# Its like ------------------------------------------------------------------------------------------------------------


def test_its_like_is_what_the_endpoint_finds(actions, label, tmp_path):
    from playground.studio.applications.retrieve import _asked

    file = tmp_path / "one.png"
    file.write_bytes(to_png(255 - held_out_image("digits", 9)))  # in ink on paper
    name = "undercomplete-digits"
    *_, shown, said = ask(label.run("retrieve", name, str(file), None))
    for by, html in zip(("code", "pixels"), re.findall(r"<section.*?</section>", shown)):
        _, told = ask(_asked(actions)(name, str(file), by=by))
        assert [(one["label"], f"{one['distance']:.2f}") for one in told["neighbours"]] == FIGURE.findall(html)
        assert told["distance"] in said and f"{told['images']:,} images" in said
    table = ask(label.worth("retrieve", name, str(file), None))
    shares = [float(one) for one in re.findall(r'"precision">([\d.]+) %', table)]
    asker = label._like.asker
    wanted = ask(asker.precision(ask(asker.ready(name, asker.against(name)))))
    assert shares == pytest.approx([100 * wanted["code"], 100 * wanted["pixels"]], abs=0.051)


def test_it_begins_with_a_model_whose_images_are_at_hand(label, monkeypatch):
    def first(data: str) -> str:
        return label._offered("retrieve", MACHINE, data)["value"]

    for here, usual in ((True, "retrieve-mnist"), (False, "undercomplete-digits")):
        monkeypatch.setattr(datasets["mnist"], "at_hand", property(lambda self, here=here: here))
        assert first("") == first("mnist") == usual
        assert (first("digits"), first("shapes")) == ("undercomplete-digits", "undercomplete-shapes")


def test_each_way_shows_its_own_parts(label):
    for way, like in (("retrieve", True), ("classify", False)):
        _, shown, scores, *html = label.switch(way, "classify-digits", None)
        assert [one.visible for one in (shown, scores, *html)] == [not like, not like, like, like]
    assert {way for way, *_ in label._examples} == {"classify", "segment", "detect", "retrieve"}


def test_a_picture_that_is_none_is_put_away_and_another_is_kept(label, tmp_path):
    text, picture = tmp_path / "text.png", tmp_path / "picture.png"
    text.write_text("no picture")
    picture.write_bytes(to_png(held_out_image("digits", 9)))
    with pytest.raises(gr.Error, match="not a PNG"):
        ask(label.run("retrieve", "undercomplete-digits", str(text), None))
    assert ask(label.put_away(str(text))) is None and ask(label.put_away(str(picture))) is not None
    with pytest.raises(gr.Error, match="no run or model"):
        ask(label.run("retrieve", "nobody", str(picture), None))


# Compress ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [4, 8])
def test_a_picture_becomes_a_file_and_the_file_that_picture(restore, bits):
    image = held_out_image("digits", 20)
    (before, after), said, button = ask(restore.run("compress", "compress-digits", painted(image), "", 0, bits, None))
    data = packed(button).read_bytes()
    header = aec.read(data)
    assert (header.bits, header.sizes, header.model) == (bits, (image.shape,), "compress-digits")
    gallery, told = ask(restore.compressing.unpack(str(packed(button)), None))
    assert told == f"1 picture of {len(data):,} bytes."
    side = len(before) // image.shape[1]
    back = after[::side, ::side]
    assert (before[::side, ::side] == image[0]).all() and (shown(gallery) == back).all()
    rows = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in said.splitlines()
            if line.startswith("|")}
    size, each, worth = rows[f"Model, {bits} bits"]
    assert int(size) == len(data) and float(each) == pytest.approx(8 * len(data) / 256, abs=0.005)
    assert float(worth) == pytest.approx(psnr_between(back[None], image), abs=0.051)
    assert {way.partition(",")[0] for way in rows} >= {"Model", "JPEG", "WebP"}


def packed(button) -> Path:
    return Path(button.value["path"])


def shown(gallery) -> np.ndarray:
    (one,) = gallery.value
    return read_image(Path(one["image"]["path"]), "it")[0]


def test_large_pictures_are_not_measured_beside(restore, monkeypatch):
    from playground.studio import compressing

    monkeypatch.setattr(compressing, "CLASSICAL", 100)
    _, said, _ = ask(restore.run("compress", "compress-digits", painted(held_out_image("digits", 3)), "", 0, 4, None))
    assert "Model, 4 bits" in said and "JPEG" not in said


def test_a_file_that_is_none_is_one_sentence(restore, tmp_path):
    half, text = tmp_path / "half.aec", tmp_path / "notes.aec"
    _, _, button = ask(restore.run("compress", "compress-digits", painted(held_out_image("digits", 3)), "", 0, 4, None))
    half.write_bytes(packed(button).read_bytes()[:30])
    text.write_text("no codes")
    for path, words in ((half, "half.aec is damaged or cut off."), (text, "notes.aec is not a file of compressed")):
        with pytest.raises(gr.Error, match=words):
            ask(restore.compressing.unpack(str(path), None))


def test_the_pictures_title_fits_what_is_chosen(restore):
    from playground.studio.restore_tab import TITLES, WAYS

    titles = {way: restore.switch(way, None, None)[1].label for way in WAYS.values()}
    assert titles == TITLES and len({*titles.values()}) == len(WAYS)
    assert [way for way, title in titles.items() if "fill" in title] == ["inpaint"]
    assert "larger" in titles["upscale"] and "compress" in titles["compress"]
