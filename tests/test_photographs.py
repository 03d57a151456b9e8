"""Upscaling and denoising of photographs: what the networks are given, windows without seams, and colours."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from playground.architectures import architectures
from playground.events import Trouble
from playground.lab.applications import applications
from playground.probes import photographs
from playground.probes.sizes import LUMA, enlarged
from playground.restorer import Restorer
from playground.tasks.denoise import noise_level, told
from playground.tasks.upscale import VIEWS, shrunk
from playground.windows import Windows
from playground.workbench import Workbench
from tests.plugins import experiment, until


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def smooth(*shape: int) -> np.ndarray:
    """A picture (c, h, w) uint8 of coarse random shades."""
    c, h, w = shape
    coarse = rng().integers(0, 256, (c, max(1, h // 4), max(1, w // 4)), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((w, h), Image.Resampling.BICUBIC)) for one in coarse])


# What the networks are given -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 4])
def test_small_images_are_as_pillow_makes_them(scale):
    picture = smooth(1, 32, 48)
    small = Image.fromarray(picture[0]).resize((48 // scale, 32 // scale), Image.Resampling.BICUBIC)
    ours = shrunk(torch.from_numpy(picture[None]).float() / 255, scale)[0, 0].mul(255).round().numpy()
    assert np.abs(ours - np.asarray(small, float)).max() <= 1


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 14), st.integers(1, 14), st.sampled_from((2, 4)))
def test_what_is_too_small_to_be_made_smaller_is_one_sentence_and_all_else_is_measured(h, w, scale):
    picture = np.random.default_rng(0).integers(0, 256, (3, h, w)).astype(np.uint8)
    if min(h, w) // scale < 3:
        with pytest.raises(Trouble, match=f"{w} × {h} pixels is too small to be made {scale} times smaller"):
            photographs.smaller(picture, scale)
        return
    truth, small = photographs.smaller(picture, scale)
    assert truth.shape[1:] == tuple(scale * side for side in small.shape[1:])
    for image in photographs.interpolated(small, scale).values():
        assert photographs.worth(image, truth, scale)["psnr"] > 0


def test_noise_is_as_strong_as_the_network_is_told():
    task, x = experiment("denoise", "usual").task, torch.full((64, 1, 64, 64), 0.5)
    seen = task.see(x, experiment().variant, torch.Generator().manual_seed(0))
    noise, levels = (seen[:, :1] - x).flatten(1), seen[:, 1:].flatten(1)
    assert (levels == levels[:, :1]).all()
    assert 5 / 255 <= levels.min() < 9 / 255 and 51 / 255 < levels.max() <= 55 / 255
    assert torch.allclose(noise.std(1), levels[:, 0], rtol=0.06)
    assert noise.mean().abs() < 0.001


@pytest.mark.parametrize("sigma", [5.0, 25.0, 50.0])
def test_the_estimated_level_is_the_true_one_on_a_smooth_picture(sigma):
    clean = torch.from_numpy(smooth(1, 128, 128)[None]).float() / 255
    noisy = clean + sigma / 255 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    assert noise_level(noisy).item() * 255 == pytest.approx(sigma, rel=0.15)
    assert noise_level(torch.rand(3, 1, 1, 5)).flatten().tolist() == [0, 0, 0]


# Networks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 4])
def test_an_upscaler_begins_with_bicubic_interpolation(scale):
    made = experiment("upscale", "residual", "digits")
    made = replace(made, task=replace(made.task, scale=scale))
    x = torch.rand(2, 1, 7, 9)
    wanted = torch.nn.functional.interpolate(x, scale_factor=scale, mode="bicubic", align_corners=False)
    assert torch.equal(made.build((1, 8, 8))(x), wanted)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from(["residual", "unet"]), st.sampled_from([1, 2]))
def test_windows_give_what_the_whole_picture_gives(height, width, name, scale):
    architecture = architectures[name](width=4, depth=2, code=4)
    torch.manual_seed(0)
    if name == "unet":
        scale = 1
        encoder, decoder = architecture.build((1, 16, 16), "relu")
    else:
        encoder, decoder = architecture.build((1, 16, 16), "relu", scale=scale)
    for weights in decoder.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    x = torch.rand(1, 1, height, width)

    async def at_once(do):
        return do()

    def make(part: torch.Tensor) -> torch.Tensor:
        return decoder(encoder(part))

    windows = Windows(at_once, torch.device("cpu"), make, architecture.reach, scale, architecture.grain)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("playground.windows.SIDE", 16)
        pieces = asyncio.run(windows.over(x.numpy(), lambda done: None))
    with torch.no_grad():
        assert np.abs(pieces - make(x).numpy()).max() < 1e-3


@pytest.mark.parametrize("channels", [1, 3])
def test_non_local_means_cleans(channels):
    clean = smooth(channels, 40, 48)
    spoilt = photographs.noisy(clean, 25)
    made = photographs.non_local_means(spoilt, 25)
    assert made.shape == clean.shape and made.dtype == np.uint8
    assert photographs.worth(made, clean)["psnr"] > photographs.worth(spoilt, clean)["psnr"] + 2


def test_worth_is_of_luminance_without_the_rim():
    truth = smooth(3, 20, 24)
    other = truth.copy()
    other[:, :2] ^= 255
    assert photographs.worth(other, truth, 2)["psnr"] == 100
    grey = np.asarray(Image.fromarray(truth.transpose(1, 2, 0)).convert("L"))
    assert np.abs(photographs.luminance(truth)[0] - grey.astype(int)).max() <= 1


# Through the restorer ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Workbench(tmp_path_factory.mktemp("photographs"), "cpu")
    yield made
    made.close()


@pytest.fixture(scope="module")
def upscaler(bench):
    job = bench.start(experiment("upscale", "residual", "photos", epochs=1, rate=1e-4, loss="l1"))
    until(bench, job, "done", seconds=120)
    return job


@pytest.fixture(scope="module")
def denoiser(bench):
    made = experiment("denoise", "residual", "photos", epochs=60, rate=1e-2)
    job = bench.start(replace(made, data=replace(made.data, colour=False)))
    until(bench, job, "done", seconds=120)
    return job


def test_a_picture_is_enlarged_and_measured(bench, upscaler):
    picture = smooth(3, 19, 30)
    restored = asyncio.run(Restorer(bench).upscale(upscaler, picture, enlarged(picture[None], 2)[0]))
    assert restored.image.shape == (3, 38, 60) and restored.image.dtype == np.uint8
    assert restored.psnr > 25 and 0 < restored.ssim <= 1
    assert upscaler in {one.name for one in Restorer(bench).choices("upscale")}
    assert {one.way for one in Restorer(bench).choices() if one.name == upscaler} == {"upscale"}


def test_the_finest_does_not_depend_on_how_the_picture_is_turned(bench, upscaler):
    x = torch.from_numpy(smooth(3, 9, 12)[None]).float() / 255
    model = bench.ask(upscaler, lambda model: model).result(30).eval()
    with torch.no_grad():
        fine, once, two = model.enlarge(x, VIEWS), model.enlarge(x), model.enlarge(x, 2)
        mirrored = model.enlarge(x.flip(3)).flip(3)
        assert torch.allclose(model.enlarge(x.flip(3), 2).flip(3), two, atol=1e-5)
        assert not torch.allclose(mirrored, once, atol=1e-5)
        inside = ((once > 0) & (once < 1) & (mirrored > 0) & (mirrored < 1)).float()  # elsewhere each was cut to [0, 1]
        assert torch.allclose(inside * two, inside * (once + mirrored) / 2, atol=1e-5) and inside.mean() > 0.5
        for turned, back in ((x.flip(2), lambda y: y.flip(2)), (x.transpose(2, 3), lambda y: y.transpose(2, 3))):
            assert torch.allclose(back(model.enlarge(turned, VIEWS)), fine, atol=1e-5)
            assert not torch.allclose(back(model.enlarge(turned)), once, atol=1e-5)


def test_the_finest_is_asked_for_by_name(bench, upscaler):
    picture = smooth(3, 12, 10)
    ways = [asyncio.run(Restorer(bench).upscale(upscaler, picture, finest=finest)).image for finest in (False, True)]
    assert ways[0].shape == ways[1].shape and (ways[0] != ways[1]).any()
    assert np.abs(ways[0].astype(int) - ways[1]).max() < 40


def test_colours_stay_where_only_brightness_is_enlarged_by_a_grey_network(bench):
    made = experiment("upscale", "residual", "photos", epochs=1)
    job = bench.start(replace(made, data=replace(made.data, colour=False)))
    until(bench, job, "done", seconds=120)
    picture = smooth(3, 16, 24)
    restored = asyncio.run(Restorer(bench).upscale(job, picture))
    assert "brightness" in restored.note
    plain = enlarged(picture[None].astype(np.float32), 2)[0]
    inside = ((restored.image > 0) & (restored.image < 255)).all(0)
    change = restored.image - plain
    assert np.abs(change - np.tensordot(LUMA, change, 1))[:, inside].max() <= 1.5  # the same for red, green and blue


@pytest.mark.slow
def test_noise_is_taken_out_by_a_level_that_is_told_or_estimated(bench, denoiser):
    clean = smooth(1, 64, 64)
    noisy = np.clip(clean + rng(1).normal(0, 30, clean.shape), 0, 255).round().astype(np.uint8)
    restorer, before = Restorer(bench), 10 * np.log10(255**2 / np.square(clean - noisy.astype(float)).mean())
    told_it = asyncio.run(restorer.denoise(denoiser, noisy, clean, sigma=30))
    estimated = asyncio.run(restorer.denoise(denoiser, noisy, clean))
    assert told_it.psnr > before + 3 and abs(told_it.psnr - estimated.psnr) < 0.5
    assert "estimated" in estimated.note and "estimated" not in told_it.note
    nothing = asyncio.run(restorer.denoise(denoiser, clean, clean, sigma=0))
    assert nothing.psnr > told_it.psnr


@pytest.mark.parametrize("shape", [(1, 3, 400), (3, 400, 3), (1, 1, 1)])
def test_of_a_picture_too_small_to_tell_no_noise_is_estimated_and_that_is_said(bench, denoiser, shape):
    picture = rng(2).integers(0, 256, shape, np.uint8)
    assert photographs.estimated(picture) is None
    done = asyncio.run(Restorer(bench).denoise(denoiser, picture))
    assert "too small to estimate" in done.note and "σ" not in done.note and done.image.shape == shape
    page = applications["denoise"](SimpleNamespace(bench=bench))
    answer = asyncio.run(page.answer(SimpleNamespace(name=denoiser), picture, {"sigma": 25, "told": None}))
    assert [*answer.pictures] == ["Noisy", "Model"]
    answer = asyncio.run(page.answer(SimpleNamespace(name=denoiser), picture, {"sigma": 25, "told": 25}))
    assert [*answer.pictures] == ["Noisy", "Non-local means", "Model"]


@pytest.mark.parametrize(("size", "words"), [((1, 1800, 1800), "more than 12 million"), ((1, 4, 4), "as large")])
def test_what_cannot_be_enlarged_is_one_sentence(bench, upscaler, size, words):
    truth = np.zeros((1, 5, 5), np.uint8) if size[1] == 4 else None
    with pytest.raises(Trouble, match=words):
        asyncio.run(Restorer(bench).upscale(upscaler, np.zeros(size, np.uint8), truth))


def test_a_level_out_of_range_is_one_sentence(bench, denoiser):
    with pytest.raises(Trouble, match="0 to 255"):
        asyncio.run(Restorer(bench).denoise(denoiser, smooth(1, 8, 8), sigma=-1))


def test_levels_are_told_as_a_channel():
    x = torch.rand(2, 3, 4, 5)
    seen = told(x, torch.tensor([0.1, 0.2]).view(2, 1, 1, 1))
    assert seen.shape == (2, 4, 4, 5) and torch.equal(seen[:, :3], x)
    assert (seen[0, 3] == 0.1).all() and (seen[1, 3] == 0.2).all()
