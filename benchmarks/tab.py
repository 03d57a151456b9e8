"""Tab: one open page of the Lab without a browser, asynchronous, so that a single light process holds a whole class.

It speaks what the browser speaks: Streamlit's protocol, the live stream, the routes of the map and of the Paint page.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any
from urllib.parse import parse_qs

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

KEPT = 40  # large messages that need not be sent again
PATIENCE = 30.0  # seconds after which an answer counts as lost
ALERT = re.compile(r'role="alert"[^>]*>([^<]*)')
HEAD = re.compile(r'"status": "(\w+)".*?"step": (\d+), "steps": (\d+)')  # within the first bytes of a live message
PICTURE = re.compile(r'<img src="(/[^"]+)"')
ASSET = re.compile(r'(?:src|href)="\./(static/[^"]+)"')
TRIGGER = "$$STREAMLIT_INTERNAL_KEY_{}__events"


class Wrong(Exception):
    """What a student should never see; the text says what it was."""


class Browser:
    """One student's browser: its cookie, its cache of files, its requests."""

    def __init__(self, address: str):
        self.address = address
        limits = httpx.Limits(max_connections=6, keepalive_expiry=60)
        self.client = httpx.AsyncClient(base_url=f"http://{address}", verify=False, timeout=PATIENCE, limits=limits)
        self._files: set[str] = set()

    @property
    def cookies(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())}

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return _good(await self.client.get(path, params=query))

    async def post(self, path: str, **content: Any) -> httpx.Response:
        return _good(await self.client.post(path, **content))

    async def page(self, path: str) -> None:
        """The page's frame and, at the first visit, the files that it names: they are kept from then on."""
        frame = _good(await self.client.get(path, headers={"Accept": "text/html"}))
        await self.files({f"/{name}" for name in ASSET.findall(frame.text)})

    async def files(self, names: set[str]) -> None:
        """Those that the browser does not have yet."""
        wanted = names - self._files
        self._files |= wanted
        await asyncio.gather(*map(self.get, wanted))

    async def close(self) -> None:
        await self.client.aclose()


def _good(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise Wrong(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:200]}")
    return answer


