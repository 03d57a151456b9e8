"""Memory: what a run held is free when it has ended, at once and without the garbage collector."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest

from playground.workbench import Workbench
from tests.plugins import experiment, stepped, until


@pytest.fixture
def uncollected():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("variant", ["undercomplete", "sparse", "denoising", "contractive"])
@pytest.mark.slow
def test_an_ended_run_holds_no_weights(tmp_path, uncollected, variant):
    bench = Workbench(tmp_path, "cpu")
    job = bench.start(experiment(variant, epochs=1000))
    bench.watch(job)
    stepped(bench, job, 5)
    session = bench._sessions[job]
    parts = (session, session.model, *session.optimisers.values(), *session.model.parameters())
    held = [weakref.ref(part) for part in parts]
    del session, parts
    bench.stop(job).result(10)
    assert until(bench, job, "stopped").event.film == ()  # it is in the file
    bench._engine.ask(lambda: None).result(10)
    assert [one() for one in held] == [None] * len(held)
    bench.close()


@pytest.mark.slow
def test_a_run_that_rests_holds_its_weights_and_moments_alone_and_goes_on_as_if_it_had_not(tmp_path):
    """No gradients and no second copy; the steps after it are those of a run that never rested."""
    bench = Workbench(tmp_path, "cpu")
    ends = []
    for rest in (False, True):
        job = bench.start(experiment("denoising", epochs=20), paused=True)
        if rest:
            for _ in range(3):
                bench.step(job).result(20)
            bench.pause(job).result(20)
            session = bench._sessions[job]
            assert session._good is None and all(weight.grad is None for weight in session.model.parameters())
            del session
        bench.resume(job).result(20)
        until(bench, job, "done")
        ends.append(bench.library.load(job).tensors)
    assert ends[0].keys() == ends[1].keys()
    assert all(ends[0][name].equal(ends[1][name]) for name in ends[0] if name.startswith(("model.", "optimiser.")))
    bench.close()


GROWN = """
import ctypes, threading
from pathlib import Path
from playground.memory import hand_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
blocks = [libc.malloc(60_000) for _ in range(1000)]
for block in blocks:
    ctypes.memset(block, 1, 60_000)
for block in blocks[:-1]:  # the last one stays in use, above all the others
    libc.free(block)
before = resident()
assert hand_back()
print(before - resident())
"""


THREADED = """
import ctypes, threading
from playground.memory import gather

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
assert gather()
places, together = set(), threading.Barrier(12)

def take():
    places.add(libc.malloc(100) >> 26)  # an arena of its own begins at a multiple of 64 MB
    together.wait()

threads = [threading.Thread(target=take) for _ in range(12)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(len(places))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems hand memory back by themselves")
def test_all_threads_share_a_few_arenas():
    said = subprocess.run([sys.executable, "-c", THREADED], capture_output=True, text=True, check=True)
    assert int(said.stdout) <= 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems hand memory back by themselves")
def test_freed_memory_below_what_is_in_use_goes_back_to_the_system():
    said = subprocess.run([sys.executable, "-c", GROWN], capture_output=True, text=True, check=True)
    assert int(said.stdout) > 50_000_000
