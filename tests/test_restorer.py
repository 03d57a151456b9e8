"""The restorer on a workbench: what stays, what is made, what is refused, and what goes on meanwhile."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from playground import classical, coder, masks, metrics
from playground.caps import Caps
from playground.coder import usual
from playground.events import Trouble
from playground.images import to_bytes
from playground.restorer import Restorer
from tests.explored import bench  # noqa: F401  (a fixture)
from tests.plugins import experiment, resident, stepped, until

GREY, COLOUR = experiment("denoising", epochs=6), experiment("sparse", "convolutional", "photos", epochs=2)


@pytest.fixture(scope="module")
def names(bench):
    """A grey denoising model and a colour one that cannot denoise."""
    jobs = {"grey": bench.start(GREY), "colour": bench.start(COLOUR)}
    for job in jobs.values():
        until(bench, job, "done")
    return jobs | {name: name for name in classical.FILLS}


def ask(bench, work):
    """work(restorer) on an event loop of its own."""
    return asyncio.run(work(Restorer(bench)))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def digit(number: int = 0) -> np.ndarray:
    source = resident(GREY.data).source
    return source.images[source.held_out[number]]


def box(side: int = 16) -> np.ndarray:
    return masks.draw("box", side, side, 1)


class TestInpaint:
    @pytest.mark.slow
    @settings(deadline=None, max_examples=60)
    @given(which=st.sampled_from(["grey", "colour", "telea", "biharmonic"]), height=st.integers(1, 50),
           width=st.integers(1, 50), channels=st.sampled_from([1, 3]), kind=st.sampled_from(masks.KINDS),
           seed=st.integers(0, 999))
    def test_known_pixels_stay_bit_for_bit(self, bench, names, which, height, width, channels, kind, seed):
        image, mask = noise(channels, height, width, seed=seed), masks.draw(kind, height, width, seed)
        done = ask(bench, lambda r: r.inpaint(names[which], image, mask))
        assert done.image.shape == image.shape and done.image.dtype == np.uint8
        assert (done.image[:, ~mask] == image[:, ~mask]).all()

    @settings(deadline=None, max_examples=20)
    @given(which=st.sampled_from(["grey", "colour", "telea", "biharmonic"]), height=st.integers(4, 40),
           width=st.integers(4, 40), channels=st.sampled_from([1, 3]), seed=st.integers(0, 999))
    @pytest.mark.slow
    def test_what_is_hidden_plays_no_part(self, bench, names, which, height, width, channels, seed):
        image, mask = noise(channels, height, width, seed=seed), masks.draw("box", height, width, seed)
        other = np.where(mask, noise(channels, height, width, seed=seed + 1), image)
        first, second = (ask(bench, lambda r, picture=picture: r.inpaint(names[which], picture, mask)).image
                         for picture in (image, other))
        assert (first == second).all()

    @pytest.mark.parametrize("which", ["grey", "colour", "telea", "biharmonic"])
    @pytest.mark.parametrize("shape", [(1, 16, 16), (3, 33, 40)])
    @pytest.mark.slow
    def test_nothing_and_everything_hidden(self, bench, names, which, shape):
        image = noise(*shape)
        same = ask(bench, lambda r: r.inpaint(names[which], image, np.zeros(shape[1:], bool), image))
        assert (same.image == image).all() and "picture itself" in same.note and same.psnr is None
        made = ask(bench, lambda r: r.inpaint(names[which], image, np.ones(shape[1:], bool)))
        assert made.image.shape == shape and 5 < made.image.mean() < 250
        other = ask(bench, lambda r: r.inpaint(names[which], noise(*shape, seed=5), np.ones(shape[1:], bool)))
        assert (other.image == made.image).all()

    def test_a_mask_of_another_size_is_scaled_and_the_note_says_so(self, bench, names):
        image, mask = noise(1, 16, 16), np.zeros((8, 32), bool)
        mask[2:4, 8:16] = True
        done = ask(bench, lambda r: r.inpaint(names["grey"], image, mask))
        changed = (done.image != image)[0]
        assert changed.any() and not changed[:4].any() and not changed[:, :4].any() and not changed[8:].any()
        assert done.note.startswith("The mask was scaled from 32 × 8 to 16 × 16 pixels") and done.note.endswith(".")

    def test_figures_are_those_inside_the_hole(self, bench, names):
        truth, mask = digit(), box()
        done = ask(bench, lambda r: r.inpaint(names["grey"], np.where(mask, 0, truth).astype(np.uint8), mask, truth))
        error = ((done.image.astype(float) - truth) / 255)[:, mask]
        assert done.psnr == pytest.approx(-10 * np.log10(np.square(error).mean()), abs=1e-3)
        whole = structural_similarity(done.image[0], truth[0], data_range=255, full=True)[1]
        assert done.ssim == pytest.approx(whole[mask].mean(), abs=1e-6)
        assert ask(bench, lambda r: r.inpaint(names["grey"], truth, mask)).psnr is None

    def test_the_baselines_are_the_classical_fills(self, bench):
        image, mask = noise(3, 20, 24), masks.draw("scratches", 20, 24, 3)
        for name, fill in classical.FILLS.items():
            assert (ask(bench, lambda r, name=name: r.inpaint(name, image, mask)).image == fill(image, mask)).all()

    def test_masks_of_odd_bytes_are_masks(self, bench):
        image, mask = noise(1, 20, 20), masks.draw("scratches", 20, 20, 3)
        odd = (mask.astype(np.uint8) * 255).view(bool)  # as Pillow gives pictures of mode 1
        even, done = (ask(bench, lambda r, m=m: r.inpaint("biharmonic", image, m)).image for m in (mask, odd))
        assert (even == done).all()


class TestWhole:
    def test_reconstruct_is_the_models_own(self, bench, names):
        done = ask(bench, lambda r: r.reconstruct(names["grey"], digit(), digit()))
        with torch.no_grad():
            out = bench._model(names["grey"])(torch.from_numpy(digit()[None]).float() / 255)[0].clamp(0, 1).numpy()
        assert (done.image == to_bytes(out)).all() and not done.note
        assert done.psnr == metrics.psnr_between(done.image, digit()) and done.ssim is not None

    def test_denoise_removes_noise(self, bench, names):
        rng, gains = np.random.default_rng(0), []
        for number in range(10):
            clean = digit(number)
            noisy = to_bytes(clean / 255 + rng.normal(0, 0.3, clean.shape))
            done = ask(bench, lambda r, a=noisy, b=clean: r.denoise(names["grey"], a, b))
            gains.append(done.psnr - metrics.psnr_between(noisy, clean))
        assert np.mean(gains) > 0.5

    @pytest.mark.parametrize("which", ["grey", "colour"])
    @pytest.mark.parametrize("shape", [(1, 9, 40), (3, 40, 9), (3, 16, 16), (1, 45, 31)])
    def test_size_and_channels_stay(self, bench, names, which, shape):
        assert ask(bench, lambda r: r.reconstruct(names[which], noise(*shape))).image.shape == shape


class TestCodes:
    def test_encode_decode_interpolate(self, bench, names):
        images = [digit(0), digit(1), noise(3, 50, 20)]
        codes = ask(bench, lambda r: r.encode(names["grey"], images))
        model = bench._model(names["grey"])
        with torch.no_grad():
            theirs = model.encode(torch.from_numpy(np.stack(images[:2])).float() / 255).numpy()
            out = model.decode(torch.from_numpy(codes)).clamp(0, 1).numpy()
        assert codes.shape == (3, 8) and codes.dtype == np.float32 and np.allclose(codes[:2], theirs, atol=1e-5)
        decoded = ask(bench, lambda r: r.decode(names["grey"], codes))
        assert np.abs(decoded.astype(int) - to_bytes(out)).max() <= 1
        for way in ("straight", "spherical"):
            walk = ask(bench, lambda r, way=way: r.interpolate(names["grey"], digit(0), digit(1), 5, way))
            by_codes = ask(bench, lambda r, way=way: r.interpolate(names["grey"], codes[0], codes[1], 5, way))
            assert walk.shape == (5, 1, 16, 16) and np.abs(walk.astype(int) - by_codes).max() <= 1
            assert np.abs(walk[[0, -1]].astype(int) - decoded[:2]).max() <= 1

    def test_nothing_in_nothing_out(self, bench, names):
        assert ask(bench, lambda r: r.encode(names["grey"], [])).shape == (0, 8)
        assert ask(bench, lambda r: r.decode(names["grey"], np.zeros((0, 8)))).shape == (0, 1, 16, 16)


class TestRefusals:
    @pytest.mark.parametrize("work, words", [
        (lambda r, n: r.inpaint("nobody", noise(1, 16, 16), box()), "no run or model"),
        (lambda r, n: r.denoise(n["colour"], noise(1, 16, 16)), "not trained to denoise"),
        (lambda r, n: r.inpaint(n["grey"], noise(4, 16, 16), box()), "grey or RGB"),
        (lambda r, n: r.inpaint(n["grey"], np.zeros((1, 0, 5), np.uint8), box()), "at least one pixel"),
        (lambda r, n: r.reconstruct(n["grey"], noise(1, 16, 16), noise(1, 16, 17)), "another size"),
        (lambda r, n: r.decode(n["grey"], np.zeros((2, 9))), "8 finite numbers"),
        (lambda r, n: r.decode(n["grey"], np.full((1, 8), np.nan)), "8 finite numbers"),
        (lambda r, n: r.interpolate(n["grey"], digit(), digit(), 5, "round"), "straight and spherical"),
    ])
    def test_in_one_sentence(self, bench, names, work, words):
        with pytest.raises(Trouble, match=words):
            ask(bench, lambda r: work(r, names))

    def test_too_many_pixels(self, bench, names, monkeypatch):
        monkeypatch.setattr(coder, "caps", lambda: replace(Caps(), pixels=400))
        ask(bench, lambda r: r.reconstruct(names["grey"], noise(1, 20, 20)))
        with pytest.raises(Trouble, match="too many"):
            ask(bench, lambda r: r.reconstruct(names["grey"], noise(1, 20, 21)))


class TestBesideOthers:
    def test_ones_own_runs_come_first_and_the_list_begins_with_a_shipped_model(self, bench, names):
        found = Restorer(bench).choices("reconstruct")
        runs = [one.name for one in found if not one.shipped]
        assert {names["grey"], names["colour"]} <= set(runs)
        assert [one.shipped for one in found] == sorted(one.shipped for one in found)
        begin = usual(found)
        shipped = [one for one in found if one.shipped]
        assert shipped[0].name == "compress-digits" and not shipped[0].meant  # it can do that besides
        assert begin == next(one.name for one in shipped if one.meant)
        assert bench.experiment(begin).task.name == "reconstruct"
        assert usual(one for one in found if not one.shipped) == runs[0] and usual([]) is None

    def test_choices_say_what_each_can(self, bench, names):
        choices = [choice for choice in Restorer(bench).choices() if not choice.shipped]
        ways = {name: [choice.way for choice in choices if choice.name == names[name]] for name in ("grey", "colour")}
        assert ways == {"grey": ["project", "denoise", "reconstruct", "compress", "retrieve"],
                        "colour": ["project", "reconstruct", "compress", "retrieve"]}
        assert {choice.shape for choice in choices} == {(1, 16, 16), (3, 16, 16)}
        cleaners = Restorer(bench).choices("denoise")
        assert [choice.name for choice in cleaners if not choice.shipped] == [names["grey"]]

    def test_leaving_ends_the_work_and_others_go_on(self, bench, names):
        told = []

        async def leave(restorer: Restorer) -> float:
            mask = masks.draw("noise", 900, 900, 0)
            work = asyncio.ensure_future(
                restorer.inpaint(names["grey"], noise(3, 900, 900), mask, report=told.append))
            while not told:
                await asyncio.sleep(0.01)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            heard = len(told)
            await restorer.reconstruct(names["grey"], digit())
            await asyncio.sleep(0.1)
            return len(told) - heard

        assert ask(bench, leave) == 0 and told[-1] < 1

    @pytest.mark.slow
    def test_training_goes_on_beside_a_large_picture(self, bench, names):
        job = bench.start(experiment(epochs=10_000))
        stepped(bench, job, 5)
        before = bench.snapshot(job).event.step
        done = ask(bench, lambda r: r.inpaint(names["grey"], noise(1, 300, 300), masks.draw("noise", 300, 300, 0)))
        assert bench.snapshot(job).event.step > before + 5 and "overlapping tiles" in done.note
        bench.stop(job).result(5)

    def test_a_run_can_be_used_while_it_learns(self, bench):
        job = bench.start(experiment(epochs=10_000))
        stepped(bench, job, 5)
        assert ask(bench, lambda r: r.inpaint(job, digit(), box())).image.shape == (1, 16, 16)
        bench.stop(job).result(5)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twelve_megapixels(bench, names):
    image, mask, told = noise(3, 3000, 4000), np.zeros((3000, 4000), bool), []
    mask[1000:1100, 500:2000:7] = True
    for which in ("colour", "telea"):
        done = ask(bench, lambda r, which=which: r.inpaint(names[which], image, mask, report=told.append))
        assert done.image.shape == image.shape and (done.image[:, ~mask] == image[:, ~mask]).all()
    assert len(told) > 10 and told[-1] == 1.0
