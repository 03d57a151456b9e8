"""The Studio's tasks over HTTP, MCP and as its tabs offer them: inpainting is trained, used, stopped and resumed."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from playground.caps import Caps
from playground.events import Trouble
from playground.experiment import PARTS, Experiment, formulas
from playground.knobs import knobs
from playground.studio.training import Trainings, experiment
from playground.tasks import tasks
from tests.plugins import experiment as small
from tests.plugins import first_data, stepped, until
from tests.studio import pixels, refused

pytest.importorskip("gradio_client")
LIGHT = "architecture.width=4&architecture.depth=2"


@pytest.fixture(scope="module")
def inpainter(client) -> dict:
    """The last report of a U-Net that was trained to fill."""
    run = client.submit(task="inpaint", architecture="unet", code=8, epochs=1, more=LIGHT, api_name="/train")
    return run.result(timeout=120)


def test_inpainting_is_trained_by_name(client, inpainter):
    assert inpainter["status"] == "done" and inpainter["step"] == inpainter["steps"]
    assert [*inpainter["losses"]] == ["reconstruction", "rim", "known"]
    assert "task=inpaint" in inpainter["link"] and "architecture=unet" in inpainter["link"]
    made, problems = Experiment.from_query(inpainter["link"].partition("?")[2])
    assert not problems and made.task == tasks["inpaint"]() and made.architecture.code == 8


def test_it_is_listed_to_inpaint_first_and_without_a_code(client, learnt, inpainter):
    listed = {one["name"]: one for one in client.predict(api_name="/models")}
    assert listed[inpainter["job"]]["ways"] == ["inpaint"] and listed[inpainter["job"]]["code"] == 0
    assert listed[learnt[0]["job"]]["code"] == 4
    able = [one["name"] for one in client.predict(way="inpaint", api_name="/models")]
    assert inpainter["job"] in able and learnt[0]["job"] not in able


def test_it_fills_and_keeps_what_is_known(client, inpainter, bring):
    image = np.random.default_rng(1).integers(0, 256, (40, 30), np.uint8)
    mask = np.zeros((40, 30), np.uint8)
    mask[10:20, 8:20] = 255
    filled, facts = client.predict(model=inpainter["job"], image=bring(image), mask=bring(mask, "mask.png"),
                                   truth=bring(image, "truth.png"), api_name="/inpaint")  # fmt: skip
    assert (pixels(filled)[mask == 0] == image[mask == 0]).all() and facts["psnr"] > 0
    assert "projection" not in facts["note"]


def test_where_a_code_is_needed_it_is_refused_in_a_sentence(client, inpainter, bring):
    image, name = bring(np.zeros((16, 16), np.uint8)), inpainter["job"]
    for call in (
        lambda: client.predict(model=name, images=[image], api_name="/encode"),
        lambda: client.predict(model=name, codes=[[0.0] * 8], api_name="/decode"),
        lambda: client.predict(model=name, first=image, last=image, api_name="/interpolate"),
    ):
        refused(call, "no code that everything passes through")
    refused(lambda: client.predict(model=name, image=image, api_name="/reconstruct"), "not trained to reconstruct")


def test_what_does_not_go_together_is_refused_in_a_sentence(client):
    refused(lambda: client.predict(architecture="unet", api_name="/train"), "no code")
    refused(lambda: client.predict(task="inpaint", variant="sparse", api_name="/train"), "variant", "no say")
    refused(lambda: client.predict(task="fly", api_name="/train"), "fly", "inpaint")
    refused(lambda: client.predict(architecture="cathedral", api_name="/train"), "cathedral", "dense")


def test_a_stopped_run_is_resumed_where_it_was(client):
    run = client.submit(epochs=2000, more="architecture.width=32&architecture.depth=1", api_name="/train")
    for told in run:
        if told.get("step", 0) > 30:
            break
    stopped = client.predict(job=told["job"], api_name="/stop")
    assert stopped["status"] == "stopped"
    again = client.submit(job=told["job"], api_name="/resume")
    for later in again:
        if later.get("step", 0) > stopped["step"]:
            break
    assert later["status"] == "running"
    assert client.predict(job=told["job"], api_name="/stop")["step"] > stopped["step"]


def test_what_cannot_be_resumed_says_why(client, learnt):
    refused(lambda: client.predict(job=learnt[0]["job"], api_name="/resume"), "all its steps")
    refused(lambda: client.predict(job="nobody", api_name="/resume"), "no run or model")


def test_the_tools_know_tasks_and_resume(studio):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def use():
        async with streamablehttp_client(f"{studio}/gradio_api/mcp/") as (reading, writing, _):
            async with ClientSession(reading, writing) as session:
                await session.initialize()
                tools = {tool.name: tool for tool in (await session.list_tools()).tools}
                asked = {"task": "inpaint", "architecture": "unet", "code": 8, "epochs": 1, "more": LIGHT}
                return tools, await session.call_tool("train", asked)

    tools, trained = asyncio.run(use())
    fields = tools["train"].inputSchema["properties"]
    assert fields["task"]["type"] == fields["architecture"]["type"] == "string"
    assert fields["task"]["default"] == "reconstruct" and fields["architecture"]["default"] == "dense"
    assert "unet" in tools["train"].description + str(fields) and "resume" in tools
    assert "done" in trained.content[0].text and "task=inpaint" in trained.content[0].text


# Without a server ----------------------------------------------------------------------------------------------------


def test_settings_of_every_type_are_read():
    made = experiment({"task": "inpaint", "architecture": "unet", "architecture.skips": False, "task.rim": 2.0})
    assert made.architecture.skips is False and made.task.rim == 2.0
    with pytest.raises(Trouble, match="no code"):
        experiment({"architecture": "unet"})


def test_resuming_counts_like_starting_and_takes_saved_runs(tmp_path):
    from playground.workbench import Workbench

    async def main(bench: Workbench, saved: str) -> None:
        trainings = Trainings(bench, Caps(trainings=2))
        first = [await trainings.start("one", small(epochs=10_000)) for _ in range(2)]
        with pytest.raises(Trouble, match="2 runs at a time"):
            await trainings.resume("one", saved)
        await trainings.resume("two", saved)
        await asyncio.to_thread(stepped, bench, saved, 6)
        await trainings.stop(first[0])
        await trainings.resume("one", first[0])  # the place that it left
        await trainings.resume("one", first[0])  # again: it goes on already
        with pytest.raises(Trouble, match="2 runs at a time"):
            await trainings.start("one", small())
        for job in (*first, saved):
            await trainings.stop(job)

    bench = Workbench(tmp_path, "cpu")
    saved = bench.start(small(epochs=10_000))
    stepped(bench, saved, 5)
    bench.stop(saved).result(5)
    bench.close()
    bench = Workbench(tmp_path, "cpu")
    try:
        assert bench.snapshot(saved).status == "stopped"
        asyncio.run(main(bench, saved))
    finally:
        bench.close()


def chosen(controls, **parts: str) -> tuple:
    """The controls' values as they are at first, with some parts chosen."""
    named = {id(controls.data): "data", id(controls.task): "task", id(controls.variant): "variant",
             id(controls.architecture): "architecture"}  # fmt: skip
    return tuple(parts.get(named.get(id(one), ""), one.value) for one in controls.inputs)


