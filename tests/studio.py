"""A running Studio, a client of it and a small run that it trained: what the tests of its endpoints share."""

from __future__ import annotations

from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

SMALL = "architecture.width=32&architecture.depth=1"


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The server, with Gradio loaded, for which a client would not wait long enough."""
    from tests.browser.conftest import Server

    running = Server(tmp_path_factory.mktemp("studio")).wait()
    httpx.get(f"{running.address}/studio/", timeout=120)
    yield running
    code, seconds, _ = running.interrupt()
    assert code == 0 and seconds < 10


@pytest.fixture(scope="session")
def studio(served) -> str:
    return f"{served.address}/studio"


@pytest.fixture(scope="session")
def client(studio, tmp_path_factory):
    library = pytest.importorskip("gradio_client")
    return library.Client(f"{studio}/", verbose=False, analytics_enabled=False,
                          download_files=str(tmp_path_factory.mktemp("results")))


@pytest.fixture(scope="session")
def learnt(client):
    """The last report of a small run that `train` streamed, and all reports."""
    reports = list(client.submit(variant="denoising", code=4, noise=0.2, epochs=3, more=SMALL, api_name="/train"))
    return reports[-1], reports


@pytest.fixture
def bring(tmp_path):
    """bring(array) writes a PNG and returns it as a client's file."""

    def made(array: np.ndarray, name: str = "picture.png"):
        Image.fromarray(array).save(tmp_path / name)
        return pytest.importorskip("gradio_client").handle_file(str(tmp_path / name))

    return made


def pixels(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def refused(call, *words: str) -> str:
    with pytest.raises(Exception) as caught:
        call()
    said = str(caught.value)
    assert all(word in said for word in words) and "Traceback" not in said and "\n" not in said.strip(), said
    return said
