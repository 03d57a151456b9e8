"""Compressing: what a code is trained for, pictures of any size through a file and back, JPEG and WebP beside it."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from playground import aec
from playground.compressor import Compressed, Compressor
from playground.events import Trouble
from playground.images import read_image
from playground.lab.applications import compress as page
from playground.layers.bounded import Bounded
from playground.metrics import psnr_between
from playground.probes import rates
from playground.probes.rates import Point
from playground.tasks import tasks
from playground.workbench import Workbench
from tests.plugins import experiment, until
from tests.studio import refused


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


# The task ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_rounded_codes_stand_on_their_levels(bits):
    task, code = replace(tasks["compress"](), bits=bits), torch.rand(500, 4) * 2 - 1
    halves = (code / task.step - 0.5).frac().abs()  # half way between two levels either is right
    code = torch.where((halves < 1e-3) | (halves > 1 - 1e-3), 0, code)
    rounded = task.rounded(code)
    assert (rounded - code).abs().max() <= task.step / 2 + 1e-6
    levels = torch.linspace(-1, 1, 2**bits - 1)
    assert torch.isclose(rounded.unsqueeze(-1), levels, atol=1e-6).any(-1).all() and 0 in task.rounded(code / 1000)
    data = aec.write("m", "0" * 16, (1, 4, 4), [(1, 4, 4)] * 500, code.numpy(), bits, (-1.0, 1.0))
    assert np.abs(aec.read(data).codes() - rounded.numpy()).max() < 1e-6


def test_what_it_learns_from_is_noise_as_wide_as_a_step():
    made = experiment("compress")
    model, x, seen = made.build(made.data.shape), torch.rand(64, *made.data.shape), []
    model.reconstruction_error = lambda code, target: seen.append(code) or torch.zeros(len(code))
    rng = torch.Generator().manual_seed(0)
    next(made.task.losses(model, x, x, made.variant, rng))
    clean = model.encoder.blocks[-1].activation.among(model.encoder.blocks[-1].linear(model.encoder[:-1](x).flatten(1)))
    apart = (seen[0] - clean) / made.task.step
    assert apart.abs().max() <= 0.5 + 1e-4 and apart.std().item() == pytest.approx(12**-0.5, rel=0.1)


def test_the_price_is_of_no_fewer_bits_than_the_rounded_codes_hold():
    task = tasks["compress"]()
    code = torch.tanh(torch.randn(4000, 6, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.01, 1, 6))
    levels = torch.round((task.rounded(code) + 1) / task.step).long()
    entropy = 0.0
    for column in levels.T:
        share = torch.bincount(column).float() / len(column)
        entropy -= float((share[share > 0] * share[share > 0].log2()).sum())
    assert entropy < float(task.rate(code)) < entropy + 6 * 0.6


def test_bounded_codes_learn_what_they_are_like():
    bounded, z = Bounded(3), torch.randn(256, 3) * torch.tensor([0.01, 1, 100]) + torch.tensor([5.0, -1, 30])
    assert bounded(z[:, 2:] * torch.ones(3)).abs().max() <= 1
    for _ in range(200):
        bounded.remember(z)
    with torch.no_grad():
        assert torch.allclose(bounded(z), bounded.among(z), atol=1e-3) and bounded(z).std(0).min() > 0.3
        assert torch.equal(bounded.among(z[:1]), bounded(z[:1]))  # one alone is not its own measure
    before = bounded.mean.clone()
    bounded.remember(z[:1] + 100)
    assert torch.equal(bounded.mean, before)


# Through a file ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Workbench(tmp_path_factory.mktemp("compress"), "cpu")
    yield made
    made.close()


@pytest.fixture(scope="module")
def names(bench) -> dict[str, str]:
    """Runs that have learnt: a grey one for the task, a coloured one with codes of any size, one without a code."""
    made = {"grey": bench.start(experiment("compress", epochs=12)),
            "colour": bench.start(experiment("sparse", "convolutional", "shapes", epochs=1)),
            "codeless": bench.start(experiment("inpaint", "unet", epochs=1))}  # fmt: skip
    for job in made.values():
        until(bench, job, "done", seconds=60)
    return made


def held_out(bench, name: str, count: int) -> list[np.ndarray]:
    source = bench.supply.load(bench.experiment(name).data).result().source
    return [source.images[i] for i in source.held_out[:count]]


def ask(bench, question):
    return asyncio.run(question(Compressor(bench)))


@pytest.mark.slow
def test_images_of_its_own_come_back_as_the_rounded_code_decodes(bench, names):
    images, name = held_out(bench, names["grey"], 40), names["grey"]
    done = ask(bench, lambda one: one.compress(name, images))
    assert done.bits == 4 and done.bytes_each == len(done.data) / 40 < 8 * 4 / 8 + 2 and done.note == ""
    back = ask(bench, lambda one: one.decompress(done.data))
    assert all((one == other).all() for one, other in zip(back, done.images)) and len(back) == 40
    task = bench.experiment(name).task

    def direct(model):
        with torch.no_grad():
            code = model.eval().encode(torch.from_numpy(np.stack(images)).float() / 255)
            return model.decode(task.rounded(code)).mul(255).round().numpy()

    assert np.abs(np.stack(back) - bench.ask(name, direct).result()).max() <= 1
    errors = [10 ** (-psnr_between(one, truth) / 10) for one, truth in zip(back, images)]
    assert done.psnr == pytest.approx(-10 * np.log10(np.mean(errors)), abs=1e-3)


@pytest.mark.parametrize("name", ["grey", "colour"])
@pytest.mark.parametrize("bits", [4, 8, 16, 32])
@pytest.mark.slow
def test_pictures_of_any_size_and_colours(bench, names, name, bits):
    images = [noise(1, 5, 40), noise(3, 33, 17), noise(3, 16, 16), noise(1, 1, 1)]
    told = []
    done = ask(bench, lambda one: one.compress(names[name], images, bits, told.append))
    assert [image.shape for image in done.images] == [image.shape for image in images]
    assert "blocks" in done.note and told == sorted(told) and told[-1] == 1
    back = ask(bench, lambda one: one.decompress(done.data))
    assert all((one == other).all() for one, other in zip(back, done.images))


@pytest.mark.slow
def test_more_bits_are_never_worse_and_the_points_are_of_the_files(bench, names):
    images = held_out(bench, names["grey"], 64)
    points = ask(bench, lambda one: one.rates(names["grey"], images, (1, 2, 4, 8, 16, 32)))
    assert [point.setting for point in points] == ["1 bit", "2 bits", "4 bits", "8 bits", "16 bits", "float32"]
    assert [point.bytes for point in points] == sorted(point.bytes for point in points)
    assert points[0].psnr < points[2].psnr and points[3].psnr == pytest.approx(points[5].psnr, abs=0.05)
    done = ask(bench, lambda one: one.compress(names["grey"], images, 4))
    assert (points[2].bytes, points[2].psnr) == (done.bytes_each, pytest.approx(done.psnr))


def test_what_cannot_be_compressed_is_one_sentence(bench, names):
    with pytest.raises(Trouble, match="no picture"):
        ask(bench, lambda one: one.compress(names["grey"], []))
    with pytest.raises(Trouble, match="not trained to compress"):
        ask(bench, lambda one: one.compress(names["codeless"], [noise(1, 8, 8)]))
    with pytest.raises(Trouble, match="32 bits"):
        ask(bench, lambda one: one.compress(names["grey"], [noise(1, 8, 8)], 12))
    with pytest.raises(Trouble, match="grey or RGB"):
        ask(bench, lambda one: one.compress(names["grey"], [noise(4, 8, 8)]))


def test_the_decoder_must_be_here_and_the_same(bench, names):
    data = ask(bench, lambda one: one.compress(names["grey"], [noise(1, 16, 16)])).data
    nobody = aec.write("nobody", "0" * 16, (1, 16, 16), [(1, 16, 16)], np.zeros((1, 8), np.float32), 4)
    with pytest.raises(Trouble, match="mine.aec is to be decoded by the model nobody, which is not here"):
        ask(bench, lambda one: one.decompress(nobody, "mine.aec"))
    with pytest.raises(Trouble, match="weights differ"):
        ask(bench, lambda one: one.decompress(data, "mine.aec", names["colour"]))
    other = bytearray(data)
    other[7] ^= 1  # of the digest, the checksum made to fit
    other[-4:] = np.uint32(aec.crc32(bytes(other[:-4]))).tobytes()
    with pytest.raises(Trouble, match="weights differ"):
        ask(bench, lambda one: one.decompress(bytes(other), "mine.aec"))


# JPEG and WebP -------------------------------------------------------------------------------------------------------


def test_classical_points_are_of_the_files_that_pillow_writes():
    images = [noise(1, 28, 28) // 4, noise(1, 28, 28) // 2]
    files = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image[0]).save(file, "JPEG", quality=50)
        files.append(file.getvalue())
    (point,) = rates.points(images, "JPEG, a file each", (50,))
    assert point.bytes == np.mean([len(file) for file in files]) and point.setting == "quality 50"
    wrong = [psnr_between(read_image(file, ""), image) for file, image in zip(files, images)]
    assert point.psnr == pytest.approx(-10 * np.log10(np.mean([10 ** (-one / 10) for one in wrong])), abs=1e-3)
    (bare,) = rates.points(images, "JPEG, its tables not counted", (50,))
    assert bare.psnr == point.psnr and point.bytes - bare.bytes > 300  # tables alone take that much
    assert all(files[0][-rates.scan_bytes(files[0]) :][:2] == b"\xff\xda" for _ in files)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("way", rates.CLASSICAL)
def test_each_way_gives_the_pictures_back_in_order(channels, way):
    images = [np.full((channels, 16, 12), 30 * i, np.uint8) for i in range(1, 8)]
    size, back = rates.CLASSICAL[way].through(images, 95)
    assert size > 1 and [one.shape for one in back] == [one.shape for one in images]
    assert max(abs(int(one.mean()) - int(truth.mean())) for one, truth in zip(back, images)) <= 6
    point, nearest = rates.nearest(images, way, 1.0)
    assert point.bytes == min(one.bytes for one in rates.points(images, way)) and len(nearest) == 7


def test_a_sheet_is_of_several_pictures_of_one_size():
    assert len(rates.ways([noise(1, 8, 8)])) == len(rates.ways([noise(1, 8, 8), noise(1, 8, 9)])) == 3
    assert rates.ways([noise(1, 8, 8)] * 2) == [*rates.CLASSICAL]


def test_bytes_at_a_psnr_are_read_off_the_curve():
    curve = [rates.Point(10, 20, ""), rates.Point(20, 30, ""), rates.Point(60, 40, "")]
    assert rates.bytes_at(curve, 25) == 15 and rates.bytes_at(curve, 40) == 60
    assert rates.bytes_at(curve, 19) is None and rates.bytes_at([], 25) is None


# The Studio ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 60)), min_size=1, max_size=8))
def test_the_psnr_at_some_bytes_is_read_off_the_curve(pairs):
    curve = [Point(size, psnr, "") for size, psnr in pairs]
    low, high = min(one.bytes for one in curve), max(one.bytes for one in curve)
    assert rates.worth_at(curve, low / 2) is None and rates.worth_at(curve, 2 * high) is None
    found = rates.worth_at(curve, (low * high) ** 0.5 if low < high else low)
    values = [one.psnr for one in curve]
    assert min(values) - 1e-9 <= found <= max(values) + 1e-9
    if len(curve) == 1:
        assert found == pytest.approx(values[0])


def test_a_line_of_the_curve_is_straight_in_the_logarithm_of_the_bytes():
    assert rates.worth_at([Point(1000, 30, ""), Point(10, 10, "")], 100) == pytest.approx(20)


def test_pictures_that_come_back_badly_are_explained_by_what_the_model_knows():
    rival, limits = [Point(100, 20, ""), Point(1000, 30, "")], "It knows digits only."

    def said(psnr: float, size: int) -> str:
        return page.strange(Compressed(b"x" * size, [np.zeros((1, 2, 2), np.uint8)], psnr, 4, 0.1, ""), rival, limits)

    assert said(6, 300) == f"That is less than JPEG gives at as many bytes, {rates.worth_at(rival, 300):.2f} dB: " \
                           "the model knows digits only."
    assert said(6, 10) == "That is little, below 15 dB: the model knows digits only."  # where JPEG can give nothing
    assert said(16, 10) == said(31, 300) == ""


@pytest.mark.parametrize(("shapes", "said"), [
    ([(1, 100, 90)] * 3, "Shown is the first of 3."), ([(1, 9, 9), (1, 9, 8)], "Shown is the first of 2."),
    ([(1, 9, 9)] * 30, "Shown are the first 24 of 30."), ([(1, 9, 9)] * 24, ""), ([(3, 500, 500)], ""),
])
def test_the_page_says_how_many_of_the_pictures_it_shows(shapes, said):
    images = [np.zeros(shape, np.uint8) for shape in shapes]
    assert page.partly(images) == said
    if " first of " in said:
        assert page.sheet(images).shape == shapes[0]


def test_endpoints_make_a_file_and_read_it(client, bring, tmp_path):
    library = pytest.importorskip("gradio_client")
    pictures = [bring(noise(28, 28), f"{i}.png") for i in range(3)]
    packed, facts = client.predict(model="compress-mnist", images=pictures, bits=None, api_name="/compress")
    assert facts["pictures"] == 3 and facts["bytes"] == Path(packed).stat().st_size and packed.endswith(".aec")
    images, told = client.predict(file=library.handle_file(packed), model="", api_name="/decompress")
    assert len(images) == told["pictures"] == 3
    half = tmp_path / "half.aec"
    half.write_bytes(Path(packed).read_bytes()[:50])
    refused(lambda: client.predict(file=library.handle_file(str(half)), model="", api_name="/decompress"), "damaged")
    refused(lambda: client.predict(file=bring(noise(9, 9)), model="", api_name="/decompress"), "not a file")
    refused(lambda: client.predict(model="compress-mnist", images=pictures * 30, bits=None, api_name="/compress"),
            "At most 64")
    refused(lambda: client.predict(model="compress-mnist", images=pictures, bits=9, api_name="/compress"), "32 bits")
