"""The guard: no page of another site has this server work for it, none frames it, and its pages run their own scripts.

Who asks is told by what browsers say and pages cannot forge: Origin, Sec-Fetch-Site and Host. Programs say none of it.
"""

from __future__ import annotations

import gzip
import ipaddress
import os
import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from playground.caps import caps
from playground.gate import gate

# Addresses that pages ask and nobody opens as one; what answers there may be somebody's file
ASKED = re.compile(r"/(gradio_api(?!/mcp/?$)|explore|inspect|paint|live|_stcore|media|component)/")
INLINE = re.compile(rb"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)
SPACE = "SPACE_HOST"  # in the environment of a hosted Space: the name by which browsers know it
PORTS = {"http": 80, "https": 443}
STRANGER = "Pages of other sites cannot ask this server; its setting `origins` may name some that can."
REBOUND = "This server answers under the name localhost only; behind a proxy it wants PLAYGROUND_CAP_SHARED=yes."

POLICY = {
    "default-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # both frameworks write their style sheets while they run
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
LAB = "'self' 'wasm-unsafe-eval' blob:"  # Streamlit hands its components' modules over as blobs
STUDIO = "'self' 'unsafe-eval'"  # Gradio compiles templates; its picture editor draws by compiled functions
FILE = {"sandbox": "", "default-src": "'none'", "style-src": "'unsafe-inline'", "img-src": "'self' data:"}
USED = ("camera", "clipboard-write", "fullscreen")  # of a browser's powers, by our own pages
UNUSED = ("accelerometer", "autoplay", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone",
          "midi", "payment", "publickey-credentials-get", "serial", "usb")  # fmt: skip
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join([*(f"{power}=(self)" for power in USED), *(f"{power}=()" for power in UNUSED)]),
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """ASGI middleware, the outermost one. studio: the path that Gradio's pages are under."""

    def __init__(self, app: ASGIApp, studio: str = "/studio"):
        self.app, self.studio = app, studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers, method, path = Headers(scope=scope), scope.get("method", ""), scope["path"]
        rebound = gate.local_only and not _is_local(headers.get("host", ""))
        site = None if rebound else asking(method, path, headers)
        page = method in ("GET", "HEAD") and "text/html" in headers.get("accept", "") and not ASKED.search(path)
        scripts = "" if ASKED.search(path) else STUDIO if path.startswith(self.studio) else LAB
        answer = _Answer(send, headers, page, partial(policy, scripts), site or "")
        if site is None:
            refused = JSONResponse({"problem": REBOUND if rebound else STRANGER}, 403)
            can_tell = scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {})
            return await (refused if can_tell else WebSocketClose(1008))(scope, receive, answer)
        if method == "OPTIONS" and "access-control-request-method" in headers:
            return await Response(status_code=204)(scope, receive, answer)
        await self.app(_told(scope, headers, page), receive, answer)


# Who asks ------------------------------------------------------------------------------------------------------------


def asking(method: str, path: str, headers: Headers) -> str | None:
    """Whose page asks: "" for one of our own, a person or a program; the origin of another site's that may; else None.

    Other sites' pages may link here: a browser that opens one of our pages is a person's. Where no page is opened, a
    browser that says nothing else (it is old, or there is no TLS) must at least come from a page of ours.
    """
    origin, how = headers.get("origin", ""), headers.get("sec-fetch-site", "")
    if origin and any(_is_of(origin, site) for site in caps().origins.split()):
        return origin
    if how == "same-origin":
        return ""
    if origin:
        return "" if _is_ours(origin, headers) else None
    asked = bool(ASKED.search(path))
    if how in ("cross-site", "same-site"):
        opened = method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate" and not asked
        return "" if opened else None
    if not how and asked and headers.get("user-agent", "").startswith("Mozilla/"):
        return "" if _is_ours(headers.get("referer", ""), headers) else None
    return ""


def _is_ours(url: str, headers: Headers) -> bool:
    """Whether an origin or address is under a name that this request was sent to.

    Pages cannot set X-Forwarded-Host either: another site's page would have to ask first, and is refused.
    """
    names = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(","), os.environ.get(SPACE, "")]
    found = _origin(url)
    return found is not None and found in [_origin(f"{found[0]}://{name.strip()}") for name in names]


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address; None where it is none of the web."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]) if parts.hostname else None
    except (ValueError, KeyError):
        return None


