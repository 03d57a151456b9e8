"""Detection: boxes against torchvision, precision against torchmetrics and by hand, heat maps there and back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from playground.__main__ import main
from playground.data import datasets
from playground.detections import COLOURS, BoxMeter, components, f1, matched, outlined, overlaps
from playground.events import Trouble
from playground.experiment import Experiment
from playground.images import to_png
from playground.labelling.detect import Detecting, found, pictured, told
from playground.restorer import Restorer
from playground.tasks.detect import BESIDE, boxes_of, drawn, focal
from playground.workbench import Workbench
from tests.plugins import experiment, until
from tests.studio import pixels, refused

MODEL = "detect-shapes"


def boxes(seed: int, *shape: int) -> torch.Tensor:
    """Random boxes (..., 4) within 40 pixels."""
    first = 30 * torch.rand(*shape, 2, generator=(rng := torch.Generator().manual_seed(seed)))
    return torch.cat([first, first + 1 + 9 * torch.rand(*shape, 2, generator=rng)], -1)


def answer(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor([rows], dtype=torch.float32)


def scenes(name: str = "shapes", **knobs):
    return datasets[name](**{"count": 100, **knobs}).load()


# What boxes are worth ------------------------------------------------------------------------------------------------


def test_overlaps_are_torchvisions():
    from torchvision.ops import box_iou

    a, b = boxes(0, 30), boxes(1, 20)
    assert torch.allclose(overlaps(a, b), box_iou(a, b), atol=1e-6)
    assert torch.allclose(overlaps(a[None], b[None])[0], overlaps(a, b))
    nothing = torch.zeros(1, 4)
    assert float(overlaps(nothing, nothing)) == 0


def test_each_true_box_is_found_once_by_the_best_score_of_its_class():
    truth = answer((0, 0, 10, 10, 1), (20, 20, 30, 30, 2), (-1, -1, -1, -1, -1))
    said = answer((0, 0, 10, 9, 1, 0.9), (0, 0, 10, 10, 1, 0.8), (20, 20, 30, 30, 1, 0.7), (20, 20, 30, 24, 2, 0.6),
                  (20, 20, 30, 26, 2, 0.5), (0, 0, 0, 0, 0, 0))  # fmt: skip
    which, value = matched(said, truth)
    assert which.tolist() == [[0, -1, -1, -1, 1, -1]]
    assert value[0].tolist() == pytest.approx([0.9, 0, 0, 0, 0.6, 0])
    assert f1(said, truth).item() == pytest.approx(2 * 2 / (5 + 2))
    assert f1(said, truth, 0.85).item() == pytest.approx(2 * 1 / (1 + 2))
    assert f1(0 * said, answer((-1, -1, -1, -1, -1))).item() == 1


def test_average_precision_by_hand():
    """Right, wrong, right of two: precision 1 up to recall 0.5, 2/3 up to 1, at the 101 recalls of COCO."""
    meter = BoxMeter()
    meter.update(answer((0, 0, 10, 10, 0, 0.9), (50, 50, 60, 60, 0, 0.8), (20, 20, 30, 30, 0, 0.7), (0, 0, 0, 0, 0, 0)),
                 answer((0, 0, 10, 10, 0), (20, 20, 30, 30, 0)))  # fmt: skip
    assert meter.figures()["map50"] == pytest.approx((51 + 50 * 2 / 3) / 101, abs=1e-4)


def test_average_precision_is_torchmetrics_of_all_thresholds():
    from torchmetrics.detection import MeanAveragePrecision

    rng = torch.Generator().manual_seed(3)
    true = torch.cat([boxes(5, 40, 3), torch.randint(0, 3, (40, 3, 1), generator=rng)], -1)
    moved = true[..., :4] + torch.randn(40, 3, 4, generator=rng)
    score = torch.rand(40, 3, 1, generator=rng).sort(1, descending=True)[0]
    said = torch.cat([moved, true[..., 4:], score], -1)
    meter, whole = BoxMeter(), MeanAveragePrecision()
    for part in (slice(0, 25), slice(25, 40)):
        meter.update(said[part], true[part])
    whole.update([{"boxes": one[:, :4], "labels": one[:, 4].long(), "scores": one[:, 5]} for one in said],
                 [{"boxes": one[:, :4], "labels": one[:, 4].long()} for one in true])  # fmt: skip
    assert 0.1 < meter.figures()["map50"] < 0.95
    assert meter.figures()["map50"] == pytest.approx(float(whole.compute()["map_50"]))


def test_a_threshold_finds_bright_pieces():
    image = np.zeros((3, 20, 30), np.uint8)
    image[1, 2:6, 3:9], image[0, 10:18, 12:28], image[2, 0, 0] = 200, 220, 255  # the last one is a speck
    assert components(image).tolist() == [[12, 10, 28, 18], [3, 2, 9, 6]]
    assert components(np.full((1, 9, 9), 7, np.uint8)).shape == (0, 4)


# Heat maps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "classes"), [("shapes", 6), ("cells", 1)])
def test_what_is_drawn_is_read_again(name, classes):
    data = scenes(name, size=48)
    truth = torch.from_numpy(data.boxes)
    heat, beside, near = drawn(truth, classes, 48, 48, 0.1)
    assert heat.shape == (100, classes, 48, 48) and beside.shape == (100, BESIDE, 48, 48)
    assert torch.equal(heat.amax(1, keepdim=True), near) and near.max() == 1
    again = boxes_of(torch.cat([heat, beside], 1), truth.shape[1])
    for said, true in zip(again, truth):
        said, true = said[said[:, 5] > 0.999], true[true[:, 4] >= 0]
        assert np.allclose(sorted(said[:, :5].tolist()), sorted(true.tolist()), atol=1e-4)


def test_a_bump_is_a_gaussian_of_its_box():
    truth = answer((4, 10, 24, 20, 0), (-1, -1, -1, -1, -1))
    heat, _, _ = drawn(truth, 2, 32, 40, 0.1)
    rows, columns = np.mgrid[:32, :40]
    wanted = np.exp(-((columns - 14) ** 2 / (2 * 2.0**2) + (rows - 15) ** 2 / (2 * 1.0**2)))
    assert np.allclose(heat[0, 0], wanted, atol=1e-6) and not heat[0, 1].any()


def test_focal_loss_is_the_papers():
    rng = np.random.default_rng(0)
    heat = rng.random((3, 2, 5, 4)) ** 2
    heat[0, 1, 2, 3] = heat[0, 0, 0, 0] = heat[1, 0, 4, 1] = 1
    logits = rng.normal(0, 2, heat.shape)
    p = 1 / (1 + np.exp(-logits))
    for i, wanted in enumerate(focal(torch.from_numpy(logits), torch.from_numpy(heat)).tolist()):
        total = 0.0
        for y, q in zip(heat[i].ravel(), p[i].ravel()):
            total -= (1 - q) ** 2 * np.log(q) if y == 1 else (1 - y) ** 4 * q**2 * np.log(1 - q)
        assert wanted == pytest.approx(total / max(1, (heat[i] == 1).sum()))
    assert torch.isfinite(focal(torch.tensor([[[[500.0, -500.0]]]]), torch.tensor([[[[0.0, 1.0]]]]))).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_outlines_are_drawn_about_sure_boxes_only(channels):
    x = torch.full((2, channels, 12, 14), 0.25)
    said = torch.zeros(2, 2, 6)
    said[0] = torch.tensor([[2, 3, 9, 8, 1, 0.9], [0, 0, 14, 12, 0, 0.1]])
    picture = outlined(x, said)
    assert torch.equal(picture[1], x[1])
    changed = (picture[0] != x[0]).any(0)
    wanted = torch.zeros(12, 14, dtype=torch.bool)
    wanted[3:8, 2:9] = True
    wanted[4:7, 3:8] = False
    assert torch.equal(changed, wanted)
    colour = torch.tensor(COLOURS[1]) / 255 if channels == 3 else torch.ones(1)
    assert torch.allclose(picture[0][:, 3, 2], colour)


def test_what_cannot_be_learnt_is_one_sentence():
    for query, words in (("task=detect&architecture=unet&data=digits", "without boxes"),
                         ("task=detect&architecture=dense&data=shapes", "U-Net")):  # fmt: skip
        made, (problem,) = Experiment.from_query(query)
        assert words in problem and made.settled() == (made, [])
        assert (made.data.name, made.architecture.name) == ("shapes", "unet")


# Pictures of any size ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Workbench(tmp_path_factory.mktemp("detect"), "cpu")
    yield made
    made.close()


@pytest.fixture(scope="module")
def detector(bench):
    """A detector of cells, hardly trained, which sees grey."""
    made = experiment("detect", "unet", "cells", epochs=1)
    job = bench.start(replace(made, data=replace(made.data, colour=False)))
    until(bench, job, "done", seconds=120)
    return job


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70))
def test_windows_give_the_maps_of_the_whole_picture(bench, detector, height, width):
    image = np.random.default_rng(height).integers(0, 256, (1, height, width), np.uint8)
    labeller = Detecting(Restorer(bench))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("playground.windows.SIDE", 16)
        maps, _ = asyncio.run(labeller.maps(detector, image))
    whole = bench.ask(detector, lambda model: model(torch.from_numpy(image[None]).float() / 255)).result(30)
    assert np.abs(maps - whole[0].detach().numpy()).max() < 1e-3
    assert found(maps).shape[1] == 6


def test_pictures_of_other_kinds_are_taken_and_said(bench, detector):
    labeller = Detecting(Restorer(bench))
    done = asyncio.run(labeller.label(detector, np.random.default_rng(0).integers(0, 256, (3, 200, 90), np.uint8)))
    assert "brightness alone" in done.note and "made smaller" in done.note
    assert [*done.scores] == ["cell"] and done.picture.shape[0] == 3 and done.labels is None
    done = asyncio.run(labeller.label(detector, np.zeros((1, 16, 16), np.uint8)))
    assert "made smaller" not in done.note and done.picture.shape == (3, 480, 480)


def test_models_and_pictures_that_cannot_be_used_are_one_sentence(bench, detector):
    labeller = Detecting(Restorer(bench))
    with pytest.raises(Trouble, match="not trained to detect"):
        asyncio.run(labeller.label("inpaint-shapes", np.zeros((3, 32, 32), np.uint8)))
    with pytest.raises(Trouble, match="grey or RGB"):
        asyncio.run(labeller.label(detector, np.zeros((4, 32, 32), np.uint8)))


def test_boxes_are_drawn_with_their_names():
    image, one = np.zeros((1, 40, 40), np.uint8), {"class": "b", "score": 0.91, "box": [10, 20, 30, 35]}
    plain, picture = pictured(image, [], ("a", "b")), pictured(image, [one], ("a", "b"))
    assert plain.shape == picture.shape == (3, 480, 480)
    changed = (plain != picture).any(0)
    assert changed[20 * 12, 10 * 12 : 30 * 12].all() and not changed[24 * 12 : 33 * 12, 12 * 12 : 28 * 12].any()
    assert (picture[:, 20 * 12 + 1, 200] == COLOURS[1]).all()


# The shipped model, on the command line and in the Studio ------------------------------------------------------------


@pytest.fixture(scope="module")
def scene():
    """A scene that was in no training: (c, h, w) and its boxes (b, 5)."""
    data = scenes(seed=77)
    at = int(np.flatnonzero((data.boxes[..., 4] >= 0).sum(1) == 2)[0])
    return data.images[at], data.boxes[at][data.boxes[at][:, 4] >= 0]


def as_boxes(data, said: list[dict]) -> torch.Tensor:
    return torch.tensor([[[*one["box"], data.box_classes.index(one["class"]), one["score"]] for one in said]])


def right(said: list[dict], truth: np.ndarray) -> float:
    return f1(as_boxes(datasets["shapes"], said), torch.from_numpy(truth[None])).item()


def test_the_command_writes_boxes_as_json_or_over_the_picture(scene, tmp_path, capsys):
    image, truth = scene
    (tmp_path / "scene.png").write_bytes(to_png(image))
    asked = ["detect", "--model", MODEL, str(tmp_path / "scene.png")]
    assert main([*asked, str(tmp_path / "out.json")]) == 0
    said = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert right(said["boxes"], truth) == 1
    assert {*said["scores"]} == {*datasets["shapes"].box_classes} and max(said["scores"].values()) <= 1
    assert main([*asked, str(tmp_path / "out.png")]) == 0
    assert Image.open(tmp_path / "out.png").size == (480, 480)
    capsys.readouterr()
    assert main(["detect", "--model", "inpaint-shapes", str(tmp_path / "scene.png"), "-"]) == 2
    assert "not trained to detect" in capsys.readouterr().err


def test_the_studio_finds_and_refuses(client, bring, scene):
    image, truth = scene
    picture, facts = client.predict(model=MODEL, image=bring(image.transpose(1, 2, 0)), api_name="/detect")
    assert right(facts["boxes"], truth) == 1 and pixels(picture).shape == (480, 480, 3)
    refused(lambda: client.predict(model="inpaint-shapes", image=bring(image.transpose(1, 2, 0)), api_name="/detect"),
            "not trained to detect")  # fmt: skip
    refused(lambda: client.predict(task="detect", architecture="unet", data="digits", api_name="/train"),
            "without boxes")  # fmt: skip


def test_the_label_tab_offers_and_tells(bench, scene, tmp_path):
    import gradio as gr

    from playground.studio.label_tab import Label

    class Actions:
        workbench, restorer = bench, Restorer(bench)

        def turn(self, request):
            return self

        async def __aenter__(self):
            return self

        async def __aexit__(self, *problem):
            return None

    tab = Label(Actions())
    with gr.Blocks():
        tab.build()
    assert MODEL in [name for _, name in tab.choices("detect")]
    (tmp_path / "scene.png").write_bytes(to_png(scene[0]))
    picture, scores, _, said = asyncio.run(tab.run("detect", MODEL, str(tmp_path / "scene.png"), None))
    classes = datasets["shapes"].box_classes
    assert {*list(scores)[:1]} <= {classes[int(kind)] for kind in scene[1][:, 4]}
    assert picture.shape[2] == 3 and "ms" in said


def test_told_boxes_are_plain_values():
    (one,) = told(np.array([[1, 2.3751, 3, 4, 1, 0.98766]], np.float32), ("a", "b"))
    assert one == {"class": "b", "score": 0.9877, "box": [1, 2.38, 3, 4]}
    assert json.loads(json.dumps(one)) == one
