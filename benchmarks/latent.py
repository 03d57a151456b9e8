"""The latent space: 10,000 codes as a map, UMAP against umap-learn itself, decoding while a run trains."""

from __future__ import annotations

import argparse
import atexit
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import publish

ROOT = Path(__file__).resolve().parent.parent
POINTS, ENTRIES = 10_000, 32
WARM = 3  # fits after the first one in the same process
ASKED = 200  # decodes timed where nothing else ends the timing


def codes(points: int) -> np.ndarray:
    """Codes as autoencoders make them: clusters of different spread on curved sheets, bent into 32 entries."""
    rng = np.random.default_rng(0)
    sheets = rng.normal(size=(10, 6))[rng.integers(0, 10, points)] * 2 + rng.normal(size=(points, 6))
    wide = np.tanh(sheets @ rng.normal(size=(6, 64)) / 3) @ rng.normal(size=(64, ENTRIES)) / 4
    return (wide + 0.1 * rng.normal(size=wide.shape)).astype(np.float32)


# Both ways in turn, in processes of their own: what a person waits for in a fresh one (cold), and later (warm) -------

WAYS = ("playground", "umap-learn")
OURS = ("OPENBLAS_NUM_THREADS", "GOMP_SPINCOUNT")  # what the playground sets for itself, and umap-learn does without


class Fitting:
    """A process that fits the same codes whenever it is asked to, in one of the two ways."""

    def __init__(self, way: str, points: int):
        command = [sys.executable, "-m", "benchmarks.latent", "--child", way, "--points", str(points)]
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __call__(self, word: str = "fit") -> dict[str, float]:
        """Seconds of one fit in wall clock and of the processor, imports included in the first; or trustworthiness."""
        assert self._process.stdin and self._process.stdout
        print(word, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)


def child(way: str, points: int) -> None:
    """Answers each line of the standard input by one of the standard output."""
    rows, places = codes(points), np.empty((0, 2))
    fitted = _playground() if way == "playground" else _umap_learn
    for line in sys.stdin:
        if line.strip() == "fit":
            wall, processor = time.perf_counter(), time.process_time()
            places = fitted(rows)
            found = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
        else:
            from sklearn.manifold import trustworthiness

            some = np.random.default_rng(1).choice(points, min(points, 3000), replace=False)
            found = {"trustworthiness": float(trustworthiness(rows[some], places[some], n_neighbors=15))}
        print(json.dumps(found), flush=True)


def _playground() -> Callable[[np.ndarray], np.ndarray]:
    """A fit as the page has it: aside of a workbench, whose device thread has all cores."""
    bench: list[Any] = []

    def fitted(rows: np.ndarray) -> np.ndarray:
        from playground.probes.fitting import fit
        from playground.probes.maps import MapKnobs
        from playground.workbench import Workbench

        if not bench:
            bench.append(Workbench(Path(tempfile.mkdtemp(prefix="benchmark-"))))
            atexit.register(bench[0].close)
        return bench[0].aside(lambda: fit(rows, MapKnobs(kind="umap"))).result().places

    return fitted


def _umap_learn(rows: np.ndarray) -> np.ndarray:
    import umap

    return umap.UMAP(n_neighbors=15, min_dist=0.1, random_state=0, n_jobs=1).fit_transform(rows)


def fits(points: int, rounds: int) -> dict[str, Any]:
    """Both ways in `rounds` pairs of fresh processes, each fitting once cold and then WARM times; they take turns."""
    found: dict[str, Any] = {way: {"cold": [], "warm": [], "trustworthiness": []} for way in WAYS}
    for turn in range(rounds):
        pair = {way: Fitting(way, points) for way in (WAYS if turn % 2 == 0 else WAYS[::-1])}
        for which in ("cold", *["warm"] * WARM):
            for way, ask in pair.items():
                found[way][which].append(ask())
                print(f"pair {turn + 1}, {way}, {which}: {found[way][which][-1]}", file=sys.stderr, flush=True)
        for way, ask in pair.items():
            found[way]["trustworthiness"].append(ask("trustworthiness")["trustworthiness"])
            ask.end()
    return found


def principal_plane(points: int) -> list[float]:
    """Milliseconds from codes to their PCA map, five times."""
    from playground.probes.maps import MapKnobs, flat

    rows, times = codes(points), []
    for _ in range(5):
        started = time.perf_counter()
        flat(rows, MapKnobs())
        times.append(1000 * (time.perf_counter() - started))
    return times


# Over HTTP -----------------------------------------------------------------------------------------------------------


