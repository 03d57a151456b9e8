"""Segmentation: figures against torchmetrics, losses against torch's own, windows against one go; what is refused."""

from __future__ import annotations

import asyncio
import io
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from playground import regions
from playground.__main__ import main
from playground.architectures import architectures
from playground.data import datasets
from playground.events import Trouble
from playground.experiment import Experiment
from playground.labelling import labellers
from playground.regions import RegionMeter, confusion, dice, iou, one_hot, overlaid
from playground.restorer import Restorer
from playground.tasks import tasks
from playground.tasks.segment import Segment, Segmenter, soft_dice, turned
from playground.variants import variants
from playground.windows import Windows
from tests.plugins import experiment, until

PLAIN = variants["undercomplete"]()


def drawn(classes: int = 4, seed: int = 0, shape: tuple[int, ...] = (6, 9, 7)) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels and truths that agree more often than not; the last class is nowhere."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes - 1, shape)
    said = np.where(rng.random(shape) < 0.6, truth, rng.integers(0, classes - 1, shape))
    return torch.from_numpy(said), torch.from_numpy(truth)


@pytest.fixture(scope="module")
def classification():
    from torchmetrics.functional import classification  # here: it loads torch's compiler, for seconds

    return classification


def test_figures_agree_with_torchmetrics(classification):
    said, truth = drawn()
    counts, asked = confusion(said, truth, 4), {"num_classes": 4, "average": "none"}
    assert torch.equal(counts, classification.multiclass_confusion_matrix(said, truth, 4))
    for mine, theirs in ((iou, classification.multiclass_jaccard_index), (dice, classification.multiclass_f1_score)):
        assert mine(counts)[:3].tolist() == pytest.approx(theirs(said, truth, **asked)[:3].tolist())
    assert iou(counts)[3].isnan() and dice(counts)[3].isnan()  # nowhere: neither found nor missed
    assert float(regions.accuracy(counts)) == pytest.approx(
        float(classification.multiclass_accuracy(said, truth, 4, average="micro")))


def test_the_meter_counts_all_images_together_whatever_the_chunks(classification):
    said, truth = drawn()
    meter = RegionMeter()
    for part in (slice(0, 1), slice(1, 6)):
        meter.update(one_hot(said[part], 4), truth[part], said)
    figures = meter.figures()
    assert figures["iou"] == pytest.approx(
        float(classification.multiclass_jaccard_index(said, truth, 4, average="none")[:3].mean()))
    assert figures["accuracy"] == pytest.approx(float((said == truth).double().mean()))
    assert figures["dice"] == pytest.approx(float(dice(confusion(said, truth, 4))[:3].mean()))


def test_the_grade_of_one_image_is_its_mean_iou(classification):
    said, truth = drawn()
    found = Segment().grades(one_hot(said, 4), truth, said)
    for i in range(len(said)):
        present = sorted({*said[i].unique().tolist(), *truth[i].unique().tolist()})
        known = classification.multiclass_jaccard_index(said[i], truth[i], 4, average="none")[present].mean()
        assert float(found[i]) == pytest.approx(100 * float(known), rel=1e-5)


def test_soft_dice_of_certain_answers_is_dice():
    said, truth = drawn()
    both = soft_dice(one_hot(said, 4), truth)
    for i, k in np.ndindex(6, 4):
        mine, true = said[i] == k, truth[i] == k
        assert float(both[i, k]) == pytest.approx(float((2 * (mine & true).sum() + 1) / (mine.sum() + true.sum() + 1)))
    assert torch.equal(soft_dice(one_hot(truth, 4), truth), torch.ones(6, 4))


def small_model(classes: int, channels: int = 3, skips: bool = True, depth: int = 2) -> Segmenter:
    torch.manual_seed(0)
    made = architectures["unet"](code=8, depth=depth, width=4, skips=skips)
    return Segmenter(*made.build((classes, 16, 16), "linear", extra=channels - classes))