def _is_of(origin: str, site: str) -> bool:
    """Whether an origin is a site of the settings: https://a.example:8000 itself, or one below https://*.a.example."""
    scheme, _, rest = site.partition("*")
    if not rest:
        return _origin(origin) == _origin(site)
    return origin.startswith(scheme) and origin.endswith(rest)


def _is_local(host: str) -> bool:
    """Whether a Host header names this machine, or a site of the settings; other names may be made to lead here."""
    found = _origin(f"http://{host}")
    if found is None:  # of a program older than the header
        return not host
    name = found[1]
    if any(name == urlsplit(site).hostname for site in caps().origins.split()):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _told(scope: Scope, headers: Headers, page: bool) -> Scope:
    """The request as it goes on: an origin that was let in is our own now; a page comes whole, and not packed."""
    gone = {b"accept-encoding", b"if-none-match", b"if-modified-since"} if page else set()
    kept = [(name, value) for name, value in scope["headers"] if name not in gone]
    if origin := headers.get("origin"):
        found = _origin(origin)
        own = f"{found[0] if found else 'http'}://{headers.get('host', '')}".encode("latin-1")
        kept = [(name, own if name == b"origin" else value) for name, value in kept]
    return {**scope, "headers": kept}


# What is answered ----------------------------------------------------------------------------------------------------


class _Answer:
    """`send` that adds the headers. A page is gathered first: the digests of the scripts in it stand in a header.

    asked: the request's headers. policy: of the page whose bytes it is given. site: another one whose page may ask.
    """

    def __init__(self, send: Send, asked: Headers, page: bool, policy: Callable[..., str], site: str):
        self._send, self._asked, self._page, self._policy, self._site = send, asked, page, policy, site
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            message = {**message, "headers": self._headers(message)}
            if self._page and MutableHeaders(scope=message).get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            message = {**message, "body": await self._begin(bytes(self._body))}
        await self._send(message)

    def _headers(self, message: Message) -> list[tuple[bytes, bytes]]:
        """What is answered with, and ours; what others may do with it is said here alone."""
        headers = MutableHeaders(raw=[pair for pair in message.get("headers", ())
                                      if not pair[0].lower().startswith(b"access-control-")])  # fmt: skip
        headers.update(ALWAYS)
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if self._site else "same-origin"
        headers["Content-Security-Policy"] = self._policy()
        if not caps().embed:
            headers["X-Frame-Options"] = "DENY"  # for browsers that know no frame-ancestors
        if self._site:
            wanted = self._asked.get("access-control-request-headers", "")
            headers.update({"Access-Control-Allow-Origin": self._site, "Access-Control-Allow-Credentials": "true",
                            "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
                            "Access-Control-Allow-Headers": wanted, "Access-Control-Expose-Headers": "*"})  # fmt: skip
            headers.add_vary_header("Origin")
        return headers.raw

    async def _begin(self, body: bytes) -> bytes:
        """Send the beginning of a page's answer, and return its body as it is to be sent."""
        assert self._start is not None
        headers = MutableHeaders(scope=self._start)
        headers["Content-Security-Policy"] = self._policy(body)
        if body:  # none in answer to HEAD
            headers.add_vary_header("Accept-Encoding")
            if "gzip" in self._asked.get("accept-encoding", ""):
                body, headers["Content-Encoding"] = gzip.compress(body, 5), "gzip"
            headers["Content-Length"] = str(len(body))
        await self._send(self._start)
        return body


def policy(scripts: str, page: bytes = b"") -> str:
    """A content security policy. scripts: where they may come from, besides those in the page, known by digests."""
    digests = [f"'sha256-{b64encode(sha256(text).digest()).decode()}'" for text in INLINE.findall(page)]
    parts = {**POLICY, "script-src": " ".join([scripts, *dict.fromkeys(digests)])} if scripts else FILE
    return "; ".join(f"{name} {value}".strip() for name, value in {**parts, "frame-ancestors": framed()}.items())


def framed() -> str:
    """Who may show these pages inside theirs."""
    return f"'self' {caps().embed}" if caps().embed else "'none'"
