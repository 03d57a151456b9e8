"""Training speed: the engine with logging and saving on, against a bare loop and two peers, in turn in one process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import torch

from benchmarks import peers, viewers
from benchmarks.report import publish
from playground.batches import to_unit
from playground.data import datasets
from playground.events import Stepped
from playground.experiment import Experiment
from playground.live import Live
from playground.workbench import Workbench

QUERY = f"data=mnist&architecture.width={peers.WIDTH}&architecture.code={peers.CODE}&training.batch={peers.BATCH}" \
        f"&training.rate={peers.RATE}&training.epochs=10000"
HOST = "127.0.0.1"
WATCHERS = 4
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


def measure(contestants: dict[str, Callable[[float], float]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Images a second of each in each round; within a round they take turns, so that a busy machine hits all alike."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds):
        order = list(contestants) if turn % 2 == 0 else list(reversed(contestants))
        for name in order:
            found[name].append(contestants[name](seconds))
            print(f"round {turn + 1}/{rounds}  {name}: {found[name][-1]:,.0f} images/s", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn; runs are saved every five")
    parser.add_argument("--no-peers", action="store_true", help="leave pythae and Lightning out")
    arguments = parser.parse_args()
    peers.find_peers()
    logging.disable(logging.INFO)

    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAYGROUND_HOME"] = folder
        bring_mnist(Path(folder))
        workbench = Workbench()
        device = workbench._device
        images = datasets["mnist"]().load()
        pixels = to_unit(torch.from_numpy(images.images[images.train]))
        engine = Engine(workbench)
        with served(workbench) as port:

            def watched(seconds: float) -> float:
                with viewers.watching(HOST, port, [engine.job] * WATCHERS):
                    return engine(seconds)

            contestants: dict[str, Callable[[float], float]] = {
                "bare loop": peers.Bare(pixels, device), "playground": engine,
                f"playground, {WATCHERS} watching": watched,
            }
            if not arguments.no_peers:
                contestants["Lightning 2.6"] = peers.Lightning(pixels, device)
                if device.type == "cpu":
                    contestants["pythae 0.1.2"] = peers.Pythae(pixels)
            for name, contestant in contestants.items():
                print(f"warming {name}: {contestant(1.0):,.0f} images/s", file=sys.stderr, flush=True)
            found = measure(contestants, arguments.rounds, arguments.seconds)
        described = workbench.device
        workbench.close()

    medians = {name: statistics.median(rates) for name, rates in found.items()}
    ratios = {name: statistics.median(ours / bare for ours, bare in zip(rates, found["bare loop"]))
              for name, rates in found.items()}
    rows = [(name, f"{medians[name]:,.0f}", f"{ratios[name]:.2f}") for name in found]
    head = ("784-512-16, batch 128, MNIST", "images/s", "of the bare loop")
    publish(f"training-{device.type}", described, head, rows, {
        "images_per_second": found, "median": medians, "ratio_to_bare": ratios, "rounds": arguments.rounds,
        "seconds": arguments.seconds,
    })


if __name__ == "__main__":
    main()
