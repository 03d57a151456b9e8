"""The gate: gives each browser an unguessable key in a cookie, and tells by it whose runs are whose."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import secrets
import time
from collections import deque
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.caps import caps
from playground.owners import NOBODY, Viewer, owner_of

COOKIE = "playground"
YEAR = 365 * 86400  # seconds for which a browser keeps its key after its last visit
KEY = re.compile(r"[A-Za-z0-9_-]{43}")
TEACHER = "PLAYGROUND_TEACHER"
TRIES, WHILE = 10, 60.0  # wrong passwords in so many seconds, by everybody together


def new_key() -> str:
    return secrets.token_urlsafe(32)


class Gate:
    """What this server knows of its visitors; one for all faces of a process."""

    def __init__(self) -> None:
        self.shared = self.local_only = False
        self._teachers: set[str] = set()
        self._wrong: deque[float] = deque(maxlen=TRIES)

    def listens(self, host: str) -> None:
        """Told once, at the start, at which address the server listens: it is shared where others can reach that."""
        asked = caps().shared
        self.local_only = asked != "yes" and is_loopback(host)
        self.shared = asked == "yes" or (asked == "auto" and not is_loopback(host))

    @property
    def taught(self) -> bool:
        """Whether there is a teacher's password."""
        return bool(os.environ.get(TEACHER))

    def viewer(self, cookies: Mapping[str, str], key: str = "") -> Viewer:
        """Who asks with these cookies; `key` tells them from others where they have none."""
        local = not self.shared and not self.taught
        brought = cookies.get(COOKIE)
        if isinstance(brought, str) and KEY.fullmatch(brought):
            key = brought
        elif local:
            key = ""
        owner = owner_of(key) if key else "" if local else NOBODY
        return Viewer(owner, owner in self._teachers, local)

    def teach(self, viewer: Viewer, password: str) -> str:
        """Let a viewer see all runs from now on, until the server ends; a sentence where the password is wrong."""
        now = time.monotonic()
        if len(self._wrong) == TRIES and now - self._wrong[0] < WHILE:
            return "Too many wrong passwords were tried: wait a minute."
        right = os.environ.get(TEACHER, "")
        if right and viewer.owner not in ("", NOBODY) and hmac.compare_digest(password.encode(), right.encode()):
            self._teachers.add(viewer.owner)
            return ""
        self._wrong.append(now)
        return "This is not the teacher's password."

    def leave(self, viewer: Viewer) -> None:
        """No longer see others' runs."""
        self._teachers.discard(viewer.owner)


gate = Gate()


def usual_host() -> str:
    """Where to listen when nobody says: GRADIO_SERVER_NAME, or everywhere in a hosted Space, else 127.0.0.1 alone."""
    hosted = os.environ.get("SPACE_ID") or os.environ.get("SPACES_ZERO_GPU")
    return os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if hosted else "127.0.0.1")


def is_loopback(host: str) -> bool:
    """Whether only the machine itself reaches what listens at this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Keys:
    """ASGI middleware: a browser that opens a page gets a key, or keeps the one it has for another year.

    Clients that ask for no page get none: they own nothing, and steer what they know by name.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            return await self.app(scope, receive, send)
        cookie = _cookie(scope)

        async def send_with_key(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self.app(scope, receive, send_with_key)


def _cookie(scope: Scope) -> str:
    headers, brought = Headers(scope=scope), SimpleCookie()
    try:
        brought.load(headers.get("cookie", ""))
    except CookieError:
        pass  # of somebody else's making
    key = brought[COOKIE].value if COOKIE in brought else ""
    secure = "https" in (scope.get("scheme"), headers.get("x-forwarded-proto", "").split(",")[0].strip())
    named = f"{COOKIE}={key if KEY.fullmatch(key) else new_key()}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax"
    return named + "; Secure" * secure
