"""Retrieval as a command and as an endpoint: pictures in, JSON and a contact sheet out, and sentences for bad input."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from playground import checkpoint
from playground.__main__ import main
from playground.trainer import Session
from tests.plugins import experiment, resident
from tests.studio import pixels, refused


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """A network on digits with its first weights, whose bits tell equal images from others as any do."""
    path, made = tmp_path_factory.mktemp("model") / "hasher.safetensors", experiment("retrieve", "dense")
    checkpoint.save(path, Session(made, resident(made.data), "CPU").state("done"))
    return str(path)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Three pictures and a text in `mine`, of which one is the question."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "lines").mkdir(parents=True)
    for i in range(3):
        shade = np.zeros((20, 30), np.uint8)
        shade[:, 5 + 5 * i : 9 + 5 * i] = 200
        Image.fromarray(shade).save(tmp_path / "mine" / ("lines" if i else "") / f"{i}.png")
    (tmp_path / "mine" / "notes.txt").write_text("no picture")
    return tmp_path


def printed(capsys) -> tuple[dict, str]:
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_a_folder_is_searched_for_a_picture_that_is_in_it(folder, model, capsys):
    ask = ["retrieve", "--model", model, "--folder", "mine", "mine/lines/2.png", "--out", "sheet.png"]
    for by, size in (("code", 1), ("pixels", 256)):
        assert main([*ask, "--by", by]) == 0
        told, said = printed(capsys)
        (result,) = told["results"]
        assert {one["file"] for one in result["neighbours"]} == {"0.png", "lines/1.png", "lines/2.png"}
        assert told["bytes"] == size and told["images"] == 3 and result["query"] == "mine/lines/2.png"
        found = {one["file"]: one for one in result["neighbours"]}
        assert found["lines/2.png"] == {"file": "lines/2.png", "label": "lines", "distance": 0.0}
        assert found["0.png"]["label"] == "unsorted"
        assert "notes.txt is not a PNG" in said and ("encoded in" in said) == (by == "code")
    assert result["neighbours"][0]["file"] == "lines/2.png"
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (4 * 96 + 3 * 4, 96)


def test_a_folder_without_labels_has_no_precision_and_says_why(folder, model, capsys):
    ask = ["retrieve", "--model", model, "--precision", "mine/0.png", "--folder"]
    assert main([*ask, "mine/lines"]) == 0
    told, said = printed(capsys)
    assert told["precision"] == {"code": None, "pixels": None}
    assert said.count("no labels, so there is no precision: put them in one folder per class.") == 1
    assert main([*ask, "mine"]) == 0  # in two folders
    told, said = printed(capsys)
    assert 0 <= told["precision"]["pixels"] <= 1 and "no labels" not in said


@pytest.mark.parametrize(("whose", "shape", "words"), [
    ("your own", (3, 40, 60), "as 28 × 28 pixels in grey."), ("your own", (1, 40, 60), "as 28 × 28 pixels."),
    ("your own", (1, 28, 28), ""), ("held out", (3, 40, 60), ""),
])
def test_the_page_says_what_the_model_sees_ones_own_picture_as(whose, shape, words):
    from playground.lab.applications import applications

    page = applications["retrieve"](SimpleNamespace(bench=None))
    page.whose = whose
    said = page._sees(SimpleNamespace(shape=(1, 28, 28)), np.zeros(shape, np.uint8))
    assert said.endswith(words) and bool(said) == bool(words)


@pytest.mark.slow
def test_a_data_set_is_searched_and_precision_told(folder, model, capsys):
    assert main(["retrieve", "--model", model, "--count", "4", "--precision", "mine/0.png", "mine/lines/1.png"]) == 0
    told, _ = printed(capsys)
    assert [len(one["neighbours"]) for one in told["results"]] == [4, 4] and told["images"] == 1438
    assert all(isinstance(one["index"], int) and one["label"] in "0123456789"
               for one in told["results"][0]["neighbours"])
    assert 0 < told["precision"]["code"] < told["precision"]["pixels"] < 1
    assert main(["retrieve", "--model", model, "--data", "glyphs", "mine/0.png"]) == 0


@pytest.mark.parametrize(("arguments", "words"), [
    (["--folder", "nowhere"], "no folder"), (["--folder", "empty"], "empty"), (["--data", "nothing"], "no data set"),
    (["--count", "0"], "1 to 100"), (["--data", "own:nobody"], "no pictures"), (["--model", "nobody"], "no model"),
    (["--out", "nowhere/sheet.png"], "No file can be written"),
])
def test_what_cannot_be_searched_is_one_sentence(folder, model, capsys, arguments, words):
    (folder / "empty").mkdir()
    assert main(["retrieve", "--model", model, "mine/0.png", *arguments]) == 2
    out, err = capsys.readouterr()
    assert words in err and not out and err.count("\n") == 1 + err.count("notes.txt")


def test_the_endpoint_finds_pictures_in_a_data_set_and_among_those_sent(client, learnt, bring):
    job, image = learnt[0]["job"], np.zeros((16, 16), np.uint8)
    image[3:13, 7:9] = 255
    row, facts = client.predict(model=job, image=bring(image), count=3, api_name="/retrieve")
    assert len(facts["neighbours"]) == 3 and facts["images"] == 1438 and facts["bytes"] == 16
    assert {one["label"] for one in facts["neighbours"]} <= {*"0123456789"}
    assert pixels(row).shape[:2] == (96, 4 * 96 + 3 * 4)
    sent = [bring(np.roll(image, 3 * i, 1), f"{i}.png") for i in range(3)]
    _, facts = client.predict(model=job, image=bring(image), among=sent, by="pixels", api_name="/retrieve")
    assert [one["file"] for one in facts["neighbours"]][0] == "0.png" and facts["neighbours"][0]["distance"] == 0
    for wrong, words in (({"against": "nothing"}, "no data set"), ({"by": "smell"}, "smell"), ({"count": 0}, "1 to")):
        refused(lambda wrong=wrong: client.predict(model=job, image=bring(image), **wrong, api_name="/retrieve"), words)


def test_it_is_a_tool_too(studio):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def tools():
        async with streamablehttp_client(f"{studio}/gradio_api/mcp/") as (reading, writing, _):
            async with ClientSession(reading, writing) as session:
                await session.initialize()
                return {tool.name: tool for tool in (await session.list_tools()).tools}

    tool = asyncio.run(tools())["retrieve"]
    assert {"model", "image", "against", "among", "by", "count"} <= set(tool.inputSchema["properties"])
    assert "most like" in tool.description


def test_the_page_opens_with_sixty_thousand_images_where_they_are_and_else_with_what_is_built_in(folder, monkeypatch):
    from playground.lab.applications import applications

    opens = applications["retrieve"].first.fget
    for first, here in (("undercomplete-digits", False), ("retrieve-mnist", True)):
        if here:
            raw = folder / "given" / "MNIST" / "raw"
            raw.mkdir(parents=True)
            (raw / "train-images-idx3-ubyte.gz").write_bytes(b"")
            monkeypatch.setenv("PLAYGROUND_DATASETS", str(folder / "given"))
        else:
            monkeypatch.delenv("PLAYGROUND_DATASETS", raising=False)
        assert opens(None) == first
        assert (Path(__file__).parents[1] / "pretrained" / first / "model.safetensors").is_file()