@pytest.mark.parametrize("classes", [2, 5])
def test_the_objective_is_cross_entropy_and_what_dice_leaves(classes):
    model, task = small_model(classes), Segment(overlap=0.5, turned=False)
    x, target = torch.rand(3, 3, 16, 16), torch.randint(0, classes, (3, 16, 16), dtype=torch.uint8)
    (_, terms), = task.losses(model, x, target, PLAIN, torch.Generator())
    logits = model.decoder(model.encode(x))
    if classes == 2:  # then it is the binary one, of the logits' difference
        known = F.binary_cross_entropy_with_logits(logits[:, 1] - logits[:, 0], target.float(), reduction="none")
        assert torch.allclose(terms["cross-entropy"], known.mean((1, 2)), atol=1e-6)
    assert torch.allclose(terms["cross-entropy"].mean(), F.cross_entropy(logits, target.long()))
    assert torch.allclose(terms["dice"], 0.5 * (1 - soft_dice(logits.softmax(1), target.long()).mean(1)))
    assert [*terms] == [*task.formulas(PLAIN, "mse")]
    error = task.error(model, model.encode(x), target, x)
    assert torch.allclose(error, terms["cross-entropy"] + terms["dice"])
    assert torch.allclose(model(x).sum(1), torch.ones(3, 16, 16))


def test_images_and_masks_are_turned_together_in_all_eight_ways():
    mask = torch.arange(9).view(1, 3, 3).repeat(400, 1, 1)
    x, target = turned(mask[:, None].float(), mask, torch.Generator().manual_seed(0))
    assert torch.equal(x[:, 0], target.float()) and len({tuple(one.flatten().tolist()) for one in target}) == 8
    wide = torch.arange(6).view(1, 2, 3).repeat(100, 1, 1)
    _, found = turned(wide[:, None].float(), wide, torch.Generator().manual_seed(0))
    assert len({tuple(one.flatten().tolist()) for one in found}) == 4


@settings(max_examples=12, deadline=None)
@given(h=st.integers(1, 70), w=st.integers(1, 70), depth=st.integers(1, 3), skips=st.booleans())
def test_windows_give_what_one_go_gives_at_any_size(h, w, depth, skips):
    model, made = small_model(3, skips=skips, depth=depth), architectures["unet"](depth=depth)
    x = torch.rand(1, 3, h, w, generator=torch.Generator().manual_seed(h * w))

    async def ask(do):
        return do()

    windows = Windows(ask, torch.device("cpu"), lambda part: model.decoder(model.encode(part)), made.reach,
                      grain=made.grain)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr("playground.windows.SIDE", 16)
        pieces = asyncio.run(windows.over(x.numpy(), lambda fraction: None))
        assert np.abs(pieces - model.decoder(model.encode(x)).numpy()).max() < 1e-3


def test_what_has_no_masks_or_no_pixels_is_refused_in_a_sentence():
    made, problems = Experiment.from_query("task=segment&data=digits&architecture=dense")
    assert made.task == Segment() and (made.data.name, made.architecture.name) == ("shapes", "unet")
    assert any("no masks" in one for one in problems) and any("only the U-Net" in one for one in problems)
    for data in ("shapes", "cells", "oxford-pets"):
        assert Experiment.from_query(f"task=segment&architecture=unet&data={data}")[1] == []


def test_the_overlay_tints_all_but_the_ground():
    x, labels = torch.full((1, 1, 1, 2), 0.5), torch.tensor([[[0, 2]]])
    laid = overlaid(x, labels, 0.25)
    assert laid[0, :, 0, 0].tolist() == [0.5] * 3
    assert laid[0, :, 0, 1].tolist() == pytest.approx([0.375 + 0.25 * value / 255 for value in regions.PALETTE[2]])
    assert torch.equal(overlaid(x, labels, 0.0), x.expand(1, 3, 1, 2))
    assert len({*regions.PALETTE}) == regions.MOST


# On pictures of any size ---------------------------------------------------------------------------------------------


@pytest.fixture
def segmenter(bench):
    job = bench.start(experiment("segment", "usual", epochs=1))
    until(bench, job, "done")
    return job