def served(points: int) -> dict[str, Any]:
    """The first map and decodes of a run that trains on: first answers in seconds, decodes in milliseconds."""
    import httpx
    import uvicorn
    from starlette.applications import Starlette

    from benchmarks.training import HOST, QUERY, bring_mnist
    from playground.experiment import Experiment
    from playground.explore_routes import Explore
    from playground.workbench import Workbench

    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAYGROUND_HOME"] = folder
        bring_mnist(Path(folder))
        bench = Workbench(Path(folder))
        experiment, _ = Experiment.from_query(QUERY)
        job = bench.start(experiment)
        while getattr(getattr(bench.snapshot(job), "event", None), "step", 0) < 300:
            time.sleep(0.05)
        with socket.socket() as free:
            free.bind((HOST, 0))
            port = free.getsockname()[1]
        config = uvicorn.Config(Starlette(routes=Explore(lambda: bench).routes()), HOST, port, log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with httpx.Client(base_url=f"http://{HOST}:{port}", timeout=300) as client:
            found = _ask(client, f"/explore/{job}", points)
        server.should_exit = True
        thread.join()
        bench.close()
    return found


def _ask(client: Any, run: str, points: int) -> dict[str, Any]:
    started = time.perf_counter()
    client.get(run, params={"count": points}).raise_for_status()
    found: dict[str, Any] = {"codes": time.perf_counter() - started}
    client.get(f"{run}/map", params={"count": points}).raise_for_status()
    found["map"] = time.perf_counter() - started
    for name in ("thumbnails", "grid"):
        begun = time.perf_counter()
        client.get(f"{run}/{name}", params={"count": points}).raise_for_status()
        found[name] = time.perf_counter() - begun
    found["decode"] = _decodes(client, run, points, lambda asked: asked < ASKED)
    knobs = {"count": points, "kind": "umap"}

    def fitting(asked: int) -> bool:
        return client.get(f"{run}/map", params=knobs).json()["status"] == "fitting"

    for name, seed in (("decode_while_compiling", 1), ("decode_while_fitting", 0)):  # the server warms up by itself
        knobs["seed"] = seed
        fitting(0)
        found[name] = _decodes(client, run, points, fitting)
    begun = time.perf_counter()
    client.get(f"{run}/grid", params=knobs).raise_for_status()
    found["umap grid"] = time.perf_counter() - begun
    found["decode_on_umap"] = _decodes(client, run, points, lambda asked: asked < ASKED, "umap")
    return found


def _decodes(client: Any, run: str, points: int, go_on: Any, kind: str = "pca") -> list[float]:
    """Milliseconds of decodes at random places, one after the other."""
    rng = np.random.default_rng(0)
    times: list[float] = []
    while go_on(len(times)):
        x, y = rng.uniform(-1, 1, 2)
        question = {"map": {"count": points, "kind": kind}, "x": x, "y": y}
        started = time.perf_counter()
        client.post(f"{run}/decode", json=question).raise_for_status()
        times.append(1000 * (time.perf_counter() - started))
        time.sleep(0.02)
    return times


def spread(times: list[float]) -> str:
    """Median and 95th percentile in words."""
    return f"{statistics.median(times):.1f} / {np.percentile(times, 95):.1f} ms ({len(times)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--rounds", type=int, default=3, help="pairs of fresh processes that fit in turn")
    parser.add_argument("--served", action="store_true", help="only what is asked over HTTP, printed, not written")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.points)
        return
    if options.served:
        print({name: spread(f) if isinstance(f, list) else round(f, 3) for name, f in served(options.points).items()})
        return
    figures: dict[str, Any] = {"points": options.points, "entries": ENTRIES}
    figures["pca_ms"] = principal_plane(options.points)
    figures["umap"] = fits(options.points, options.rounds)
    figures["served"] = served(options.points)
    ours, theirs, web = figures["umap"]["playground"], figures["umap"]["umap-learn"], figures["served"]

    def pair(which: str, kind: str) -> str:
        mine, other = ([one[kind] for one in way[which]] for way in (ours, theirs))
        ratio = statistics.median(b / a for a, b in zip(mine, other, strict=True))
        return f"{statistics.median(mine):.1f} s / {statistics.median(other):.1f} s ({ratio:.2f} times as fast)"

    trust = [statistics.median(way["trustworthiness"]) for way in (ours, theirs)]
    rows = [
        (f"PCA map of {options.points:,} codes", f"{statistics.median(figures['pca_ms']):.0f} ms"),
        ("UMAP in a fresh process, medians: ours / umap-learn (median ratio of neighbours)", pair("cold", "wall")),
        ("the same, processor time", pair("cold", "processor")),
        ("UMAP later in the same process: ours / umap-learn", pair("warm", "wall")),
        ("the same, processor time", pair("warm", "processor")),
        ("trustworthiness: ours / umap-learn", f"{trust[0]:.4f} / {trust[1]:.4f}"),
        ("training: first answer / first map over HTTP", f"{web['codes']:.2f} s / {web['map']:.2f} s"),
        ("training: thumbnails / grid of 64 × 64", f"{web['thumbnails']:.2f} s / {web['grid']:.2f} s"),
        ("training: decode, median / p95", spread(web["decode"])),
        ("training and fitting the first UMAP: decode, median / p95", spread(web["decode_while_compiling"])),
        ("training and fitting the next UMAP: decode, median / p95", spread(web["decode_while_fitting"])),
        ("training: decode on the UMAP, median / p95", spread(web["decode_on_umap"])),
    ]
    for name, times in web.items():
        if isinstance(times, list):
            web[name] = {
                "median_ms": statistics.median(times),
                "p95_ms": float(np.percentile(times, 95)),
                "n": len(times),
            }
    publish("latent-cpu", "CPU", ("What", "Figure"), rows, figures)


if __name__ == "__main__":
    main()