def test_the_train_tabs_controls_follow_what_is_chosen():
    import gradio as gr

    from playground.studio.controls import Controls, networks

    with gr.Blocks():
        controls = Controls()
    assert controls.experiment(chosen(controls)) == Experiment()
    assert [name for _, name in networks("reconstruct")] == ["dense", "convolutional"]
    assert ("U-Net", "unet") in networks("inpaint")
    for task in tasks:
        data = first_data(task)
        told = controls.follow("digits", task, "sparse", "dense", {"task": "reconstruct"})
        assert told[0].get("value", "digits") == data and told[2]["value"] in [name for _, name in networks(task)]
        for _, network in networks(task):
            for variant in PARTS["variant"] if tasks[task].varied else ("sparse",):
                parts = {"data": data, "task": task, "variant": variant, "architecture": network}
                made = controls.experiment(chosen(controls, **parts))
                assert (made.task.name, made.architecture.name) == (task, network)
                assert made.variant.name == (variant if tasks[task].varied else Experiment().variant.name)
                assert formulas(made)
    _, variant, network, left, *shown = controls.follow("digits", "inpaint", "sparse", "dense", {"task": "reconstruct"})
    assert variant["visible"] is False and ("U-Net", "unet") in network["choices"]
    visible = {(one.part, one.knob) for one, told in zip(controls._following, shown) if told["visible"]}
    assert {knob for part, knob in visible if part == "task"} == set(knobs(tasks["inpaint"]))
    assert not [knob for part, knob in visible if part == "variant"] and ("architecture", "code") in visible
    _, _, _, left, *_ = controls.follow("digits", "inpaint", "sparse", "unet", left)
    _, variant, network, left, *_ = controls.follow("digits", "reconstruct", "sparse", "unet", left)
    assert variant["visible"] is True and network["value"] == "dense"  # as reconstruct was left
    _, _, network, *_ = controls.follow("digits", "inpaint", "sparse", "dense", left)
    assert network["value"] == "unet"


