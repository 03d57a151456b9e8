"""The live stream: one message a tick for each watched job, put on the bounded queue of everyone who listens."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from playground.events import Snapshot, Stepped
from playground.lab import messages

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.workbench import Workbench

TICK = 0.1  # seconds between two messages
GRACE = 2.0  # seconds a job stays watched after its last listener left: a reload comes back sooner
KEEP_ALIVE = 15.0  # seconds of silence after which an open stream says that it is there
WAITING = 8  # messages kept for a slow listener; then it gets a fresh hello instead
LIGHT = 24_000  # bytes of pictures that may go out at every tick; larger ones go out more rarely
TIDY_EVERY = 600.0  # seconds between two looks for runs that visitors left unstarted

Listener = asyncio.Queue  # of texts; None ends it


class Channel:
    """One watched job: its listeners, and what they have been told."""

    def __init__(self, job: str, workbench: Workbench):
        self.job, self._workbench = job, workbench
        self.listeners: set[Listener] = set()
        self.empty_since = 0.0
        self._last: Snapshot | None = None
        self._ticks = 0

    def join(self) -> Listener:
        """A new listener, greeted with everything known so far."""
        listener: Listener = asyncio.Queue(WAITING)
        listener.put_nowait(self._hello(self._workbench.snapshot(self.job)))
        self.listeners.add(listener)
        return listener

    def tick(self) -> bool:
        """Tell what is new since the last tick; False when the job is no more."""
        snapshot, last = self._workbench.snapshot(self.job), self._last
        self._ticks += 1
        if snapshot is None:
            self.end(json.dumps({"job": self.job, "gone": True}))
            return False
        if snapshot is not last and self.listeners:
            fresh = self._changed_course(snapshot, last)
            text = self._hello(snapshot) if fresh else self._delta(snapshot, last)
            self._last = snapshot
            if text is not None:
                self._put(text, snapshot)
        return True

    def end(self, text: str | None = None) -> None:
        """Close every listener's queue, after one last message if there is one."""
        for listener in self.listeners:
            while not listener.empty():
                listener.get_nowait()
            if text is not None:
                listener.put_nowait(text)
            listener.put_nowait(None)
        self.listeners.clear()

    def _hello(self, snapshot: Snapshot | None) -> str:
        if snapshot is None:
            return json.dumps({"job": self.job, "gone": True})
        return json.dumps(messages.hello(snapshot, self._workbench.snapshot))

    @staticmethod
    def _changed_course(snapshot: Snapshot, last: Snapshot | None) -> bool:
        """Whether a delta would not do: the first pictures, a thinned history, a run that went back."""
        now, before = snapshot.event, None if last is None else last.event
        if not isinstance(now, Stepped):
            return False
        if not isinstance(before, Stepped):
            return True
        return now.still is not before.still or now.stride != before.stride or now.step < before.step

    def _delta(self, snapshot: Snapshot, last: Snapshot | None) -> str:
        event, before = snapshot.event, None if last is None else last.event
        told = messages.delta(snapshot, before.step if isinstance(before, Stepped) else -1)
        if isinstance(event, Stepped) and event.view is not None and event.view is not getattr(before, "view", None):
            weight = event.view.output.nbytes * (1 if event.view.seen is None else 2)
            every = 1 + weight // LIGHT
            told["view"] = messages.view(event.view, snapshot.status != "running" or self._ticks % every == 0)
        return json.dumps(told)

    def _put(self, text: str, snapshot: Snapshot) -> None:
        fresh = None
        for listener in self.listeners:
            if not listener.full():
                listener.put_nowait(text)
                continue
            fresh = fresh or self._hello(snapshot)
            while not listener.empty():
                listener.get_nowait()
            listener.put_nowait(fresh)


