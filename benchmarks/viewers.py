"""Viewers: a process that listens to live streams as browsers do, and counts what arrives."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


async def listen(host: str, port: int, job: str, seconds: float) -> list[float]:
    """When each message of one job's stream arrived, seconds since the first."""
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 22)
    writer.write(f"GET /live/{job} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n".encode())
    times: list[float] = []
    try:
        async with asyncio.timeout(seconds):
            while line := await reader.readline():
                if line.startswith(b"data:"):
                    times.append(time.perf_counter())
    except TimeoutError:
        pass
    writer.close()
    return [moment - times[0] for moment in times]


async def _listen_all(host: str, port: int, jobs: list[str], seconds: float) -> list[list[float]]:
    return await asyncio.gather(*(listen(host, port, job, seconds) for job in jobs))


def rates(arrivals: list[list[float]]) -> list[float]:
    """Messages a second of each viewer."""
    return [(len(times) - 1) / times[-1] if len(times) > 1 else 0.0 for times in arrivals]


def start(host: str, port: int, jobs: list[str], seconds: float) -> subprocess.Popen:
    """Viewers in a process of their own, one for each entry of `jobs`, for so many seconds."""
    command = [sys.executable, "-m", "benchmarks.viewers", host, str(port), str(seconds), *jobs]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parent.parent)


def finish(process: subprocess.Popen) -> list[float]:
    """Wait for them to end; messages a second of each."""
    out, _ = process.communicate()
    return json.loads(out)


@contextmanager
def watching(host: str, port: int, jobs: list[str]) -> Iterator[None]:
    """Viewers for as long as the block lasts."""
    process = start(host, port, jobs, 3600.0)
    time.sleep(1.0)  # until they have connected
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    found = asyncio.run(_listen_all(sys.argv[1], int(sys.argv[2]), sys.argv[4:], float(sys.argv[3])))
    print(json.dumps(rates(found)))