@pytest.mark.slow
def test_the_tabs_offer_what_suits(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench.library, "shipped", tmp_path)
    from playground.restorer import Restorer
    from playground.studio import examples
    from playground.studio.explore_tab import Explore
    from playground.studio.restore_tab import Restore

    class Actions:
        workbench, restorer = bench, Restorer(bench)

    jobs = {"plain": bench.start(small(epochs=1)), "inpaint": bench.start(small("inpaint", "unet", epochs=1))}
    for job in jobs.values():
        until(bench, job, "done", seconds=60)
    restore = Restore(Actions)
    assert [name for _, name in restore.choices("inpaint")][:2] == [jobs["inpaint"], jobs["plain"]]
    assert [name for _, name in restore.choices("reconstruct")] == [jobs["plain"]]
    assert examples.suited(Actions.restorer, "inpaint", "digits") == jobs["inpaint"]
    assert examples.suited(Actions.restorer, "inpaint", "shapes") == "telea"
    assert examples.suited(Actions.restorer, "denoise", "digits") is None
    monkeypatch.undo()  # and where models are shipped, these
    suited = [examples.suited(Actions.restorer, "inpaint", data) for data in ("digits", "shapes", "photos")]
    assert suited == ["inpaint-digits", "inpaint-shapes", "inpaint-photos"]
    assert examples.suited(Actions.restorer, "denoise", "digits") == "denoising-digits"
    for way, before, then in (
        ("denoise", "inpaint-digits", "denoising-digits"), ("denoise", "inpaint-photos", "denoise-photos"),
        ("inpaint", "denoising-shapes", "inpaint-shapes"), ("reconstruct", "inpaint-mnist", "undercomplete-mnist"),
        ("upscale", "restyle-photos", "upscale-photos-2"), ("upscale", "inpaint-digits", "upscale-photos-2"),
        ("inpaint", None, "inpaint-digits"),
    ):  # fmt: skip
        chosen, *_ = restore.switch(way, before, None)  # keeps to the images that the picture is likely to be of
        assert chosen.value == then
    told, _ = Explore(Actions).refresh(None)
    assert jobs["plain"] in told and jobs["inpaint"] not in told


def test_a_run_says_whether_it_can_go_on(bench):
    from playground.studio.train_tab import resumable

    job = bench.start(small(epochs=1), paused=True)
    until(bench, job, "ready")
    assert resumable(bench.snapshot(job))
    bench.resume(job).result(5)
    until(bench, job, "done")
    assert not resumable(bench.snapshot(job))
    job = bench.start(small(epochs=10_000))
    stepped(bench, job, 2)
    assert not resumable(bench.snapshot(job))
    bench.stop(job).result(5)
    assert resumable(bench.snapshot(job))
