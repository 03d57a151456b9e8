"""The Inside page's routes: every answer against the model itself."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import base64
import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from playground import inside_variants
from playground.batches import Batches, mix
from playground.inside_answers import tiles
from playground.inside_variants import LEVELS
from playground.inspector import NOISES
from playground.losses import kl_sparsity
from playground.probes import chain, narrowing, restoring, sensitivity
from tests.explored import as_bytes, close, picture, pixels
from tests.inspected import Asker, asker, bench, client, near, values  # noqa: F401  (fixtures)
from tests.plugins import experiment, stepped, until


def test_tiles_keep_their_numbers():
    images = np.random.default_rng(0).normal(size=(5, 2, 3, 4))
    near(tiles(images), images)
    together = tiles(images, together=True, most=3)
    assert together["scale"] == [pytest.approx(np.abs(images[:3]).max())] * 3 and together["count"] == 5
    assert tiles(np.zeros((1, 1, 2, 2)))["scale"] == [0.0]


@pytest.mark.parametrize("kind", ["undercomplete", "sparse", "contractive", "denoising"])
def test_only_sections_that_fit(asker, kind):
    about = asker(kind).get()
    assert about["sections"] == ["layers", "code", kind, "chain"]
    assert about["k"] == 8 and about["step"] > 0 and not about["lacking"]
    assert [one["part"] for one in about["layers"]] == ["input", "encoder", "code", "decoder", "output"]


@pytest.mark.slow
def test_a_u_net_shows_what_it_can_and_says_so(asker):
    unet = asker("inpaint", "unet")
    about = unet.get()
    assert about["sections"] == ["layers", "chain"] and about["lacking"].index(".") == len(about["lacking"]) - 1
    told = unet.post("forward", image=1)
    assert told["code"] is None and all("maps" in one for one in told["layers"])
    assert unet.get("filters")["filters"]["shape"] == [4, 1, 3, 3]
    assert unet.get("chain")["links"][-1]["layer"] == 1
    for path in ("sparsity", "displacement"):
        assert unet.get(path, status=400)["problem"].endswith(".")


@pytest.mark.parametrize("architecture", ["dense", "convolutional"])
def test_forward(asker, architecture):
    one = asker(architecture=architecture)
    told = one.post("forward", image=3)
    with torch.no_grad():
        out = one.model(one.x[3:4])[0].numpy()
        first = one.model.encoder.blocks[0](one.x[3:4])[0].numpy()
    assert close(pixels(told["input"]), as_bytes(one.x[3, 0].numpy()))
    assert close(pixels(told["output"]), as_bytes(out[0]))
    np.testing.assert_allclose(told["code"], one.code(3)[0], rtol=1e-4, atol=1e-5)
    assert told["psnr"] == pytest.approx(-10 * math.log10(np.mean((out - one.x[3].numpy()) ** 2)), abs=1e-3)
    if architecture == "dense":
        np.testing.assert_allclose(told["layers"][0]["units"], first, rtol=1e-4, atol=1e-5)
    else:
        near(told["layers"][0]["maps"], first[:, None])
    assert one.post("forward", image=4)["code"] != told["code"]


def test_a_picture_of_ones_own(asker):
    one = asker()
    drawn = picture((np.kron(np.eye(4), np.ones((16, 16))) * 255).astype(np.uint8))
    url = "data:image/png;base64," + base64.b64encode(drawn).decode()
    told = one.post("forward", image=url, centre=True)
    assert pixels(told["input"]).max() > 100 and told["code"] != one.post("forward", image=0)["code"]
    assert one.post("forward", image="no picture", status=400)["problem"].endswith(".")
    assert one.post("forward", image=10**6, status=400)["problem"].startswith("image must be")
    assert "points" in asker("denoising", data="plane").post("forward", image=url, status=400)["problem"]


def test_filters_and_columns(asker):
    one = asker()
    weight = one.model.encoder.blocks[0].linear.weight.detach().numpy()
    near(one.get("filters")["filters"], weight.reshape(-1, 1, 16, 16))
    with torch.no_grad():
        columns = (one.model.decode(torch.eye(8)) - one.model.decode(torch.zeros(1, 8))).numpy()
        code = one.model.encode(one.x[2:3])
    near(one.post("columns")["columns"], columns)
    slopes = torch.autograd.functional.jacobian(lambda s: one.model.decode(s[None])[0], code[0]).movedim(-1, 0)
    near(one.post("columns", way="slope", image=2)["columns"], slopes.numpy())


def test_the_images_that_excite_an_entry_most(asker):
    one = asker()
    images = one.images
    with torch.no_grad():
        codes = one.model.encode(images.held_out.float() / 255).numpy()
    told = one.get("excite", entry=5)
    truth = np.argsort(-codes[:, 5], kind="stable")[: len(told["index"])]
    np.testing.assert_allclose(told["values"], codes[truth, 5], rtol=1e-4, atol=1e-5)
    assert told["index"] == truth.tolist() and told["looked"] == len(codes) == sum(told["histogram"])
    strip = pixels(told["strip"])
    assert (strip[:, 16:32] == images.source.images[images.source.held_out[truth[1]]][0]).all()
    assert one.get("excite", entry=8, status=400)["problem"].startswith("entry must be")


def test_sparsity(asker):
    one = asker("sparse")
    told, codes = one.get("sparsity"), one.code()
    np.testing.assert_allclose(told["rates"], codes.mean(0), rtol=1e-4)
    truth = kl_sparsity(torch.from_numpy(codes.mean(0)).double(), one.made.variant.rho)
    np.testing.assert_allclose(told["penalties"], truth, rtol=1e-3)
    assert told["penalty"] == pytest.approx(float(one.made.variant.beta * truth.sum()), rel=1e-4)
    at, curve = map(np.array, told["curve"])
    assert abs(at[curve.argmin()] - told["rho"]) < 0.01 and curve.min() < 1e-3
    assert told["shares"][:3] == pytest.approx((codes[:3] > told["threshold"]).mean(1).tolist())


@pytest.mark.parametrize("kind", ["l1", "top-k"])
def test_sparsity_of_other_kinds(client, bench, kind):
    made = experiment("sparse", epochs=2)
    one = Asker(client, bench, replace(made, variant=replace(made.variant, kind=kind, active=3)))
    told, codes = one.get("sparsity"), one.code()
    np.testing.assert_allclose(told["rates"], codes.mean(0), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(told["kept"], (codes != 0).mean(0), atol=1e-6)
    wanted = one.made.variant.beta * np.abs(codes).sum(1).mean() if kind == "l1" else 0
    assert (told["kind"], told["rho"]) == (kind, None) and told["penalty"] == pytest.approx(wanted, rel=1e-3)
    assert kind == "l1" or sum(told["kept"]) == pytest.approx(3, abs=0.01)


def test_jacobian(asker):
    one = asker("contractive")
    told = one.post("jacobian", image=1)
    truth = torch.autograd.functional.jacobian(lambda x: one.model.encode(x)[0], one.x[1:2])[:, 0].detach().numpy()
    near(told["rows"], truth)
    flat = truth.reshape(8, -1).astype(np.float64)
    np.testing.assert_allclose(told["values"], np.linalg.svd(flat, compute_uv=False), rtol=1e-4, atol=1e-7)
    assert told["norm2"] == pytest.approx(float((flat**2).sum()), rel=1e-4) and told["still"] == 256 - 8
    most, least = values(told["ends"]).reshape(2, -1)
    assert np.linalg.norm(flat @ most) == pytest.approx(told["values"][0], rel=0.02)
    assert np.linalg.norm(flat @ least) < 2 * told["values"][-1] + 0.02 * told["values"][0]


def test_a_twin_is_trained_on_request_and_compared(asker, bench):
    one = asker("contractive", data="glyphs")
    before = one.get("displacement")
    assert before["twin"] is None and len(before["moved"]) == len(NOISES)
    truth = sensitivity.displacement(one.model, one.x[:128], NOISES)
    np.testing.assert_allclose(before["moved"], truth, rtol=1e-3, atol=1e-6)
    job = one.post("twin")["run"]
    until(bench, job, "done")
    twin = bench.experiment(job)
    assert twin.variant.name == "undercomplete" and twin.training == one.made.training
    assert (twin.data, twin.architecture) == (one.made.data, one.made.architecture)
    after = one.get("displacement")
    assert after["twin"]["name"] == job and after["twin"]["status"] == "done"
    np.testing.assert_allclose(
        after["twin"]["moved"], sensitivity.displacement(bench._model(job), one.x[:128], NOISES), rtol=1e-3, atol=1e-6
    )


def test_noise(asker):
    one = asker("denoising")
    told = one.post("noise", image=2, kind="masking")
    truth = restoring.restored(one.model, one.x[2:3], "masking", LEVELS)
    assert told["before"] == pytest.approx(truth.before, abs=1e-3)
    assert told["after"] == pytest.approx(truth.after, abs=1e-3)
    strip = pixels(told["restored"])
    assert close(strip[:, 16:32], as_bytes(truth.clean[1, 0]))
    before, after = restoring.levels_psnr(one.model, one.x[:256], "masking", LEVELS)
    np.testing.assert_allclose(told["all_before"], before, atol=1e-3)
    np.testing.assert_allclose(told["all_after"], after, atol=1e-2)
    assert one.post("noise", image=2)["kind"] == one.made.variant.kind
    assert one.post("noise", image=2, kind="rain", status=400)["problem"].startswith("kind is one of")


def test_the_field_of_the_plane_and_arrows_on_the_map(asker):
    one = asker("denoising", data="plane")
    told = one.get("field")
    points = np.array(told["points"], np.float32)
    with torch.no_grad():
        made = one.model(torch.from_numpy(points).view(-1, 1, 1, 2)).numpy().reshape(-1, 2)
    np.testing.assert_allclose(told["arrows"], made - points, atol=1e-4)
    path = np.array(told["path"])
    assert path.shape == (inside_variants.FLOW + 1, 361, 2)
    arrows = one.get("arrows", level=0.1)
    assert len(arrows["start"]) == len(arrows["end"]) == len(arrows["labels"]) and arrows["start"] != arrows["end"]
    assert asker("denoising").get("field", status=400)["problem"].endswith(".")


@pytest.mark.slow
def test_code_sizes_beside_pca(asker, bench):
    one = asker()
    told = one.get("sizes")
    rows = narrowing.rows(one.images.source.images)
    truth = narrowing.pca_errors(rows[one.images.source.train], rows[one.images.source.held_out][:512])
    np.testing.assert_allclose(one.get("pca")["errors"], truth, rtol=1e-3, atol=1e-4)
    own = next(run for run in told["runs"] if run["name"] == one.job)
    error = one.model.reconstruction_error(one.model.encode(one.x), one.x).mean()
    assert own["code"] == 8 and own["error"] == pytest.approx(float(error.detach()), rel=1e-3)
    assert 8 not in told["missing"] and 4 in told["missing"]
    runs = one.post("sizes/train")["runs"]
    assert one.post("sizes/train")["runs"] == []  # nothing is missing any more
    for job in runs:
        until(bench, job, "done", seconds=60)
    told = one.get("sizes")
    assert not told["missing"]
    by_code = {run["code"]: run["error"] for run in told["runs"]}
    assert set(by_code) >= {1, 2, 4, 8, 16, 32, 64, 128} and all(error > 0 for error in by_code.values())


def test_the_chain_rule_is_of_the_next_batch(asker):
    one = asker()
    told = one.get("chain")
    step, training = told["step"], one.made.training
    x = Batches(one.images, training.batch, training.seed)[step]
    truth = chain.backwards(one.model, one.made, x, torch.Generator().manual_seed(mix(training.seed, step)))
    assert told["loss"] == pytest.approx(truth.loss, rel=1e-5) and told["batch"] == training.batch
    assert [one["norm"] for one in told["links"]] == pytest.approx([one.norm for one in truth.links], rel=1e-4)
    assert all("<math" in one["factor"] and "<math" in one["result"] for one in told["links"])
    assert told["links"][0]["picture"]["scale"][0] == pytest.approx(np.abs(truth.links[0].gradient).max(), rel=1e-4)


def test_too_many_runs_on_request_are_refused(client, bench, monkeypatch):
    from playground import siblings

    monkeypatch.setattr(siblings, "MOST_ASKED", 0)
    job = bench.start(experiment("contractive", epochs=1))
    until(bench, job, "done")
    answer = client.post(f"/inspect/{job}/twin", json={})
    assert answer.status_code == 400 and answer.json()["problem"].endswith(".")


def test_an_unknown_run(client):
    answer = client.get("/inspect/never-heard-of")
    assert answer.status_code == 404 and answer.json()["problem"].endswith(".")


@pytest.mark.slow
def test_while_a_run_learns_answers_are_of_its_weights_now(client, bench):
    job = bench.start(experiment("sparse", epochs=10_000))
    try:
        stepped(bench, job, 1)  # before that its data may still be loading
        told, end = [], time.monotonic() + 20
        while len({one["step"] for one in told}) < 3:
            assert time.monotonic() < end
            answer = client.get(f"/inspect/{job}/sparsity")
            assert answer.status_code == 200, answer.text
            told.append(answer.json())
        assert told[0]["rates"] != told[-1]["rates"]
    finally:
        bench.stop(job).result(10)
    until(bench, job, "stopped")  # at rest no earlier copy of the weights stands in
    assert client.get(f"/inspect/{job}/sparsity").json()["step"] == bench.snapshot(job).event.step
