"""The Studio over HTTP and MCP, as programs use it: one running server, real runs, every limit, and what stays shut."""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from playground.caps import Caps
from playground.classical import telea
from playground.events import Trouble
from playground.studio.turns import Turns
from tests.browser.conftest import ROOT
from tests.studio import SMALL, pixels, refused

gradio_client = pytest.importorskip("gradio_client")
RNG = np.random.default_rng(0)


def test_every_action_is_an_endpoint_with_types_and_examples(client):
    told = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(told) == {f"/{name}" for name in ("inpaint", "denoise", "upscale", "reconstruct", "encode", "decode",
                                                  "interpolate", "models", "train", "resume", "stop",
                                                  "restyle", "compress", "decompress", "retrieve", "classify",
                                                  "segment", "detect")}  # fmt: skip
    for endpoint in told.values():
        assert endpoint["description"].endswith(".")
        for parameter in endpoint["parameters"]:
            assert parameter["example_input"] is not None and parameter["python_type"]["type"]
            assert "http" not in str(parameter["example_input"])


def test_training_streams_progress_to_its_figures(learnt):
    last, reports = learnt
    assert last["status"] == "done" and last["step"] == last["steps"] and last["metrics"]["psnr"] > 0
    assert {one["job"] for one in reports} == {last["job"]} and "variant=denoising" in last["link"]


def test_a_trained_model_is_listed_with_its_ways(client, learnt):
    (mine,) = [one for one in client.predict(api_name="/models") if one["name"] == learnt[0]["job"]]
    assert {"denoise", "reconstruct"} <= set(mine["ways"]) and mine["shape"] == [1, 16, 16] and mine["code"] == 4


def test_inpainting_keeps_what_is_known_and_agrees_with_the_library(client, learnt, bring):
    image = RNG.integers(0, 256, (33, 47, 3), np.uint8)
    hidden = np.zeros((33, 47), bool)
    hidden[10:16, 20:29] = True
    files = {"image": bring(image), "mask": bring(hidden.astype(np.uint8) * 255, "mask.png")}
    filled, facts = client.predict(model="telea", **files, truth=files["image"], api_name="/inpaint")
    np.testing.assert_array_equal(pixels(filled), telea(image.transpose(2, 0, 1), hidden).transpose(1, 2, 0))
    assert facts["psnr"] > 0
    filled, facts = client.predict(model=learnt[0]["job"], **files, api_name="/inpaint")
    np.testing.assert_array_equal(pixels(filled)[~hidden], image[~hidden])
    assert facts["psnr"] is None and facts["note"].endswith(".")


def test_denoise_and_reconstruct_give_the_size_that_came(client, learnt, bring):
    image = bring(RNG.integers(0, 256, (20, 30), np.uint8))
    for name in ("denoise", "reconstruct"):
        restored, _ = client.predict(model=learnt[0]["job"], image=image, api_name=f"/{name}")
        assert pixels(restored).shape[:2] == (20, 30)


def test_a_photograph_of_any_size_is_painted(client, bring):
    photo = np.random.default_rng(0).integers(0, 256, (33, 21, 3), np.uint8)
    made, facts = client.predict(model="restyle-photos", image=bring(photo), api_name="/restyle")
    assert pixels(made).shape == photo.shape and facts["seconds"] > 0
    assert pixels(made).std() < 0.8 * photo.std()  # noise is painted over


def test_codes_go_there_and_back(client, learnt, bring):
    first, last = (bring(RNG.integers(0, 256, (16, 16), np.uint8), f"{i}.png") for i in range(2))
    codes = client.predict(model=learnt[0]["job"], images=[first, last], api_name="/encode")["codes"]
    assert np.shape(codes) == (2, 4)
    row, several = client.predict(model=learnt[0]["job"], codes=codes, api_name="/decode")
    assert len(several) == 2 and pixels(row).shape[:2] == (16, 32)
    walk, steps = client.predict(model=learnt[0]["job"], first=first, last=last, steps=5, api_name="/interpolate")
    ends = pixels(walk).reshape(16, 5, 16, -1)[:, [0, -1]]
    decoded = pixels(row).reshape(16, 2, 16, -1)
    assert len(steps) == 5 and np.abs(ends.astype(int) - decoded).max() <= 1


