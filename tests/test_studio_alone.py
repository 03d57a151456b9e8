"""The Studio by itself: from the command line, and in slices where a GPU is lent call by call."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import httpx
import pytest

from playground.checkpoint import load
from tests.browser.conftest import ROOT, free_port

gradio_client = pytest.importorskip("gradio_client")
LONG = "architecture.width=32&architecture.depth=1&training.epochs=1000"


class Alone:
    """A process that serves the Studio; environment: what it is told besides."""

    def __init__(self, home, command: list[str], port: int, **environment: str):
        own = {"PLAYGROUND_HOME": str(home), "PLAYGROUND_WARM": "0", "PLAYGROUND_DEVICE": "cpu", **environment}
        self.home, self.address, self.log = home, f"http://127.0.0.1:{port}", (home / "log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env={**os.environ, **own}, stdout=self.log, stderr=self.log
        )
        end = time.monotonic() + 150
        while True:
            assert self.process.poll() is None and time.monotonic() < end, (home / "log").read_text()
            try:
                urllib.request.urlopen(f"{self.address}/health", timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        self.client = gradio_client.Client(self.address, verbose=False, analytics_enabled=False)

    def end(self, how: int = signal.SIGINT) -> int:
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.log.close()
        return code


def until(true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)


@pytest.fixture
def alone(tmp_path):
    started = []

    def start(*command: str, port: int, **environment: str) -> Alone:
        started.append(Alone(tmp_path, list(command), port, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end()


@pytest.mark.slow
def test_the_command_serves_page_stream_maps_and_components(alone):
    port = free_port()
    studio = alone("-m", "playground", "studio", "--port", str(port), port=port)
    job = studio.client.submit(epochs=2, more="architecture.width=32", api_name="/train").result(timeout=30)["job"]
    with httpx.stream("GET", f"{studio.address}/live/{job}") as stream:
        assert json.loads(next(stream.iter_lines()).removeprefix("data: "))["status"] == "done"
    assert httpx.get(f"{studio.address}/explore/{job}").json()["k"] == 16
    assert "export" in httpx.get(f"{studio.address}/pieces/curves.js").text
    assert httpx.get(f"{studio.address}/studio/").headers["location"] == "/"
    page = httpx.get(f"{studio.address}/").text
    assert "Studio" in page and ">Lab<" not in page
    assert httpx.get(f"{studio.address}/gradio_api/file=/etc/passwd").status_code == 403
    assert studio.end(signal.SIGTERM) == 0
    assert "Traceback" not in (studio.home / "log").read_text()


@pytest.mark.slow
def test_on_a_lent_gpu_training_runs_in_bounded_slices_that_are_saved_and_resumed(alone, tmp_path):
    (tmp_path / "calls").touch()
    port = free_port()
    code = f"from playground.studio import alone; alone.serve(port={port})"
    lent = {"SPACES_ZERO_GPU": "1", "PLAYGROUND_SLICE": "1", "SPACES_LOG": str(tmp_path / "calls"),
            "PYTHONPATH": os.pathsep.join((str(ROOT / "tests" / "standins"), str(ROOT)))}  # fmt: skip
    studio = alone("-c", code, port=port, **lent)
    running = studio.client.submit(more=LONG.replace("training.epochs=1000", ""), epochs=1000, api_name="/train")
    steps: list[int] = []
    for told in running:
        steps.append(told.get("step", 0))
        if len(calls := (tmp_path / "calls").read_text().splitlines()) >= 2:
            break
    name = told["job"]
    after_slices = load(tmp_path / "runs" / f"{name}.safetensors", weights=False)
    assert after_slices.step > 0 and steps == sorted(steps)
    studio.client.predict(job=name, api_name="/stop")
    last = running.result(timeout=30)
    assert last["status"] == "stopped" and last["step"] >= after_slices.step
    noted = [json.loads(line) for line in calls if json.loads(line)["job"] == name]
    assert all(call["seconds"] < 5 < call["allowed"] and call["job"] == name for call in noted)
    assert load(tmp_path / "runs" / f"{name}.safetensors", weights=False).step == last["step"]
    again = studio.client.submit(job=name, api_name="/resume")
    next(told for told in again if told.get("step", 0) > last["step"])
    assert studio.end(signal.SIGTERM) == 0  # as a host puts a Space to sleep
    left = load(tmp_path / "runs" / f"{name}.safetensors", weights=False)
    assert left.about["status"] == "running" and left.step > last["step"]
    studio = alone("-c", code.replace(str(port), str(other := free_port())), port=other, **lent)
    file = tmp_path / "runs" / f"{name}.safetensors"
    until(lambda: load(file, weights=False).step > left.step)  # taken up by itself
    assert studio.client.predict(job=name, api_name="/stop")["job"] == name
    until(lambda: load(file, weights=False).about["status"] == "stopped")


@pytest.mark.slow
def test_the_host_s_package_is_imported_only_where_it_is_needed():
    code = "import sys; import playground.studio.alone, playground.studio.zero; print('spaces' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_app_py_is_short_and_alone_on_a_lent_gpu():
    text = (ROOT / "app.py").read_text()
    assert text.count("\n") < 40 and 'os.environ.get("SPACES_ZERO_GPU")' in text