class Live:
    """The channels of one process and the routes that open them. `workbench` is called off the loop: it may be slow."""

    def __init__(self, workbench: Callable[[], Workbench]):
        self._find_workbench = workbench
        self._found: Workbench | None = None
        self._channels: dict[str, Channel] = {}
        self._closed = False

    async def _workbench(self) -> Workbench:
        if self._found is None:
            self._found = await asyncio.to_thread(self._find_workbench)
        return self._found

    def routes(self) -> list[BaseRoute]:
        """/live/<job> as server-sent events, and as a web socket for browsers, which allow a site six streams only."""
        return [
            Route("/live/{job}", self.stream),
            WebSocketRoute("/live/{job}", self.socket),
            Route("/live/{job}/thumbnails", self.thumbnails),
            Route("/live/{job}/film", self.film),
        ]

    async def run(self) -> None:
        """Tick until cancelled."""
        self._closed = False
        loop = asyncio.get_running_loop()
        due = tidied = loop.time()
        while True:
            due = max(due + TICK, loop.time())
            await asyncio.sleep(due - loop.time())
            for channel in list(self._channels.values()):
                self._tick(channel, loop.time())
            if loop.time() - tidied > TIDY_EVERY:
                tidied = loop.time()
                (await self._workbench()).tidy()

    def close(self) -> None:
        """End every stream, those to come included, so that the server can stop."""
        self._closed = True
        for channel in self._channels.values():
            channel.end()

    def _tick(self, channel: Channel, now: float) -> None:
        try:
            there = channel.tick()
        except Exception:  # one job that cannot be told must not silence the others
            logging.getLogger(__name__).exception("job %s could not be told", channel.job)
            return
        if channel.listeners:
            channel.empty_since = now
        if not there or now - channel.empty_since > GRACE:
            channel._workbench.unwatch(channel.job)
            self._channels.pop(channel.job, None)

    async def join(self, job: str) -> tuple[Channel, Listener] | None:
        """Listen to a job; None when there is none of that name, or the server is about to stop."""
        workbench = await self._workbench()
        if job not in self._channels and await asyncio.to_thread(workbench.snapshot, job) is None or self._closed:
            return None
        if job not in self._channels:  # asked again: another listener may have come meanwhile
            workbench.watch(job)
            self._channels[job] = Channel(job, workbench)
        channel = self._channels[job]
        channel.empty_since = asyncio.get_running_loop().time()
        return channel, channel.join()

    async def stream(self, request: Request) -> Response:
        """Server-sent events of one job."""
        joined = await self.join(request.path_params["job"])
        if joined is None:
            return _unknown()
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(*joined), media_type="text/event-stream", headers=headers)

    async def _events(self, channel: Channel, listener: Listener) -> AsyncIterator[bytes]:
        try:
            while True:
                try:
                    text = await asyncio.wait_for(listener.get(), KEEP_ALIVE)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if text is None:
                    return
                yield f"data: {text}\n\n".encode()
        finally:
            channel.listeners.discard(listener)

    async def socket(self, websocket: WebSocket) -> None:
        """The same messages over a web socket."""
        joined = await self.join(websocket.path_params["job"])
        await websocket.accept()
        if joined is None:
            await websocket.send_json({"job": websocket.path_params["job"], "gone": True})
            await websocket.close()
            return
        channel, listener = joined
        listening = asyncio.create_task(self._until_gone(websocket, channel, listener))
        try:
            while (text := await listener.get()) is not None:
                await websocket.send_text(text)
            await websocket.close()
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page was closed while a message was on its way
        finally:
            channel.listeners.discard(listener)
            listening.cancel()

    @staticmethod
    async def _until_gone(websocket: WebSocket, channel: Channel, listener: Listener) -> None:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass
        channel.listeners.discard(listener)
        while not listener.empty():
            listener.get_nowait()
        listener.put_nowait(None)

    async def thumbnails(self, request: Request) -> Response:
        """The thumbnails whose codes are drawn: raw uint8 (m, c, h, w), the shape being in the stream's hello."""
        workbench = await self._workbench()
        snapshot = workbench.snapshot(request.path_params["job"])
        if snapshot is None or not isinstance(snapshot.event, Stepped):
            return _unknown()
        return Response(
            snapshot.event.still.thumbnails.tobytes(), media_type="application/octet-stream",
            headers={"Cache-Control": "private, max-age=86400, immutable"},
        )

    async def film(self, request: Request) -> Response:
        """How the codes that are drawn came to where they lie, as `messages.film` tells it."""
        workbench, job = await self._workbench(), request.path_params["job"]
        event = getattr(workbench.snapshot(job), "event", None)
        if not isinstance(event, Stepped) or (seen := event.view) is None:
            return _unknown()

        def made() -> dict:
            from playground.filmed import film_of  # here: the port opens before torch is imported

            frames = () if event.still.stand_in else film_of(workbench, job)[0]  # what stands in was never filmed
            return messages.film(frames, seen)

        return JSONResponse(await asyncio.to_thread(made), headers={"Cache-Control": "no-store"})


def _unknown() -> Response:
    return JSONResponse({"problem": "There is no run of this name here; it may never have been started."}, 404)