def test_a_run_can_be_stopped(client):
    job = client.submit(epochs=5000, more=SMALL, api_name="/train")
    name = next(iter(job))["job"]
    assert client.predict(job=name, api_name="/stop")["status"] == "stopped"
    assert job.result(timeout=20)["status"] == "stopped"


def test_mistakes_are_told_in_a_sentence(client, learnt, bring):
    image = bring(RNG.integers(0, 256, (8, 8), np.uint8))
    refused(lambda: client.predict(model="nobody", image=image, api_name="/reconstruct"), "no run or model")
    refused(lambda: client.predict(model="a/../b", image=image, api_name="/reconstruct"))
    refused(lambda: client.predict(model=learnt[0]["job"], codes=[[1.0]], api_name="/decode"), "4")
    refused(lambda: client.predict(model=learnt[0]["job"], codes={"x": "y"}, api_name="/decode"), "Codes")
    refused(lambda: client.predict(variant="magic", api_name="/train"), "magic")
    refused(lambda: client.predict(data="nothing", api_name="/train"), "nothing")
    refused(lambda: client.predict(job="nobody", api_name="/stop"), "no run or model")


def test_wrong_and_giant_files_are_refused_with_the_limit(client, studio, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("not an image")
    wrong = gradio_client.handle_file(str(text))
    refused(lambda: client.predict(model="telea", image=wrong, mask=wrong, api_name="/inpaint"), "not a PNG")
    Image.new("1", (30_000, 30_000)).save(tmp_path / "giant.png")
    giant = gradio_client.handle_file(str(tmp_path / "giant.png"))
    refused(lambda: client.predict(model="telea", image=giant, mask=giant, api_name="/inpaint"), "12 million pixels")
    answer = httpx.post(f"{studio}/gradio_api/upload", files={"files": ("large.bin", bytes(20_000_001))}, timeout=60)
    assert answer.status_code == 413 and "maximum" in answer.text


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd",
                                  str(ROOT / "app.py"), "app.py", ".streamlit/config.toml"])
def test_file_addresses_lead_nowhere_else(studio, path):
    where = urlsplit(studio)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)  # sends the path as it is
    connection.request("GET", f"{where.path}/gradio_api/file={path}")
    answer = connection.getresponse()
    assert answer.status in (400, 403, 404) and b"root:" not in answer.read()


@pytest.mark.parametrize("path", ["/etc/passwd", str(ROOT / "playground/lab/assets/favicon.png"),
                                  "http://127.0.0.1:1/a.png"])
def test_a_file_of_the_server_cannot_be_passed_off_as_an_upload(studio, path):
    own = {"path": path, "meta": {"_type": "gradio.FileData"}}
    answer = httpx.post(f"{studio}/gradio_api/run/reconstruct", json={"data": ["telea", own]})
    assert answer.status_code >= 400 and "file=" not in answer.text
    with httpx.stream("GET", f"{studio}/gradio_api/call/reconstruct/" + httpx.post(
            f"{studio}/gradio_api/call/reconstruct", json={"data": ["telea", own]}).json()["event_id"]) as events:
        assert "event: error" in "".join(events.iter_text())


def test_uploads_are_kept_for_an_hour():
    from playground.studio import page

    assert page.HOUR == 3600 and page.OFTEN < page.HOUR


def test_twenty_clients_at_once_get_their_own_results(studio, client, bring):
    def ask(i: int) -> bool:
        image = np.full((24, 24), 10 * i + 5, np.uint8)
        image[:, i] = 255 - 10 * i
        mask = np.zeros((24, 24), np.uint8)
        mask[4:8, 4:8] = 255
        filled, _ = client.predict(model="telea", image=bring(image, f"own{i}.png"), mask=bring(mask, f"hole{i}.png"),
                                   api_name="/inpaint")  # fmt: skip
        return bool((pixels(filled)[mask == 0] == image[mask == 0]).all())

    with ThreadPoolExecutor(20) as many:
        assert all(many.map(ask, range(20)))


