"""A visitor of the Inside page of one run, and the run's own network: what the tests of its routes share."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.inside_routes import Inside
from tests.explored import bench  # noqa: F401  (a fixture)
from tests.plugins import experiment, resident, until


@pytest.fixture(scope="module")
def client(bench):  # noqa: F811
    with TestClient(Starlette(routes=Inside(lambda: bench).routes())) as client:
        yield client


class Asker:
    """One visitor of the Inside page of one run, and the run's own network to compare with."""

    def __init__(self, client, bench, made):  # noqa: F811
        self.client, self.made, self.job = client, made, bench.start(made)
        until(bench, self.job, "done")
        self.images, self.model = resident(made.data), bench._model(self.job)
        self.x = self.images.sample()

    def get(self, path="", status=200, **question):
        return self._told(self.client.get(f"/inspect/{self.job}/{path}".rstrip("/"), params=question), status)

    def post(self, path, status=200, **question):
        return self._told(self.client.post(f"/inspect/{self.job}/{path}", json=question), status)

    def _told(self, answer, status):
        assert answer.status_code == status, answer.text
        return answer.json()

    def code(self, *which):
        with torch.no_grad():
            return self.model.encode(self.x[list(which)] if which else self.x).numpy()


@pytest.fixture(scope="module")
def asker(client, bench):  # noqa: F811
    made: dict[tuple, Asker] = {}

    def one(kind="undercomplete", architecture="dense", data="digits") -> Asker:
        key = kind, architecture, data
        if key not in made:
            made[key] = Asker(client, bench, experiment(kind, architecture, data, epochs=2))
        return made[key]

    return one


def values(told: dict) -> np.ndarray:
    """Tiles back to numbers."""
    raw = np.frombuffer(base64.b64decode(told["data"]), np.int8).reshape(told["shape"]).astype(float)
    return raw / 127 * np.array(told["scale"]).reshape(-1, 1, 1, 1)


def near(told: dict, truth: np.ndarray) -> None:
    """Tiles equal the truth up to half a level of their own scale."""
    assert told["count"] == len(truth)
    truth = truth[: told["shape"][0]]
    for ours, theirs, scale in zip(values(told), truth, told["scale"]):
        assert np.abs(ours - theirs).max() <= 0.51 * scale / 127 + 1e-5
    norms = np.linalg.norm(truth.reshape(len(truth), -1), axis=1)
    np.testing.assert_allclose(told["norms"], norms, rtol=1e-3, atol=1e-5)
