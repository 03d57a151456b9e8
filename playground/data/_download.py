"""Fetching a file over HTTP: to be resumed where it was cut off, and kept only if its checksum is right."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from playground.data import Report
from playground.events import Trouble

CHUNK = 1 << 18
TIMEOUT = 20.0  # seconds without a byte
TRIES = 4  # times in a row that a connection may bring nothing
NETWORK = (urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException, ValueError)


class _Damaged(Exception):
    """The file came, but its checksum is wrong."""


def download(urls: Sequence[str], target: Path, md5: str, title: str, report: Report, pause: float = 1.0) -> None:
    """Fetch `target` from the first of `urls` that has it; nothing is done if it is there with the right checksum.

    What has come stays in `target`.part, also when this is interrupted, and is gone on from. `title` names the data
    set in reports and in the Trouble that says that the network is missing or the file is damaged. `pause`: seconds
    before a broken connection is tried again.
    """
    if has(target, md5):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    reason = f"Downloading {title}: {target.name}"
    damaged, silent = False, set()
    for url in (url for url in urls for _ in range(2)):  # damaged bytes may be an old part's: once more from the start
        if url in silent:
            continue
        try:
            _fetch(url, part, reason, report, pause)
            _accept(part, target, md5)
            return
        except _Damaged:
            damaged = True
        except NETWORK:
            silent.add(url)
        except OSError as error:
            raise Trouble(f"{title} cannot be stored in {target.parent}: {error.strerror}.") from None
    if damaged:
        raise Trouble(f"{title} arrived damaged ({target.name} has a wrong checksum): try again later.")
    raise Trouble(f"{title} has to be downloaded, but there is no network or its server does not answer.")


def has(path: Path, md5: str) -> bool:
    """Whether the file is there with this checksum."""
    if not path.is_file():
        return False
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest() == md5


def _accept(part: Path, target: Path, md5: str) -> None:
    if not has(part, md5):
        part.unlink()
        raise _Damaged
    part.replace(target)


def _fetch(url: str, part: Path, reason: str, report: Report, pause: float) -> None:
    """Bring `part` to its full length; the last error once nothing more has come TRIES times in a row."""
    tries = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            if _go_on(url, part, reason, report):
                return
            error: Exception = ConnectionError("the connection was cut")
        except urllib.error.HTTPError as refusal:
            refusal.close()
            if refusal.code < 500 and refusal.code not in (408, 429):
                raise
            error = refusal
        except NETWORK as failure:
            error = failure
        came = part.exists() and part.stat().st_size > before
        tries = 0 if came else tries + 1
        if tries == TRIES or (tries and _unreachable(error)):
            raise error
        time.sleep(pause)


def _unreachable(error: Exception) -> bool:
    """No such host, or nobody listening there: trying again at once would only make a person wait."""
    reason = getattr(error, "reason", error)
    return isinstance(reason, ConnectionRefusedError) or type(reason).__name__ == "gaierror"


def _go_on(url: str, part: Path, reason: str, report: Report) -> bool:
    """One connection: append what is missing of `part`; whether it is complete now."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "autoencoder-playground", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    report(reason, None)
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as refusal:
        if refusal.code == 416:  # nothing follows what is here: complete, or, if the checksum says so, wrong
            refusal.close()
            return True
        raise
    with answer:
        start, total = _extent(answer, have)
        with part.open("r+b" if part.exists() else "wb") as file:
            file.truncate(start)
            file.seek(start)
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                report(reason, min(file.tell() / total, 1.0) if total else None)
            return total is None or file.tell() >= total


def _extent(answer: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Where the bytes of an answer begin (0 where the server ignores ranges) and how long the whole file is."""
    found = re.match(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range") or "")
    if answer.status == 206 and found and int(found[1]) == have:
        return have, int(found[2])
    if answer.status == 206:
        raise http.client.HTTPException("another part of the file came than was asked for")
    length = answer.headers.get("Content-Length")
    return 0, int(length) if length else None


@contextlib.contextmanager
def alone(folder: Path, title: str, report: Report) -> Iterator[None]:
    """Hold a folder, so that two runs that start together do not fetch and unpack the same files into one another."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows, where it is left to chance
        yield
        return
    with (folder / ".lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                report(f"Waiting for another run that fetches {title}", None)
                time.sleep(0.1)
            except OSError:  # a file system without locks
                break
        yield