def test_two_hundred_requests_at_once_leave_it_standing(studio, client):
    async def all_at_once():
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200), timeout=60) as many:
            asked = [many.post(f"{studio}/gradio_api/run/models", json={"data": [""]}) for _ in range(200)]
            return await asyncio.gather(*asked)

    answers = asyncio.run(all_at_once())
    served = [answer for answer in answers if answer.status_code == 200]
    assert len(served) >= 64
    assert all("4 requests running and 60 waiting" in answer.text for answer in answers if answer.status_code != 200)
    assert client.predict(api_name="/models") is not None


def test_mcp_tools_have_the_same_names_and_answer(studio, learnt):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    def address(array: np.ndarray) -> str:
        stream = io.BytesIO()
        Image.fromarray(array).save(stream, "PNG")
        return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()

    image = RNG.integers(0, 256, (16, 16, 3), np.uint8)
    mask = np.zeros((16, 16), np.uint8)
    mask[4:8, 4:8] = 255

    files = {"image": address(image), "mask": address(mask)}

    async def use():
        async with streamablehttp_client(f"{studio}/gradio_api/mcp/") as (reading, writing, _):
            async with ClientSession(reading, writing) as session:
                await session.initialize()
                tools = (await session.list_tools()).tools
                listed = await session.call_tool("models", {})
                filled = await session.call_tool("inpaint", {"model": "telea", **files})
                wrong = await session.call_tool("inpaint", {"model": "no", **files})
                stolen = await session.call_tool("reconstruct", {"model": learnt[0]["job"], "image": {
                    "path": str(ROOT / "playground/lab/assets/favicon.png"), "meta": {"_type": "gradio.FileData"}}})
                trained = await session.call_tool("train", {"epochs": 1, "more": SMALL})
                return tools, listed, filled, wrong, stolen, trained

    tools, listed, filled, wrong, stolen, trained = asyncio.run(use())
    assert {"inpaint", "denoise", "upscale", "reconstruct", "compress", "decompress", "encode", "decode", "interpolate",
            "models", "train", "resume", "stop"} <= {
        tool.name for tool in tools}
    assert learnt[0]["job"] in listed.content[0].text
    shown = next(part for part in filled.content if part.type == "image")
    result = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown.data))).convert("RGB"))
    np.testing.assert_array_equal(result[mask == 0], image[mask == 0])
    assert wrong.isError and "no run or model" in wrong.content[0].text
    assert stolen.isError
    assert "done" in trained.content[0].text


@pytest.mark.slow
def test_gradio_is_not_on_the_way_to_the_first_page():
    code = "import sys, playground.server; print([one for one in ('gradio', 'torch', 'fastapi') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Turns ---------------------------------------------------------------------------------------------------------------


def test_a_visitor_has_so_many_turns_and_no_more():
    async def main():
        turns, now, most = Turns(Caps(running=2, waiting=3, request=5)), [0], [0]

        async def work(who: str) -> str:
            try:
                async with turns.turn(who):
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                    await asyncio.sleep(0.01)
                    now[0] -= 1
                    return "done"
            except Trouble as trouble:
                return str(trouble)

        told = await asyncio.gather(*(work("one") for _ in range(8)))
        assert told.count("done") == 5 and most[0] == 2
        assert all("2 requests running and 3 waiting" in text for text in told if text != "done")
        assert await work("one") == "done" and not turns._visitors

    asyncio.run(main())


def test_a_request_that_takes_too_long_is_ended_with_the_limit():
    async def main():
        async with Turns(Caps(request=0.05)).turn("one"):
            await asyncio.sleep(5)

    with pytest.raises(Trouble, match="0.05 s"):
        asyncio.run(main())


def test_nothing_is_written_outside_the_data_folder(served, client, learnt, bring):
    picture = bring(np.full((20, 20), 128, np.uint8))
    client.predict(model=learnt[0]["job"], image=picture, api_name="/reconstruct")
    assert served.astray() == [] and [*(served.home / "passing" / "files").rglob("*.png")]
