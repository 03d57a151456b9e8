"""Filling by models trained to: every size, mask and colour, and one sentence where a network has no code."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import asyncio

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import masks
from playground.events import Trouble
from playground.explorer import Explorer
from playground.images import to_bytes
from playground.metrics import psnr_between
from playground.restorer import Restorer
from tests.explored import Asker, bench, client  # noqa: F401  (fixtures)
from tests.plugins import experiment, until
from tests.test_restorer import ask, box, digit, noise

GREY = experiment("inpaint", "unet", loss="bce", epochs=8)
MODELS = {
    "grey": GREY,
    "colour": experiment("inpaint", "unet", "photos", epochs=1),
    "dense": experiment("inpaint", "dense", epochs=2),
    "convolutional": experiment("inpaint", "convolutional", epochs=2),
}
which = pytest.mark.parametrize("which", sorted(MODELS))


@pytest.fixture(scope="module")
def names(bench):
    jobs = {name: bench.start(made) for name, made in MODELS.items()}
    for job in jobs.values():
        until(bench, job, "done", seconds=90)
    return jobs


@pytest.mark.slow
class TestFilling:
    @settings(deadline=None, max_examples=25)
    @given(model=st.sampled_from(sorted(MODELS)), height=st.integers(1, 50), width=st.integers(1, 50),
           channels=st.sampled_from([1, 3]), kind=st.sampled_from(masks.KINDS), seed=st.integers(0, 999))
    def test_known_pixels_stay_and_hidden_ones_play_no_part(self, bench, names, model, height, width, channels, kind,
                                                            seed):
        image, mask = noise(channels, height, width, seed=seed), masks.draw(kind, height, width, seed)
        other = np.where(mask, noise(channels, height, width, seed=seed + 1), image)
        first, second = (ask(bench, lambda r, picture=picture: r.inpaint(names[model], picture, mask)).image
                         for picture in (image, other))
        assert first.shape == image.shape and first.dtype == np.uint8
        assert (first[:, ~mask] == image[:, ~mask]).all()
        assert (first == second).all()

    @which
    @pytest.mark.parametrize("shape", [(1, 16, 16), (3, 16, 16), (3, 33, 40), (1, 7, 50)])
    def test_nothing_and_everything_hidden(self, bench, names, which, shape):
        image = noise(*shape)
        same = ask(bench, lambda r: r.inpaint(names[which], image, np.zeros(shape[1:], bool), image))
        assert (same.image == image).all() and "picture itself" in same.note and same.psnr is None
        made, other = (ask(bench, lambda r, seed=seed: r.inpaint(names[which], noise(*shape, seed=seed),
                                                                 np.ones(shape[1:], bool))) for seed in (0, 5))
        assert made.image.shape == shape and 5 < made.image.mean() < 250
        assert (other.image == made.image).all()

    def test_a_mask_of_another_size_is_scaled_and_the_note_says_so(self, bench, names):
        image, mask = noise(1, 16, 16), np.zeros((8, 32), bool)
        mask[2:4, 8:16] = True
        done = ask(bench, lambda r: r.inpaint(names["grey"], image, mask))
        changed = (done.image != image)[0]
        assert changed.any() and not changed[:4].any() and not changed[:, :4].any() and not changed[8:].any()
        assert done.note == "The mask was scaled from 32 × 8 to 16 × 16 pixels."

    def test_at_its_own_size_the_result_is_the_models_fill(self, bench, names):
        image, mask = digit(3), box()
        done = ask(bench, lambda r: r.inpaint(names["grey"], image, mask, image))
        hole = torch.from_numpy(mask)[None, None]
        theirs = bench._model(names["grey"]).fill(torch.from_numpy(image[None]).float() / 255, hole)[0].numpy()
        assert np.abs(done.image.astype(int) - to_bytes(theirs)).max() <= 1 and not done.note
        assert done.psnr == psnr_between(done.image, image, mask)

    def test_a_colour_model_and_a_grey_picture_and_the_other_way_round(self, bench, names):
        mask = box()
        grey = ask(bench, lambda r: r.inpaint(names["colour"], noise(1, 16, 16), mask))
        assert grey.image.shape == (1, 16, 16)
        picture = noise(3, 16, 16)
        colour = ask(bench, lambda r: r.inpaint(names["grey"], picture, mask))
        assert colour.image.shape == (3, 16, 16)
        for channel in range(3):  # a grey model fills each channel by itself
            alone = ask(bench, lambda r, c=channel: r.inpaint(names["grey"], picture[c : c + 1], mask))
            assert np.abs(alone.image[0].astype(int) - colour.image[channel]).max() <= 1

    @pytest.mark.parametrize("model, channels", [("grey", 1), ("grey", 3), ("colour", 3), ("dense", 1)])
    def test_a_large_picture_is_filled_in_tiles_with_progress(self, bench, names, model, channels):
        image, told = noise(channels, 230, 310), []
        mask = masks.draw("box", 230, 310, 4) | masks.draw("scratches", 230, 310, 5)
        done = ask(bench, lambda r: r.inpaint(names[model], image, mask, report=told.append))
        assert "overlapping tiles of 16 × 16" in done.note and (done.image[:, ~mask] == image[:, ~mask]).all()
        assert told == sorted(told) and told[-1] == 1 and len(told) > 3
        inside = done.image[:, mask]
        assert inside.std() < image.std() and 20 < inside.mean() < 235

    def test_it_fills_better_than_it_would_by_grey(self, bench, names):
        """Held-out digits with the same quarter hidden, against the mean of the known pixels."""
        ours, mean = [], []
        for number in range(40):
            truth, mask = digit(number), box()
            done = ask(bench, lambda r, t=truth, m=mask: r.inpaint(names["grey"], t, m, t))
            grey = np.where(mask, np.uint8(truth[:, ~mask].mean()), truth)
            ours.append(done.psnr)
            mean.append(psnr_between(grey, truth, mask))
        assert np.mean(ours) > np.mean(mean) + 1

    def test_training_goes_on_while_it_fills(self, bench):
        job = bench.start(experiment("inpaint", "unet", epochs=10_000))
        until(bench, job, "running")
        filled = [ask(bench, lambda r: r.inpaint(job, digit(), box())).image for _ in range(2)]
        assert all(one.shape == (1, 16, 16) for one in filled)
        bench.stop(job).result(5)


@pytest.mark.slow
class TestWhereACodeIsNeeded:
    @pytest.mark.parametrize("work", [
        lambda r, n: r.encode(n, [digit()]),
        lambda r, n: r.decode(n, np.zeros((1, 8))),
        lambda r, n: r.interpolate(n, digit(0), digit(1)),
    ])
    def test_the_restorer_says_so(self, bench, names, work):
        with pytest.raises(Trouble, match="^Inpaint 8 has no code .*choose another model.$"):
            ask(bench, lambda r: work(r, names["grey"]))

    @pytest.mark.parametrize("work", ["denoise", "reconstruct"])
    def test_other_ways_are_refused_by_name(self, bench, names, work):
        with pytest.raises(Trouble, match=f"not trained to {work}"):
            ask(bench, lambda r: getattr(r, work)(names["grey"], digit()))

    def test_the_explorer_says_so(self, bench, names, client):
        with pytest.raises(Trouble, match="no code"):
            asyncio.run(Explorer(bench).space(names["grey"]))
        asker = Asker(client, names["grey"])
        for path in ("", "map", "points.bin", "grid", "scores", "directions", "export.csv"):
            assert "no code that images come back from" in asker.problem(asker.get(path))
        assert "no code" in asker.problem(asker.post("decode", x=0, y=0))

    def test_inpainting_models_with_a_code_have_all_of_it(self, bench, names, client):
        codes = ask(bench, lambda r: r.encode(names["dense"], [digit(0), digit(1)]))
        walk = ask(bench, lambda r: r.interpolate(names["dense"], codes[0], codes[1], 4))
        assert codes.shape == (2, 8) and walk.shape == (4, 1, 16, 16)
        asker = Asker(client, names["dense"])
        assert asker.get().json()["k"] == 8 and asker.get("map").status_code == 200

    def test_choices_say_what_each_is_for(self, bench, names):
        choices = Restorer(bench).choices()
        ways = {name: {one.way for one in choices if one.name == job} for name, job in names.items()}
        coded = {"dense", "convolutional"}
        assert ways == {name: {"inpaint", "retrieve"} if name in coded else {"inpaint"} for name in names}
        assert {one.name for one in Restorer(bench).choices("inpaint")} >= set(names.values())
