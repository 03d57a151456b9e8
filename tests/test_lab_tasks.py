"""The Train page's Task control as a script: what it brings and takes away, and that nothing set is lost by it."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from playground.experiment import PARTS, Experiment
from playground.knobs import knobs, matters
from playground.tasks import tasks
from tests.test_lab import SMALL, address, bench, buttons, job, page, until  # noqa: F401  (fixtures)


def widget(test, kind: str, name: str):
    """The one widget of a control; its key has a number behind it once the page itself has changed what it shows."""
    (found,) = [one for one in test.get(kind) if re.fullmatch(rf"knob\.{re.escape(name)}(\.\d+)?", one.key or "")]
    return found


def networks(test) -> list[str]:
    return list(widget(test, "button_group", "architecture").options)


def groups(test) -> set[str]:
    return {re.sub(r"\.\d+$", "", element.key) for kind in ("button_group", "selectbox") for element in test.get(kind)}


def choose(test, part: str, name: str):
    widget(test, "selectbox" if part == "task" else "button_group", part).set_value(name).run()
    assert not test.exception, test.exception
    return test


@pytest.mark.slow
def test_inpainting_takes_the_variant_away_and_brings_the_u_net(page):
    test = page()
    assert "knob.variant" in groups(test) and "U-Net" not in networks(test)
    choose(test, "task", "inpaint")
    assert "knob.variant" not in groups(test) and networks(test)[-1] == "U-Net"
    assert test.session_state["experiment"].task == tasks["inpaint"]()
    assert {one.value for one in test.caption} >= {tasks["inpaint"].motto}
    labels = {slider.label for slider in test.select_slider}
    assert {"Hidden", "Rim κ", "Known α"} <= labels
    choose(test, "architecture", "unet")
    assert test.session_state["experiment"].architecture.name == "unet"
    assert widget(test, "select_slider", "architecture.unet.code").label == "Middle maps"
    assert widget(test, "toggle", "architecture.unet.skips").value is True


@pytest.mark.slow
def test_back_to_reconstruct_brings_variant_and_network_back(page):
    test = page(f"{SMALL}&architecture.depth=3&variant=sparse&variant.rho=0.2")
    before = test.session_state["experiment"]
    choose(choose(test, "task", "inpaint"), "architecture", "unet")
    widget(test, "select_slider", "architecture.unet.width").set_value(8).run()
    widget(test, "select_slider", "task.inpaint.rim").set_value(2.0).run()
    choose(test, "task", "reconstruct")
    assert test.session_state["experiment"] == before
    assert widget(test, "button_group", "variant").value == "sparse"
    assert widget(test, "button_group", "architecture").value == "dense"
    assert widget(test, "select_slider", "variant.sparse.rho").value == 0.2
    choose(test, "task", "inpaint")  # and what was set for inpainting is there again
    now = test.session_state["experiment"]
    assert (now.architecture.name, now.architecture.width, now.task.rim) == ("unet", 8, 2.0)
    assert widget(test, "select_slider", "architecture.unet.width").value == 8
    assert widget(test, "select_slider", "task.inpaint.rim").value == 2.0


@pytest.mark.slow
def test_a_variant_is_no_part_of_an_inpainting_experiment(page):
    test = page(f"{SMALL}&variant=denoising&variant.level=0.5")
    choose(test, "task", "inpaint")
    assert test.session_state["experiment"].variant == Experiment().variant
    held = address(test)
    assert "variant" not in held and "variant.level" not in held and held["task"] == "inpaint"


@pytest.mark.slow
def test_a_link_leads_there_and_the_address_leads_back(page):
    wanted = "task=inpaint&architecture=unet&architecture.width=4&task.holes=box&training.loss=bce"
    test = page(wanted)
    experiment = test.session_state["experiment"]
    assert not test.session_state["problems"] and experiment == Experiment.from_query(wanted)[0]
    assert widget(test, "selectbox", "task").value == "inpaint"
    assert widget(test, "button_group", "architecture").value == "unet"
    held = address(test)
    assert held.pop("run") == job(test)
    assert Experiment.from_query(urlencode(held)) == (experiment, [])
    choose(choose(page(), "task", "inpaint"), "architecture", "unet")
    again = page(urlencode(held))
    assert again.session_state["experiment"] == experiment


def test_a_u_net_in_a_link_to_reconstruct_is_told_and_left_out(page):
    test = page("architecture=unet")
    assert test.session_state["experiment"].architecture == Experiment().architecture
    assert "has no code" in " ".join(element.body for element in test.get("html"))


@pytest.mark.slow
def test_every_knob_of_every_task_has_a_control(page):
    for name in tasks:
        test = page(f"{SMALL}&task={name}")
        keys = {element.key for kind in ("select_slider", "selectbox", "button_group", "toggle") for element in
                test.get(kind)}
        assert {f"knob.task.{name}.{one}" for one in knobs(tasks[name]) if matters(tasks[name](), one)} <= keys


@pytest.mark.parametrize("query", ["task=inpaint", "task=inpaint&architecture=unet&architecture.width=4"])
@pytest.mark.slow
def test_it_trains_and_live_knobs_of_the_task_turn(page, bench, query):
    test = page(f"{query}&architecture.code=4")
    until(lambda: bench.snapshot(job(test)).status == "ready")
    buttons(test.run())["Step"].click().run()
    until(lambda: getattr(bench.snapshot(job(test)).event, "step", 0) == 1)
    before = job(test)
    assert [*bench.snapshot(before).event.terms] == ["reconstruction", "rim", "known"]
    widget(test, "select_slider", "task.inpaint.rim").set_value(5.0).run()
    assert job(test) == before and bench.snapshot(before).title.task.rim == 5.0
    assert address(test)["task.rim"] == "5.0"


def test_hide_leaves_the_task_out(page):
    assert "knob.task" not in groups(page(f"{SMALL}&hide=task"))
    assert set(PARTS) >= {"task", "variant", "architecture"}


def test_a_scale_that_the_images_cannot_be_made_smaller_by_is_refused_in_a_sentence(page):
    test = page("task=upscale&architecture=residual&architecture.width=4&architecture.depth=1&data=glyphs&data.size=14")
    before = test.session_state["experiment"]
    choose(test, "task.upscale.scale", 4)
    said = test.session_state["refused"]
    assert said == "Images of 14 × 14 pixels cannot be made 4 times smaller. The run before is still here."
    assert test.session_state["experiment"] == before
    choose(test, "task.upscale.scale", 2)
    assert test.session_state["refused"] == "" and test.session_state["experiment"] == before