@pytest.mark.parametrize("shape", [(3, 50, 37), (1, 16, 16), (3, 1, 1)])
def test_every_pixel_gets_a_class_and_the_shares_are_theirs(bench, segmenter, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    done = asyncio.run(labellers["segment"](Restorer(bench)).label(segmenter, image))
    assert done.labels.shape == shape[1:] and done.picture.shape == (3, *shape[1:])
    names = datasets["shapes"]().mask_classes
    assert [one["name"] for one in done.found["classes"]] == [*names] and len(done.palette) == len(names)
    assert [one["pixels"] for one in done.found["classes"]] == np.bincount(done.labels.ravel(), minlength=7).tolist()
    assert sum(done.scores.values()) == pytest.approx(1, abs=1e-3)
    assert [*done.scores.values()] == sorted(done.scores.values(), reverse=True)
    assert ("coloured" in done.note) == (shape[0] == 1)
    with torch.no_grad():
        model = bench.ask(segmenter, lambda model: model).result()
        whole = model(torch.from_numpy(image[None] / np.float32(255)).expand(-1, 3, -1, -1)).argmax(1)[0].numpy()
    assert (whole != done.labels).mean() < 0.01  # but for ties


def test_a_model_for_something_else_is_refused(bench):
    job = bench.start(experiment("upscale", "usual", epochs=1))
    with pytest.raises(Trouble, match="not trained to segment"):
        asyncio.run(labellers["segment"](Restorer(bench)).label(job, np.zeros((1, 8, 8), np.uint8)))


def test_the_command_writes_a_palette_png_or_json(bench, segmenter, tmp_path, capsys):
    bench.close()  # that the run lies in a file
    (model,) = tmp_path.rglob("*.safetensors")
    image = np.random.default_rng(0).integers(0, 256, (21, 33, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / "in.png")
    given = [f"--model={model}", str(tmp_path / "in.png")]
    assert main(["segment", *given, str(tmp_path / "out.png")]) == 0
    with Image.open(tmp_path / "out.png") as picture:
        labels = np.asarray(picture)
        assert picture.mode == "P" and labels.shape == (21, 33)
        assert picture.getpalette()[: 3 * 7] == [value for colour in regions.PALETTE[:7] for value in colour]
    assert main(["segment", *given, str(tmp_path / "out.json")]) == 0
    told = json.loads((tmp_path / "out.json").read_text())
    assert [one["pixels"] for one in told["classes"]] == np.bincount(labels.ravel(), minlength=7).tolist()
    assert main(["segment", *given, str(tmp_path / "out.jpg")]) == 2
    assert "written as .json or .png" in capsys.readouterr().err


# The page's pieces ---------------------------------------------------------------------------------------------------


def test_the_page_tells_figures_per_class_and_where_it_is_wrong():
    from playground.lab.applications.segment import layer_url, told

    said, truth = (one[0].numpy().astype(np.uint8) for one in drawn(3))
    names = ("ground", "a", "b")
    data = told(np.zeros((3, 9, 7), np.uint8), said, truth, names)
    assert [one["name"] for one in data["layers"]] == ["Model", "Truth", "Wrong"]
    known = iou(confusion(torch.from_numpy(said), torch.from_numpy(truth), 3))
    assert [row["cells"][2] for row in data["rows"][:2]] == [f"{float(value):.1%}" for value in known[:2]]
    assert data["rows"][2]["cells"][2:] == ("–", "–") and data["rows"][3]["name"] == "Mean"
    assert data["rows"][3]["cells"][:2] == ("", "")
    assert data["layers"][2]["note"] == f"{(said != truth).mean():.2%} of the pixels"
    assert told(np.zeros((1, 9, 7), np.uint8), said, None, names)["heads"] == ("Share",)

    plain = np.roll(truth, 1, 0)
    both = told(np.zeros((3, 9, 7), np.uint8), said, truth, names, plain)
    assert [one["name"] for one in both["layers"]] == ["Model", "By colour", "Truth", "Wrong"]
    assert both["layers"][3] == data["layers"][2]  # where the model is wrong
    rivals = iou(confusion(torch.from_numpy(plain), torch.from_numpy(truth), 3))
    for name, wanted in (("IoU", known), ("IoU by colour", rivals)):
        cells = [row["cells"][both["heads"].index(name)] for row in both["rows"]]
        assert cells == [f"{v:.1%}" if v == v else "–" for v in (*wanted.tolist(), float(wanted.nanmean()))]
    alone = told(np.zeros((3, 9, 7), np.uint8), said, None, names, plain)
    assert alone["heads"] == ("Share", "Share by colour")

    from base64 import b64decode

    with Image.open(io.BytesIO(b64decode(layer_url(said).partition(",")[2]))) as layer:
        clear = np.asarray(layer.convert("RGBA"))[..., 3]
    assert np.array_equal(clear == 0, said == 0)


def test_the_task_is_registered_with_its_page_and_its_command():
    from playground.lab.applications import applications

    assert "segment" in applications and "segment" in labellers and tasks["segment"]().ways(PLAIN) == ("segment",)
