"""The Studio under /studio of a server that has other pages: Gradio is loaded when it is first asked for."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from playground.idle import idle
from playground.studio import pieces

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.workbench import Workbench

PATH = "/studio"
QUIET = 3.0  # seconds without work, after which Gradio is loaded: the first page comes first
WARM_AFTER = 40.0  # seconds after the start at the latest


class Studio:
    """An ASGI app that makes the real one at the first request, and runs its lifespan in a task of its own.

    Gradio's queue and its MCP server live in that lifespan, which must be left by the task that entered it.
    """

    def __init__(self, workbench: Callable[[], Workbench]):
        self._find_workbench = workbench
        self._app: ASGIApp | None = None
        self._ready, self._over = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task | None = None

    def routes(self) -> list[BaseRoute]:
        return [Route(PATH, self._to_folder), Mount(PATH, self), *pieces.routes()]

    async def warm_later(self, quiet: float = QUIET, most: float = WARM_AFTER) -> None:
        """As soon as the server is idle, have the Studio made: nobody is to wait for it. PLAYGROUND_WARM=0: never."""
        if os.environ.get("PLAYGROUND_WARM", "1") != "0":
            await asyncio.to_thread(self._find_workbench)
            await idle(quiet, most)
            self._begin()

    def end_streams(self) -> None:
        """End what Gradio keeps open for each page, so that the server can stop."""
        for route in getattr(self._app, "routes", ()):
            stop = getattr(getattr(route, "app", None), "stop_event", None)
            if stop is not None:
                stop.set()

    async def close(self) -> None:
        """Leave the lifespan, if it was ever entered."""
        self._over.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._begin()
        await self._until_ready()
        if self._app is None or self._over.is_set():
            return await PlainTextResponse("The Studio is not there now.", 503)(scope, receive, send)
        # Gradio is mounted once more, under the same path, inside its own host: this mount's prefix is given back
        whole = {**scope, "root_path": scope.get("root_path", "").removesuffix(PATH)}
        await self._app(whole, receive, send)

    def _begin(self) -> None:
        """Have the app made, if it is not; a start that failed is tried again."""
        if self._task is None or (self._task.done() and not self._over.is_set()):
            self._ready.clear()
            self._task = asyncio.create_task(self._live())

    async def _until_ready(self) -> None:
        ready = asyncio.ensure_future(self._ready.wait())
        assert self._task is not None
        await asyncio.wait([ready, self._task], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()

    async def _live(self) -> None:
        """Make Gradio's app, enter its lifespan, stay there until the server ends."""
        try:
            workbench = await asyncio.to_thread(self._find_workbench)
            app = await asyncio.to_thread(_build, workbench)
            async with app.router.lifespan_context(app):
                self._app = app
                self._ready.set()
                await self._over.wait()
        except Exception:
            logging.getLogger(__name__).exception("the Studio could not be started")
        finally:
            self._app = None

    @staticmethod
    async def _to_folder(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{PATH}/{query}", 307)


def _build(workbench: Workbench):
    from fastapi import FastAPI

    from playground.studio.page import mounted

    host = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    return mounted(host, workbench, PATH)
