"""The Paint page over HTTP: every answer against the restorer, the libraries or the data set itself."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import asyncio
import base64
import io
import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import masks
from playground.events import Trouble
from playground.paint_routes import Paint, bits, unbits
from playground.restorer import Restorer
from tests.explored import bench  # noqa: F401  (a fixture)
from tests.plugins import experiment, until

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def client(bench):
    with TestClient(Starlette(routes=Paint(lambda: bench).routes())) as client:
        yield client


@pytest.fixture(scope="module")
def run(bench):
    job = bench.start(experiment("denoising", epochs=2))
    until(bench, job, "done")
    return job


def picture(h: int = 20, w: int = 24, colour: bool = False) -> np.ndarray:
    return RNG.integers(0, 256, (h, w, 3) if colour else (h, w), np.uint8)


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def brought(client, array: np.ndarray, **query) -> dict:
    answer = client.post("/paint/picture", params={"kind": "upload", "name": "it.png", **query}, content=png(array))
    assert answer.status_code == 200, answer.text
    return answer.json()


def restored(client, desk: str, mask: np.ndarray, **question) -> dict[str, dict]:
    asked = {"model": "telea", "mask": bits(mask), **question}
    answer = client.post(f"/paint/desk/{desk}/restore", json=asked)
    assert answer.status_code == 200, answer.text
    lines = [json.loads(line) for line in answer.text.splitlines()]
    return {line["of"]: line for line in lines if "image" in line or "problem" in line}


def hole(h: int = 20, w: int = 24) -> np.ndarray:
    mask = np.zeros((h, w), bool)
    mask[5:12, 8:15] = True
    return mask


def problem(answer, status: int) -> str:
    assert answer.status_code == status, answer.text
    sentence = answer.json()["problem"]
    assert sentence.endswith(".") and "\n" not in sentence and "Traceback" not in sentence
    return sentence


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_masks_come_back_from_their_bits(height, width, seed):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    assert (unbits(bits(mask), height, width) == mask).all()


@pytest.mark.parametrize("text", ["", "?", "AAAA", 7, None, "A" * 999])
def test_what_is_no_mask_is_refused(text):
    with pytest.raises(Trouble):
        unbits(text, 20, 24)


def test_held_out_pictures_are_those_of_the_data_set(client, bench, run):
    told = client.get("/paint/pictures", params={"data": "digits", "like": run, "start": 3, "count": 4}).json()
    source = bench.supply.load(bench.experiment(run).data).result().source
    assert [one["index"] for one in told["pictures"]] == [3, 4, 5, 6] and told["total"] == len(source.held_out)
    for one in told["pictures"]:
        at = source.held_out[one["index"]]
        assert (pixels(one["image"]) == source.images[at, 0]).all()
        assert one["label"] == source.classes[source.labels[at]]
    facts = client.post("/paint/picture", params={"data": "digits", "like": run, "index": 5}).json()
    assert facts["known"] and (pixels(facts["image"]) == source.images[source.held_out[5], 0]).all()


def test_a_picture_and_its_mask_stay_on_the_desk(client):
    array, mask = picture(colour=True), hole()
    facts = brought(client, array)
    assert (facts["channels"], facts["height"], facts["width"], facts["known"]) == (3, 20, 24, False)
    restored(client, facts["desk"], mask)
    again = client.get(f"/paint/desk/{facts['desk']}").json()
    assert (unbits(again["mask"], 20, 24) == mask).all() and (pixels(again["image"]) == array).all()
    other = brought(client, picture(9, 9), desk=facts["desk"])
    assert other["desk"] == facts["desk"] and not unbits(other["mask"], 9, 9).any()


def test_results_are_those_of_the_restorer_and_the_libraries(client, bench, run):
    array, mask = picture(), hole()
    desk = brought(client, array)["desk"]
    told = restored(client, desk, mask, model=run, known=True)
    assert set(told) == {"model", "telea", "biharmonic"}
    ours = asyncio.run(Restorer(bench).inpaint(run, array[None], mask, array[None]))
    part = told["model"]
    box = (slice(part["top"], part["top"] + part["height"]), slice(part["left"], part["left"] + part["width"]))
    assert box == (slice(5, 12), slice(8, 15))  # what the mask covers, no more
    assert np.abs(pixels(part["image"]).astype(int) - ours.image[0][box]).max() <= 1
    assert part["psnr"] == pytest.approx(ours.psnr, abs=0.1) and part["ssim"] == pytest.approx(ours.ssim, abs=0.01)
    telea = cv2.inpaint(array, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    assert (pixels(told["telea"]["image"]) == telea[box]).all()
    mse = ((telea[mask] / 255 - array[mask] / 255) ** 2).mean()
    assert told["telea"]["psnr"] == pytest.approx(-10 * np.log10(mse), abs=0.01)


def test_the_saved_result_is_exact_and_keeps_what_was_known(client):
    array, mask = picture(colour=True), hole()
    desk = brought(client, array)["desk"]
    problem(client.get(f"/paint/desk/{desk}/result.png"), 404)
    restored(client, desk, mask)
    saved = np.asarray(Image.open(io.BytesIO(client.get(f"/paint/desk/{desk}/result.png").content)))
    assert (saved[~mask] == array[~mask]).all()
    assert (saved == cv2.inpaint(array, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)).all()


def test_without_a_known_truth_there_are_no_scores_and_an_empty_mask_is_the_picture(client):
    desk = brought(client, array := picture())["desk"]
    told = restored(client, desk, hole())
    assert all(told[of]["psnr"] is None and told[of]["ssim"] is None for of in ("model", "telea", "biharmonic"))
    empty = restored(client, desk, np.zeros((20, 24), bool))
    assert empty["model"]["image"] == "" and "itself" in empty["model"]["note"]
    assert (np.asarray(Image.open(io.BytesIO(client.get(f"/paint/desk/{desk}/result.png").content))) == array).all()


def test_noise_lies_where_it_was_painted_and_is_counted_there(client, run):
    array, mask = picture(), hole()
    desk = brought(client, array)["desk"]
    asked = {"way": "noise", "use": "denoise", "model": run, "kind": "masking", "level": 0.5}
    told = restored(client, desk, mask, **asked)
    noisy = array.copy()
    noisy[5:12, 8:15] = pixels(told["noisy"]["image"])
    assert told["noisy"]["left"] == 8 and set(np.unique(noisy[noisy != array])) == {0}  # masking: some became 0
    before = -10 * np.log10(((noisy[mask] / 255 - array[mask] / 255) ** 2).mean())
    assert told["noisy"]["psnr"] == pytest.approx(before, abs=0.01)
    out = array.copy()
    out[5:12, 8:15] = pixels(told["model"]["image"])
    after = -10 * np.log10(((out[mask] / 255 - array[mask] / 255) ** 2).mean())
    assert told["model"]["psnr"] == pytest.approx(after, abs=0.01)
    everywhere = restored(client, desk, np.zeros((20, 24), bool), **asked)
    assert (everywhere["noisy"]["width"], everywhere["noisy"]["height"]) == (24, 20)
    again = restored(client, desk, mask, **asked)  # equal seeds, equal noise
    assert (again["noisy"], again["model"]["image"]) == (told["noisy"], told["model"]["image"])
    nothing = restored(client, desk, mask, **{**asked, "kind": "none"})
    assert nothing["noisy"]["psnr"] is None and nothing["model"]["psnr"] is None


def test_a_model_that_cannot_says_so_and_the_fills_still_come(client):
    told = restored(client, brought(client, picture())["desk"], hole(), model="never-heard-of")
    assert told["model"]["problem"].endswith(".") and told["telea"]["image"] and told["biharmonic"]["image"]


@pytest.mark.parametrize("kind", masks.KINDS)
def test_random_masks_are_those_of_the_masks_module(client, kind):
    told = client.get(f"/paint/mask/{kind}", params={"height": 28, "width": 36, "seed": 5}).json()
    assert (unbits(told["mask"], 28, 36) == masks.draw(kind, 28, 36, 5)).all()


def test_an_uploaded_mask_is_what_is_bright_and_is_scaled_with_a_note(client):
    desk, mask = brought(client, picture())["desk"], hole()
    told = client.post(f"/paint/desk/{desk}/mask", content=png(mask.astype(np.uint8) * 255)).json()
    assert (unbits(told["mask"], 20, 24) == mask).all() and told["note"] == ""
    large = np.kron(mask, np.ones((2, 2), bool)).astype(np.uint8) * 255
    told = client.post(f"/paint/desk/{desk}/mask", content=png(large)).json()
    assert (unbits(told["mask"], 20, 24) == mask).all() and "48 × 40" in told["note"]


def test_a_drawing_is_fitted_to_the_model(client):
    facts = brought(client, np.full((280, 280), 255, np.uint8), kind="drawing", shape="1,28,28")
    assert (facts["height"], facts["width"], facts["channels"], facts["known"]) == (28, 28, 1, True)


def test_errors_are_one_sentence_with_the_status_that_fits(client, monkeypatch):
    desk = brought(client, picture())["desk"]
    send = {"model": "telea", "mask": bits(hole())}

    def asks(path, **question):
        return client.post(f"/paint/desk/{desk}/{path}", json=question)

    assert "not a PNG" in problem(client.post("/paint/picture", params={"name": "x.txt"}, content=b"hello"), 400)
    problem(client.post("/paint/picture", params={"kind": "theft"}, content=b"hello"), 400)
    problem(client.post("/paint/picture", params={"data": "digits", "index": 10**6}), 400)
    problem(client.post("/paint/picture", params={"data": "plane", "index": 0}), 400)
    problem(client.post("/paint/picture", params={"data": "digits", "like": "nobody"}), 404)
    problem(client.get("/paint/pictures", params={"data": "no-such"}), 404)
    problem(client.post("/paint/picture", params={"kind": "drawing", "shape": "x"}, content=png(picture())), 400)
    problem(client.post(f"/paint/desk/{desk}/mask", content=b"no picture"), 400)
    problem(client.get("/paint/desk/nobody"), 404)
    problem(client.post("/paint/desk/nobody/restore", json=send), 404)
    problem(asks("restore", **{**send, "mask": "AA"}), 400)
    problem(asks("restore", **{**send, "model": ""}), 400)
    problem(asks("restore", **{**send, "way": "guess"}), 400)
    problem(asks("restore", **{**send, "level": 7}), 400)
    problem(asks("restore", **{**send, "kind": "laughter"}), 400)
    problem(client.get("/paint/mask/spiral", params={"height": 9, "width": 9}), 404)
    problem(client.get("/paint/mask/box", params={"height": 9000, "width": 9000}), 413)
    problem(client.post("/paint/picture", content=png(np.zeros((3001, 4000), np.uint8))), 413)
    monkeypatch.setattr("playground.explore_answers.MOST_BYTES", 1000)
    problem(client.post("/paint/picture", content=png(picture(64, 64))), 413)


def test_large_pictures_are_shown_as_files_and_told_by_their_part(client):
    facts = brought(client, picture(300, 400))
    assert facts["image"].startswith("/paint/desk/")
    shown = client.get(facts["image"])
    assert shown.headers["content-type"] == "image/png" and Image.open(io.BytesIO(shown.content)).size == (400, 300)
