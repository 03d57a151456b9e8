"""The server: one process, one port, one workbench; the Lab's pages, the live stream and a probe."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from playground.caps import caps
from playground.events import Trouble
from playground.explore_routes import Explore
from playground.gate import Keys, gate, usual_host
from playground.guard import Guard
from playground.home import settle
from playground.inside_routes import Inside
from playground.lab import papers
from playground.lab.whole import keep_clicks
from playground.live import Live
from playground.look import PORT
from playground.memory import gather, hand_back
from playground.paint_routes import Paint
from playground.studio.mount import Studio

if TYPE_CHECKING:
    import streamlit as st

    from playground.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent
ASSETS = Path(__file__).resolve().parent / "lab" / "assets"
PREVIEWS = "/previews"  # where the pictures on shipped models' cards are
MODEL = re.compile(r"[a-z0-9-]{1,64}")

SWITCH = 0.001  # seconds a thread may hold the interpreter while another waits: pages answer while torch is imported
HAND_BACK = 30.0  # seconds between two times that freed memory goes back to the system
ASIDE = 24  # threads for what would hold up the loop; asyncio's own are four more than cores, which few slow fills take
PATIENCE = 3  # seconds that open answers are waited for when the server stops

_making = threading.Lock()
_made: list[Workbench] = []


def workbench(kind: type[Workbench] | None = None) -> Workbench:
    """The process's one workbench, made at the first call, which imports torch; of a kind if need be."""
    with _making:
        if not _made:
            from playground.workbench import Workbench

            _made.append((kind or Workbench)())
            _made[0].guests = gate.shared
        return _made[0]


def _warm() -> None:
    """Load what the first page needs before it is asked for, and spare it from every later garbage collection.

    Importing torch makes so many lasting objects that collecting while it happens takes a sixth of the time.
    """
    gc.disable()
    try:
        workbench()
    finally:
        gc.freeze()
        gc.enable()


async def care() -> None:
    """Look after runs that nobody looks at, until cancelled."""
    bench = await asyncio.to_thread(workbench)
    from playground.care import Care

    caring, handed = Care(bench, caps(), gate.shared), 0.0
    while True:
        await asyncio.sleep(caring.often)
        try:
            await asyncio.to_thread(caring.look)
            if time.monotonic() - handed > HAND_BACK:
                await asyncio.to_thread(hand_back)
                handed = time.monotonic()
        except Exception:  # what went wrong with one run must not end the care for the others
            logging.getLogger(__name__).exception("runs could not be looked after")


async def health(request: Request) -> Response:
    """What a probe asks: whether the workbench is there, its device, and how many runs it knows."""
    bench = await asyncio.to_thread(workbench)
    running = sum(snapshot.status == "running" for snapshot in bench.jobs())
    return JSONResponse({"ok": True, "device": bench.device, "jobs": len(bench.jobs()), "running": running})


async def preview(request: Request) -> Response:
    """The picture on a shipped model's card."""
    name = request.path_params["name"]
    path = ROOT / "pretrained" / name / "preview.png"
    if not MODEL.fullmatch(name) or not path.is_file():
        return JSONResponse({"problem": "There is no shipped model of that name."}, 404)
    return FileResponse(path, headers={"Cache-Control": "max-age=3600"})


live = Live(workbench)
explore = Explore(workbench)
studio = Studio(workbench)
paint = Paint(workbench)
inside = Inside(workbench, explore.explorer)


def routes() -> list[BaseRoute]:
    """What stands beside Streamlit's own pages. A cap that cannot be ends the program here, in one sentence."""
    try:
        caps()
    except Trouble as trouble:
        sys.exit(str(trouble))
    return [
        *live.routes(),
        *explore.routes(),
        *studio.routes(),
        *paint.routes(),
        *inside.routes(),
        Route("/health", health),
        Mount("/assets", StaticFiles(directory=ASSETS)),
        Route(f"{PREVIEWS}/{{name}}/preview.png", preview),
        *([Mount(papers.ADDRESS, StaticFiles(directory=papers.FIGURES))] if papers.FIGURES.is_dir() else []),
    ]


def middleware() -> list[Middleware]:
    """What every request passes on its way to a page or a route, the guard first."""
    return [Middleware(Guard), Middleware(Keys)]


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict]:
    """From the open port to the last saved run."""
    gather()
    sys.setswitchinterval(SWITCH)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(ASIDE, thread_name_prefix="server"))
    settle()
    _let_frames_upload()
    gate.listens(_host())
    _answer_at_once()
    keep_clicks()
    _stop_streams_first()
    warming = asyncio.create_task(asyncio.to_thread(_warm))
    ticking = asyncio.create_task(live.run())
    more = [asyncio.create_task(work) for work in (explore.warm_later(), studio.warm_later(), care())]
    _say_address()
    try:
        yield {}
    finally:
        ticking.cancel()
        for task in more:
            task.cancel()
        live.close()
        explore.close()
        await studio.close()
        await asyncio.wait([warming])
        await asyncio.to_thread(workbench().close)


def _stop_streams_first() -> None:
    """On Ctrl-C, end the live streams, then let the server stop by itself.

    The server waits for open answers before it stops, and a stream never ends by itself. It also raises the signal
    again when it is done, which would end in a traceback; a server that is told to leave returns instead.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        server = getattr(handler, "__self__", None)
        if not hasattr(server, "should_exit"):
            continue  # served by something else, which has its own way to stop
        loop = asyncio.get_running_loop()

        def stop(signum, frame, server=server, loop=loop) -> None:
            server.config.timeout_graceful_shutdown = PATIENCE  # whatever a browser still holds open
            server.force_exit = server.should_exit
            server.should_exit = True
            loop.call_soon_threadsafe(live.close)
            loop.call_soon_threadsafe(studio.end_streams)

        signal.signal(number, stop)


def _let_frames_upload() -> None:
    """Streamlit knows its pages by a cookie, which browsers keep back inside others' pages; the guard needs none."""
    from streamlit import config

    if caps().embed:
        config.set_option("server.enableXsrfProtection", False)


def _host() -> str:
    """The address that the server listens at; where none is set, every one that the machine has."""
    from streamlit import config

    return config.get_option("server.address") or "0.0.0.0"


def _say_address() -> None:
    from streamlit import config

    host, port = _host(), config.get_option("server.port")
    shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1") else host
    print(f"Autoencoder Playground: http://{shown}:{port}  (Ctrl-C stops it; runs are kept)", flush=True)


def _answer_at_once() -> None:
    """Make accepted connections send small answers at once.

    Streamlit 1.67 opens its socket without naming TCP, so asyncio never sets TCP_NODELAY on what it accepts, and every
    answer on a kept connection waits about 40 ms (Nagle against the delayed acknowledgement). The server listens after
    the lifespan has begun, and accepted sockets inherit the option.
    """
    listen = socket.socket.listen

    def quick(self: socket.socket, *backlog: int) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and self.type == socket.SOCK_STREAM:
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listen(self, *backlog)

    socket.socket.listen = quick  # type: ignore[assignment,method-assign]


def run(app: st.App, host: str, port: int) -> None:
    """Serve `app` until Ctrl-C; no host: the usual one. Streamlit finds its settings beside the program started."""
    sys.argv = [str(ROOT / "app.py")]
    app.run(config={"server.address": host or usual_host(), "server.port": port})


def serve(host: str = "", port: int = PORT) -> None:
    """Serve the whole playground until Ctrl-C: what `python -m playground serve` calls."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from app import app

    run(app, host, port)