class Tab:
    """A page and its live stream. Everything that the script sends is read, nothing is drawn."""

    def __init__(self, browser: Browser, query: str = ""):
        self.browser, self.query = browser, query
        self.pages: dict[str, str] = {}  # path -> the hash that the protocol calls it by
        self.buttons: dict[str, str] = {}
        self.sliders: dict[str, tuple[str, list[str]]] = {}
        self.pieces: dict[str, tuple[str, Any]] = {}  # component -> its widget's id, what it was told
        self.alerts: list[str] = []
        self.pictures: set[str] = set()
        self.rates: list[float] = []  # messages a second of each stretch in which a run was watched while it learnt
        self.live = Watched()
        self._page = ""
        self._states: dict[str, WidgetState] = {}
        self._known: dict[str, Any] = {}  # large messages that the browser keeps, by their hashes
        self._busy = asyncio.Lock()
        self._following: asyncio.Task | None = None
        self._socket: ClientConnection | None = None

    @property
    def job(self) -> str:
        return parse_qs(self.query).get("run", [""])[0]

    @property
    def main(self) -> str:
        """What the page's first button says."""
        return next((name for name in ("Pause", "Resume", "Train") if name in self.buttons), "")

    # The page -------------------------------------------------------------------------------------------------------

    async def open(self, path: str = "/") -> None:
        """The page, until it is whole."""
        await self.browser.page(path)
        self._socket = await connect(
            f"ws://{self.browser.address}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None,
            compression=None, additional_headers=self.browser.cookies, open_timeout=PATIENCE, ping_interval=None,
        )
        await self.run()

    async def go(self, path: str) -> None:
        """Another page of the Lab, until it is whole."""
        self._page, self.query = self.pages[path], ""
        self._states.clear()
        self.pieces.clear()
        await self.run()

    async def press(self, label: str) -> None:
        if label not in self.buttons:
            raise Wrong(f"there is no button {label}; there are {', '.join(self.buttons)}")
        await self.run(WidgetState(id=self.buttons[label], trigger_value=True))

    async def turn(self, label: str, stop: str) -> None:
        name, stops = self.sliders[label]
        if stop not in stops:
            raise Wrong(f"{label} has no stop {stop}, but {', '.join(stops)}")
        state = WidgetState(id=name)
        state.string_array_value.data.append(stop)
        self._states[name] = state
        await self.run()

    async def act(self, piece: str, **asked: Any) -> None:
        """What a component tells the script."""
        payload = [{"event": "act", "value": {**asked, "at": time.time()}}]
        await self.run(WidgetState(id=TRIGGER.format(self.pieces[piece][0]), json_trigger_value=json.dumps(payload)))

    async def run(self, pressed: WidgetState | None = None) -> None:
        """Run the page's script until the page is whole; one at a time, as the browser shows them."""
        async with self._busy:
            message = BackMsg()
            asked = message.rerun_script
            asked.query_string, asked.page_script_hash = self.query, self._page
            asked.cached_message_hashes.extend([*self._known][-KEPT:])
            asked.widget_states.widgets.extend(self._states.values())
            if pressed is not None:
                asked.widget_states.widgets.append(pressed)
            self.buttons = {}
            assert self._socket is not None
            await self._socket.send(message.SerializeToString())
            async with asyncio.timeout(PATIENCE):
                while not self._hear(ForwardMsg.FromString(await self._socket.recv())):
                    pass
        self.follow(self.job)

    def _hear(self, heard: ForwardMsg) -> bool:
        """Learn what is on the page; whether the script has finished."""
        kind = heard.WhichOneof("type")
        if kind == "page_info_changed":
            self.query = heard.page_info_changed.query_string
        elif kind == "navigation":
            self.pages = {"/" + page.url_pathname: page.page_script_hash for page in heard.navigation.app_pages}
        elif kind == "new_session":
            self._page = heard.new_session.page_script_hash or self._page
        elif kind == "delta" and heard.delta.WhichOneof("type") == "new_element":
            if heard.metadata.cacheable:
                self._known[heard.hash] = heard.delta.new_element
            self._draw(heard.delta.new_element)
        elif kind == "ref_hash":
            self._draw(self._known[heard.ref_hash])
        return kind == "script_finished" and heard.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def _draw(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind == "button" and not element.button.disabled:
            self.buttons[element.button.label] = element.button.id
        elif kind == "slider":
            self.sliders[element.slider.label] = element.slider.id, list(element.slider.options)
        elif kind == "bidi_component":
            piece = element.bidi_component
            self.pieces[piece.component_name.removeprefix("playground_")] = piece.id, piece.json or piece.mixed.json
        elif kind == "html":
            self.alerts += [text for text in ALERT.findall(element.html.body) if text]
            self.pictures |= set(PICTURE.findall(element.html.body))
        elif kind == "exception":
            raise Wrong(f"the page shows {element.exception.type}: {element.exception.message}")

    def told(self, piece: str) -> Any:
        """The data that a component was given."""
        if piece not in self.pieces:
            raise Wrong(f"the page has no {piece}")
        return json.loads(self.pieces[piece][1])

    async def settle(self) -> None:
        """Run the script again where the run's status is no longer what it knows, as the page does by itself."""
        if "status" in self.pieces and self.live.status not in ("", self.told("status")["status"]):
            await self.run()

    async def steps_of(self, job: str) -> int:
        """Steps that a run has taken, by its live stream."""
        self.follow(job)
        try:
            await self.live.until(("running", "paused", "stopped", "done"))
        except TimeoutError:
            return 0
        return self.live.step

    # The live stream ------------------------------------------------------------------------------------------------

    def follow(self, job: str) -> None:
        """Listen to a run's live stream, instead of the one before, until the tab is closed."""
        if job == self.live.job:
            return
        self.unfollow()
        self.live = Watched(job)
        if job:
            self._following = asyncio.create_task(self._listen(self.live))

    async def _listen(self, live: Watched) -> None:
        address = f"ws://{self.browser.address}/live/{live.job}"
        try:
            async with connect(address, max_size=None, compression=None, additional_headers=self.browser.cookies,
                               open_timeout=PATIENCE, ping_interval=None) as socket:
                async for message in socket:
                    live.hear(str(message))
        except (ConnectionClosed, OSError, TimeoutError) as error:
            live.broken = f"the live stream broke: {type(error).__name__} {error}"

    def unfollow(self) -> None:
        self.rates += self.live.all_rates()
        if self._following is not None:
            self._following.cancel()
            self._following = None

    async def close(self) -> None:
        self.unfollow()
        if self._socket is not None:
            await self._socket.close()


class Watched:
    """What a live stream has said so far. rates: messages a second in each stretch in which the run learnt."""

    def __init__(self, job: str = ""):
        self.job, self.status, self.step, self.steps, self.broken = job, "", 0, 0, ""
        self.rates: list[float] = []
        self.changed = asyncio.Event()
        self._since, self._count = 0.0, 0

    def hear(self, text: str) -> None:
        now, found = time.perf_counter(), HEAD.search(text, 0, 600)
        if found is None:
            return
        before, self.status, self.step, self.steps = self.status, found[1], int(found[2]), int(found[3])
        if self.status == "running":
            self._count += 1
            if before != "running":
                self._since, self._count = now, 0
        elif before == "running" and now - self._since > 3.0:
            self.rates.append(self._count / (now - self._since))
        self.changed.set()

    def all_rates(self) -> list[float]:
        """All stretches, the present one too if it is long enough to tell."""
        seconds = time.perf_counter() - self._since
        return [*self.rates, *([self._count / seconds] if self.status == "running" and seconds > 3.0 else [])]

    async def until(self, status: tuple[str, ...], step: int = 0) -> None:
        """Wait until the stream says one of these, and at least so many steps."""
        async with asyncio.timeout(PATIENCE):
            while self.status not in status or self.step < step:
                self.changed.clear()
                await self.changed.wait()
