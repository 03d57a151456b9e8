"""The guard: who may ask, and what every answer says of what may be done with it."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from playground.caps import caps
from playground.gate import gate
from playground.guard import Guard, asking

HOST = "class.example:7860"
OURS, OTHERS = f"http://{HOST}", "https://evil.example"
BROWSER = {"user-agent": "Mozilla/5.0"}
SCRIPT = "window.mine = 1"
POST, WORK, PAGE = ("POST", "/explore/x/decode"), ("GET", "/explore/x/map"), ("GET", "/latent-space")


@pytest.fixture
def settings(monkeypatch):
    """settings(embed=..., origins=...): the caps with them."""

    def made(**wanted: str) -> None:
        for name, value in wanted.items():
            monkeypatch.setenv(f"PLAYGROUND_CAP_{name.upper()}", value)
        caps.cache_clear()

    yield made
    monkeypatch.undo()
    caps.cache_clear()


def opened(how: str) -> dict[str, str]:
    return {"sec-fetch-site": how, "sec-fetch-mode": "navigate", **BROWSER}


# Who asks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "told", "may"), [
    (POST, {}, True),  # a program
    (POST, {"origin": OURS}, True),
    (POST, {"origin": OTHERS}, False),
    (POST, {"origin": "null"}, False),
    (POST, {"origin": "http://class.example"}, False),  # another port is another site
    (POST, {"origin": f"https://{HOST}"}, True),  # TLS in front
    (POST, {"origin": "https://class.org", "x-forwarded-host": "class.org"}, True),  # a proxy that keeps no Host
    (POST, {"origin": "https://class.org", "sec-fetch-site": "same-origin"}, True),
    (POST, {"origin": "http://[", **BROWSER}, False),
    (POST, opened("cross-site"), False),  # a form
    (WORK, {"sec-fetch-site": "same-origin", **BROWSER}, True),
    (WORK, {"sec-fetch-site": "none", **BROWSER}, True),  # typed
    (WORK, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", **BROWSER}, False),  # an <img>
    (WORK, {"sec-fetch-site": "same-site", **BROWSER}, False),  # another port of this machine
    (WORK, opened("cross-site"), False),
    (WORK, BROWSER, False),  # no TLS and nothing said: may be an <img> of anybody's
    (WORK, {**BROWSER, "referer": f"{OURS}/latent-space"}, True),
    (WORK, {**BROWSER, "referer": f"{OTHERS}/{HOST}"}, False),
    (WORK, {"origin": OTHERS}, False),
    (PAGE, opened("cross-site"), True),  # a link on another site
    (PAGE, BROWSER, True),
    (PAGE, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", **BROWSER}, False),
    (("GET", "/studio/gradio_api/queue/data"), opened("cross-site"), False),
    (("GET", "/studio/"), opened("cross-site"), True),
    (("PUT", "/_stcore/upload_file/a/b"), {"origin": OTHERS}, False),
    (("", "/_stcore/stream"), {"origin": OTHERS}, False),  # a web socket
    (("", "/live/x"), {"origin": OURS}, True),
])  # fmt: skip
def test_only_our_own_pages_people_and_programs_may_ask(what, told, may):
    assert asking(*what, Headers({"host": HOST, **told})) == ("" if may else None)


def test_sites_of_the_settings_may_ask(settings):
    settings(origins="https://a.example http://b.example:81 https://*.c.example")
    for origin, may in {
        "https://a.example": True, "http://a.example": False, "https://a.example:444": False,
        "http://b.example:81": True, "https://x.c.example": True, "https://c.example": False, "https://evilc.example": False,
        "https://x.c.example.org": False,
    }.items():  # fmt: skip
        assert asking(*POST, Headers({"host": HOST, "origin": origin})) == (origin if may else None), origin


def test_a_space_is_known_by_its_name(monkeypatch):
    told = Headers({"host": "10.0.0.1:7860", "origin": "https://me-play.hf.space"})
    assert asking(*POST, told) is None
    monkeypatch.setenv("SPACE_HOST", "me-play.hf.space")
    assert asking(*POST, told) == ""


# What is answered ---------------------------------------------------------------------------------------------------


async def told(request):
    return JSONResponse(dict(request.headers), headers={"Access-Control-Allow-Origin": "*"})


async def page(request):
    return HTMLResponse(f"<script>{SCRIPT}</script><script src='/a.js'></script><script>{SCRIPT}2</script>")


async def socket(websocket):
    await websocket.accept()
    await websocket.send_text(websocket.headers.get("origin", ""))
    await websocket.close()


@pytest.fixture
def site():
    routes = [Route("/", page), Route("/explore/file", page), Route("/told", told, methods=["GET", "POST"]),
              WebSocketRoute("/live/x", socket)]  # fmt: skip
    with TestClient(Starlette(routes=routes, middleware=[Middleware(Guard)]), base_url=OURS) as client:
        yield client


def parts(answer) -> dict[str, str]:
    return dict(one.strip().partition(" ")[::2] for one in answer.headers["content-security-policy"].split(";"))


def test_pages_run_the_scripts_that_stand_in_them_and_no_others(site):
    answer = site.get("/", headers={"accept": "text/html"})
    digests = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (SCRIPT, SCRIPT + "2")]
    assert re.findall(r"'sha256-[^']+'", parts(answer)["script-src"]) == digests
    assert "unsafe" not in parts(answer)["script-src"].replace("wasm-unsafe-eval", "")
    assert answer.headers["content-encoding"] == "gzip" and answer.text.startswith("<script>")


def test_what_is_no_page_runs_none(site):
    answer = site.get("/explore/file", headers={"accept": "text/html"})
    assert "sandbox" in parts(answer) and "script-src" not in parts(answer) and parts(answer)["default-src"] == "'none'"


def test_nobody_frames_the_pages_unless_the_settings_say_so(site, settings):
    answer = site.get("/told")
    assert parts(answer)["frame-ancestors"] == "'none'" and answer.headers["x-frame-options"] == "DENY"
    settings(embed="https://a.example https://*.b.example")
    answer = site.get("/told")
    assert parts(answer)["frame-ancestors"] == "'self' https://a.example https://*.b.example"
    assert "x-frame-options" not in answer.headers


def test_others_are_refused_in_a_sentence_and_told_nothing(site):
    for answer in (site.post("/told", headers={"origin": OTHERS}),
                   site.options("/told", headers={"origin": OTHERS, "access-control-request-method": "POST"})):
        assert answer.status_code == 403 and answer.json()["problem"].endswith("some that can.")
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert not [name for name in site.get("/told").headers if name.startswith("access-control")]
    with pytest.raises(WebSocketDisconnect), site.websocket_connect("/live/x", headers={"origin": OTHERS}):
        pass


def test_who_may_ask_is_told_so_and_looks_like_us_from_within(site, settings):
    settings(origins=OTHERS)
    asked = site.options("/told", headers={"origin": OTHERS, "access-control-request-method": "POST",
                                           "access-control-request-headers": "x-mine"})
    assert asked.status_code == 204 and asked.headers["access-control-allow-headers"] == "x-mine"
    answer = site.post("/told", headers={"origin": OTHERS})
    assert answer.headers["access-control-allow-origin"] == OTHERS and "Origin" in answer.headers["vary"]
    assert urlsplit(answer.json()["origin"]).netloc == HOST
    with site.websocket_connect("/live/x", headers={"origin": OTHERS, "host": HOST}) as live:
        assert urlsplit(live.receive_text()).netloc == HOST


@pytest.mark.parametrize(("host", "may"), [
    ("localhost:7860", True), ("127.0.0.1", True), ("[::1]:7860", True), ("me.localhost", True),
    ("evil.example:7860", False), ("localhost.evil.example", False), ("192.168.1.2:7860", False), ("[", False),
])  # fmt: skip
def test_a_server_of_this_machine_alone_has_no_other_name(site, monkeypatch, host, may):
    assert site.get("/told", headers={"host": host}).status_code == 200
    monkeypatch.setattr(gate, "local_only", True)
    answer = site.get("/told", headers={"host": host, "origin": f"http://{host}"})
    assert answer.status_code == (200 if may else 403)
    assert may or "localhost only" in answer.json()["problem"]


# The whole server ---------------------------------------------------------------------------------------------------

ADDRESSES = ("/", "/latent-space", "/studio/", "/studio/gradio_api/info", "/studio/gradio_api/mcp/", "/health",
             "/none.js", "/assets/logo.svg", "/_stcore/health", "/explore/undercomplete-digits", "/studio/theme.css")  # fmt: skip


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_answer_has_the_headers(studio, served, path):
    answer = httpx.get(served.address + path, headers={"accept": "text/html, */*"}, timeout=60)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin" and "camera=(self)" in answer.headers[
        "permissions-policy"]  # fmt: skip
    assert parts(answer)["frame-ancestors"] == "'none'"
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/studio/gradio_api/queue/join"), ("POST", "/studio/gradio_api/call/train"),
    ("POST", "/studio/gradio_api/run/train"), ("POST", "/studio/gradio_api/upload"),
    ("POST", "/studio/gradio_api/mcp/"), ("POST", "/explore/undercomplete-digits/decode"),
    ("GET", "/explore/undercomplete-digits/map"),
    ("POST", "/paint/picture"), ("POST", "/inspect/undercomplete-digits/images"), ("PUT", "/_stcore/upload_file/a/b"),
    ("GET", "/_stcore/stream"), ("GET", "/live/x"),
])  # fmt: skip
def test_no_other_site_reaches_what_works(served, method, path):
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
               "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw=="}  # fmt: skip
    sockets = path in ("/_stcore/stream", "/live/x")
    for origin in ("http://localhost:3000", "https://evil.example", "null"):
        asked = {"origin": origin, **(upgrade if sockets else {})}
        answer = httpx.request(method, served.address + path, headers=asked, timeout=60)
        assert answer.status_code == 403 and "Pages of other sites" in answer.json()["problem"]
    if not sockets:
        assert httpx.request(method, served.address + path, timeout=60).status_code != 403
