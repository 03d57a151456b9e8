"""A visitor of the explorer, and what the model itself says: what the tests of its routes share."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.explore_routes import Explore
from playground.workbench import Workbench
from tests.plugins import experiment, resident, until

COUNT = 400


class Asker:
    """One visitor of the explorer of one run."""

    def __init__(self, client: TestClient, job: str):
        self.client, self.job = client, job

    def get(self, path: str = "", **knobs):
        return self.client.get(f"/explore/{self.job}/{path}".rstrip("/"), params={"count": COUNT, **knobs})

    def post(self, path: str, **question):
        question.setdefault("map", {"count": COUNT})
        return self.client.post(f"/explore/{self.job}/{path}", json=question)

    def problem(self, answer, status: int = 400) -> str:
        assert answer.status_code == status, answer.text
        sentence = answer.json()["problem"]
        assert sentence.endswith(".") and "\n" not in sentence and "Traceback" not in sentence
        return sentence


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = Workbench(tmp_path_factory.mktemp("home"), "cpu")
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def client(bench):
    with TestClient(Starlette(routes=Explore(lambda: bench).routes())) as client:
        yield client


@pytest.fixture(scope="module")
def asker(bench, client):
    job = bench.start(experiment(epochs=4))
    until(bench, job, "done")
    return Asker(client, job)


@pytest.fixture(scope="module")
def truth(bench, asker):
    """Images, codes, reconstructions and labels of the sample, straight from the model."""
    images = resident(experiment().data)
    source = images.source
    order = np.concatenate([source.held_out, source.train])[:COUNT]
    x = torch.from_numpy(source.images[order]).float() / 255
    with torch.no_grad():
        model = bench._model(asker.job)
        codes = model.encode(x)
        out = model.decode(codes)
    return x.numpy(), codes.numpy(), out.numpy(), source.labels[order], order


def unpack(data: bytes) -> dict[str, np.ndarray]:
    length = int.from_bytes(data[:4], "little")
    fields = json.loads(data[4 : 4 + length])["fields"]
    assert all(field["offset"] % 8 == 0 for field in fields)
    return {
        f["name"]: np.frombuffer(data, f["dtype"], int(np.prod(f["shape"])), f["offset"]).reshape(f["shape"])
        for f in fields
    }


def floats(text: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def picture(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def as_bytes(image: np.ndarray) -> np.ndarray:
    return np.round(image * 255).astype(np.uint8)


def close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Equal up to one grey level: portions of other sizes round the last bit otherwise."""
    return ours.shape == theirs.shape and np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1
