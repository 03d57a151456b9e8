"""The gate: a browser's key is a secret, it tells whose runs are whose, and the teacher's password is not guessed."""

from __future__ import annotations

import re
import time

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground import gate as module
from playground.caps import caps
from playground.gate import COOKIE, KEY, TRIES, Gate, Keys, new_key
from playground.owners import NOBODY, Viewer, owner_of

ANNA, BEN = new_key(), new_key()
PAGE = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def taught(monkeypatch):
    monkeypatch.setenv("PLAYGROUND_TEACHER", "correct horse")
    monkeypatch.setattr(module, "gate", made := Gate())
    return made


def cookies(key: str) -> dict[str, str]:
    return {COOKIE: key}


# Keys ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def site():
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("here"))], middleware=[Middleware(Keys)])
    with TestClient(app) as client:
        yield client


def test_a_browser_gets_a_key_that_scripts_cannot_read_and_keeps_it(site):
    said = site.get("/", headers=PAGE).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(said.split("; ")) and "Secure" not in said
    key = site.cookies[COOKIE]
    assert KEY.fullmatch(key)
    assert f"{COOKIE}={key};" in site.get("/", headers=PAGE).headers["set-cookie"]


def test_keys_are_never_alike(site):
    keys = set()
    for _ in range(50):
        site.cookies.clear()
        site.get("/", headers=PAGE)
        keys.add(site.cookies[COOKIE])
    assert len(keys) == 50


def test_behind_tls_the_key_travels_by_tls_only(site):
    said = site.get("/", headers={**PAGE, "x-forwarded-proto": "https"}).headers["set-cookie"]
    assert said.endswith("; Secure")


def test_programs_get_no_key_and_what_is_no_key_is_replaced(site):
    assert "set-cookie" not in site.get("/").headers
    for odd in ("short", "x" * 44, "../../etc", "a b"):
        said = site.get("/", headers={**PAGE, "cookie": f'other=1; {COOKIE}="{odd}"'}).headers["set-cookie"]
        assert odd not in said and KEY.fullmatch(re.match(rf"{COOKIE}=([^;]*)", said)[1])


# Who sees what ------------------------------------------------------------------------------------------------------


def test_who_owns_what():
    anna, ben = Viewer(owner_of(ANNA), local=False), Viewer(owner_of(BEN), local=True)
    assert anna.owns(owner_of(ANNA)) and not anna.owns(owner_of(BEN)) and not anna.owns("")
    assert ben.owns("") and not ben.owns(owner_of(ANNA))
    assert not Viewer(NOBODY, local=False).owns(NOBODY)
    teacher = Viewer(owner_of(BEN), teacher=True, local=False)
    assert all(teacher.owns(owner) for owner in ("", NOBODY, owner_of(ANNA)))
    assert ANNA not in owner_of(ANNA) and owner_of(ANNA) != owner_of(BEN)


@pytest.mark.parametrize(("asked", "host", "is_shared"), [
    ("auto", "127.0.0.1", False), ("auto", "::1", False), ("auto", "localhost", False), ("auto", "0.0.0.0", True),
    ("auto", "192.168.1.2", True), ("auto", "::", True), ("yes", "127.0.0.1", True), ("no", "0.0.0.0", False),
])  # fmt: skip
def test_a_server_is_shared_where_others_reach_it_or_the_settings_say_so(monkeypatch, asked, host, is_shared):
    monkeypatch.setenv("PLAYGROUND_CAP_SHARED", asked)
    caps.cache_clear()
    try:
        made = Gate()
        made.listens(host)
        assert made.shared is is_shared
        assert made.viewer({}).owns("") is not is_shared
        assert made.viewer({}).owner == (NOBODY if is_shared else "")
    finally:
        monkeypatch.undo()
        caps.cache_clear()


def test_the_machines_own_runs_are_nobodys_business_where_there_is_a_teacher(taught):
    assert not taught.viewer({}).owns("") and not taught.viewer(cookies(ANNA)).owns("")


def test_the_teacher_sees_all_after_the_password_and_nobody_else_does(taught):
    ben = taught.viewer(cookies(BEN))
    assert taught.teach(ben, "wrong").startswith("This is not") and not taught.viewer(cookies(BEN)).teacher
    assert taught.teach(taught.viewer({}), "correct horse")  # who has no key cannot be recognised again
    assert taught.teach(ben, "correct horse") == ""
    assert taught.viewer(cookies(BEN)).owns(owner_of(ANNA)) and not taught.viewer(cookies(ANNA)).owns(owner_of(BEN))
    taught.leave(ben)
    assert not taught.viewer(cookies(BEN)).teacher


def test_without_a_password_nobody_is_a_teacher():
    made = Gate()
    assert made.teach(made.viewer(cookies(ANNA)), "") and not made.viewer(cookies(ANNA)).teacher


def test_passwords_cannot_be_guessed_quickly(taught, monkeypatch):
    ben = taught.viewer(cookies(BEN))
    for attempt in range(TRIES):
        assert taught.teach(ben, str(attempt)).startswith("This is not")
    assert "Too many" in taught.teach(ben, "correct horse") and not taught.viewer(cookies(BEN)).teacher
    later = time.monotonic() + module.WHILE + 1
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    assert taught.teach(ben, "correct horse") == ""
