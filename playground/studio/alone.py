"""The Studio by itself, for hosts that run Gradio only: its own server, with the live stream and the maps beside it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route

from playground.caps import caps
from playground.events import Trouble
from playground.gate import Keys, gate, usual_host
from playground.guard import Guard
from playground.home import settle
from playground.look import PORT

ZERO = "SPACES_ZERO_GPU"


def serve(host: str = "", port: int = PORT) -> None:
    """Serve the Studio alone until Ctrl-C; in slices on a GPU where the host gives one to decorated calls only.

    Without a host it listens at the usual one. What cannot be ends the program in one sentence.
    """
    host = host or usual_host()
    try:
        caps()
        settle()
        gpu = _gpu() if os.environ.get(ZERO) else None
    except Trouble as trouble:
        sys.exit(str(trouble))
    from playground import server
    from playground.studio import page
    from playground.studio.zero import Hosting, SlicedTrainings

    gate.listens(host)
    bench = server.workbench(Hosting if gpu else None)
    trainings = SlicedTrainings(bench, gpu) if gpu is not None and isinstance(bench, Hosting) else None
    demo = page.build(bench, trainings, lab=False)
    for how in (signal.SIGINT, signal.SIGTERM):  # a host's polite end saves the runs, as Ctrl-C does
        signal.signal(how, signal.default_int_handler)
    try:
        demo.launch(
            server_name=host,
            server_port=port,
            quiet=True,
            max_threads=demo.max_threads,
            share=False,
            prevent_thread_lock=True,
            app_kwargs={"routes": _routes(server), "lifespan": _living(server, trainings)},
            **page.served(),
        )
        print(
            f"Autoencoder Playground, the Studio: http://{_shown(host)}:{port}",
            flush=True,
        )
        demo.block_thread()
    except KeyboardInterrupt:
        pass  # ended while it was starting; from then on Gradio takes it
    finally:
        if trainings is not None:
            trainings.close()
        bench.close()


def _shown(host: str) -> str:
    return "localhost" if host in ("0.0.0.0", "127.0.0.1") else host


def _gpu() -> Any:
    """The host's decorator; Trouble where its package is missing.

    It has to be imported before torch, and torch sees no GPU outside of its calls.
    """
    assert "torch" not in sys.modules, "the host's package must come before torch"
    try:
        import spaces
    except ModuleNotFoundError:
        raise Trouble(f"{ZERO} is set, but the package `spaces`, which lends the GPU, is not installed: add it to the "
                      f"Space's requirements.txt, or unset {ZERO} to train on the CPU.") from None

    os.environ.setdefault("PLAYGROUND_DEVICE", "cpu")  # of this process; a slice chooses for itself
    return spaces.GPU


def _routes(server: Any) -> list[BaseRoute]:
    """What the page asks for beside Gradio's own; /studio leads to the page that is the root here."""
    home = [Route(path, lambda request: RedirectResponse("/", 307)) for path in ("/studio", "/studio/")]
    from playground.studio import pieces

    return [*server.live.routes(), *server.explore.routes(), *pieces.routes(), Route("/health", server.health), *home]


def _living(server: Any, trainings: Any) -> Any:
    """The server's lifespan: what every request passes first, the live stream, and what was learning is taken up."""

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        import asyncio

        # around Gradio's own, which would answer other sites' pages before ours
        app.middleware_stack = Guard(Keys(app.middleware_stack), studio="")
        work = [asyncio.create_task(server.live.run()), asyncio.create_task(server.explore.warm_later()),
                asyncio.create_task(server.care())]
        if trainings is not None:
            trainings.take_up()
        try:
            yield
        finally:
            for task in work:
                task.cancel()
            server.live.close()
            server.explore.close()

    return lifespan
