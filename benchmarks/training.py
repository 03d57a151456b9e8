"""Training speed: the engine with logging and saving on, against a bare loop and two peers, in turn on one machine."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import logging
import os
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import torch

from benchmarks import peers, viewers
from benchmarks.report import publish
from benchmarks.turns import Contestant, Trains, measure, ratios
from playground.batches import to_unit
from playground.data import datasets
from playground.device import choose_device
from playground.events import Stepped
from playground.experiment import Experiment
from playground.live import Live
from playground.workbench import Workbench

QUERY = f"data=mnist&architecture.width={peers.WIDTH}&architecture.code={peers.CODE}&training.batch={peers.BATCH}" \
        f"&training.rate={peers.RATE}&training.epochs=10000"
HOST = "127.0.0.1"
WATCHERS = 4
OWN_SPINCOUNT = "300000"  # what OpenMP's library takes where nobody has set it
DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"


def bring_mnist(home: Path) -> None:
    """Copy MNIST into the playground's folder where it lies beside the project; else it is downloaded."""
    source = Path(os.environ.get("PLAYGROUND_DATASETS", DATASETS)) / "MNIST"
    if source.is_dir():
        shutil.copytree(source, home / "data" / "MNIST", dirs_exist_ok=True)


class Engine:
    """The playground's own training: a run on the workbench, resumed and paused."""

    def __init__(self, workbench: Workbench):
        experiment, problems = Experiment.from_query(QUERY)
        assert not problems, problems
        self.workbench, self.job = workbench, workbench.start(experiment, paused=True)
        while (status := self._snapshot().status) == "opening":
            time.sleep(0.05)
        if status == "failed":
            raise SystemExit(self._snapshot().problem)

    def _snapshot(self):
        return self.workbench.snapshot(self.job)

    @property
    def step(self) -> int:
        event = self._snapshot().event
        return event.step if isinstance(event, Stepped) else 0

    def __call__(self, seconds: float) -> float:
        """Images a second over so many seconds, from the command to resume to the pause having taken effect."""
        first, started = self.step, time.perf_counter()
        self.workbench.resume(self.job).result()
        time.sleep(seconds)
        self.workbench.pause(self.job).result()
        return (self.step - first) * peers.BATCH / (time.perf_counter() - started)


@contextmanager
def served(workbench: Workbench) -> Iterator[int]:
    """The live streams of a workbench on a port of their own, in a thread of this process."""
    import uvicorn
    from starlette.applications import Starlette

    live = Live(lambda: workbench)

    @asynccontextmanager
    async def lifespan(app):
        ticking = asyncio.create_task(live.run())
        yield
        ticking.cancel()

    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    app = Starlette(routes=live.routes(), lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, HOST, port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield port
    finally:
        live.close()
        server.should_exit = True
        thread.join()


def mnist(folder: str) -> torch.Tensor:
    """MNIST's training images (60000, 1, 28, 28) in [0, 1]."""
    os.environ["PLAYGROUND_HOME"] = folder
    logging.disable(logging.INFO)
    peers.find_peers()
    images = datasets["mnist"]().load()
    return to_unit(torch.from_numpy(images.images[images.train]))


def bare(folder: str) -> tuple[Trains, str]:
    """The bare loop, and the device it found."""
    device = choose_device()
    return peers.Bare(mnist(folder), device), device.type


def lightning(folder: str, fused: bool) -> tuple[Trains, None]:
    return peers.Lightning(mnist(folder), choose_device(), fused), None


def pythae(folder: str, fused: bool) -> tuple[Trains, None]:
    return peers.Pythae(mnist(folder), fused), None


def playground(folder: str) -> tuple[Trains, tuple[int, str, str]]:
    """The engine, and where it can be watched: port and job; and its device in words."""
    os.environ["PLAYGROUND_HOME"] = folder
    workbench = Workbench()
    engine = Engine(workbench)
    serving = served(workbench)
    port = serving.__enter__()
    atexit.register(serving.__exit__, None, None, None)
    return engine, (port, engine.job, workbench.device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn; runs are saved every five")
    parser.add_argument("--no-peers", action="store_true", help="leave pythae and Lightning out")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        bring_mnist(Path(folder))
        ours = Contestant(playground, folder)
        os.environ["GOMP_SPINCOUNT"] = OWN_SPINCOUNT  # the others wait as they would without the playground
        loop = Contestant(bare, folder)
        port, job, described = ours.said

        def watched(seconds: float) -> float:
            with viewers.watching(HOST, port, [job] * WATCHERS):
                return ours(seconds)

        contestants: dict[str, Trains] = {
            "bare loop": loop, "playground": ours, f"playground, {WATCHERS} watching": watched
        }
        if not arguments.no_peers:
            for how, fused in (("", False), (", fused Adam", True)):  # as they come, and with the bare loop's optimiser
                contestants[f"Lightning 2.6{how}"] = Contestant(lightning, folder, fused)
                if loop.said == "cpu":
                    contestants[f"pythae 0.1.2{how}"] = Contestant(pythae, folder, fused)
        for name, contestant in contestants.items():
            print(f"warming {name}: {contestant(1.0):,.0f} images/s", file=sys.stderr, flush=True)
        found = measure(contestants, arguments.rounds, arguments.seconds)
        for contestant in contestants.values():
            if isinstance(contestant, Contestant):
                contestant.close()

    medians = {name: statistics.median(rates) for name, rates in found.items()}
    to_bare, to_ours = ratios(found, "bare loop"), ratios(found, "playground")
    rows = [(name, f"{medians[name]:,.0f}", f"{to_bare[name]:.2f}", f"{1 / to_ours[name]:.2f}") for name in found]
    head = ("784-512-16, batch 128, MNIST", "images/s", "of the bare loop", "playground is faster by")
    publish(f"training-{loop.said}", described, head, rows, {
        "images_per_second": found, "median": medians, "ratio_to_bare": to_bare, "rounds": arguments.rounds,
        "seconds": arguments.seconds,
    })


if __name__ == "__main__":
    main()
