"""What a teacher's link is made of: what it opens, what it hides, and where students reach this server."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

from playground.events import Trouble
from playground.experiment import PARTS, Experiment
from playground.gate import is_loopback
from playground.knobs import knobs, label
from playground.lab.places import foreign, held, pages, refusal
from playground.lessons import Lesson, lesson

BUTTONS = {"train": "Train, Pause, Resume", "step": "Step", "stop": "Stop", "reset": "Reset", "reseed": "Reseed"}
CONTROLS = {"speed": "Speed", "data": "Data", "task": "Task", "variant": "Variant", "architecture": "Network",
            "more": "More, and all below it", "own": "Your own images", "notebook": "Notebook", "script": "Script"}
TITLES = {"architecture": "Network"}
NO_LINK = "This is no link to a page of the playground: copy it whole from the address bar."
ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[\w./~-]*)?")


def hideable(experiment: Experiment) -> dict[str, str]:
    """What a link can leave out of the Train page, as `?hide=` calls it -> in words: buttons, controls, every knob."""
    named = [(part, name, setting) for part in PARTS for name, setting in knobs(getattr(experiment, part)).items()]
    taken = Counter(name for _, name, _ in named) + Counter([*BUTTONS, *CONTROLS])
    return BUTTONS | CONTROLS | {
        name if taken[name] == 1 else f"{part}.{name}":
            f"{TITLES.get(part, part.capitalize())}: {label(name, setting)}"
        for part, name, setting in named
    }  # fmt: skip


def of_lesson(lesson: Lesson) -> tuple[str, dict[str, str]]:
    """The page that a lesson opens and what its link holds."""
    return lesson.page, dict(parse_qsl(urlsplit(lesson.link).query))


def meant(query: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    """The page that a link with a lesson and nothing else, `hide` aside, is to open, and all that it is to hold.

    None for every other link: one that says anything of an experiment, a model or a run counts as it stands.
    """
    told = lesson(query.get("lesson", ""))
    if told is None or query.keys() - {"lesson", "hide"}:
        return None
    page, holds = of_lesson(told)
    return page, {**query, **holds}


def read(text: str) -> tuple[str, dict[str, str]]:
    """The page and what it holds, of a link that somebody pasted, wherever its server was; Trouble where it is none."""
    try:
        where = urlsplit(text.strip())
    except ValueError:
        raise Trouble(NO_LINK) from None
    page = where.path.strip("/")
    if page == "train":
        page = ""
    if where.scheme not in ("", "http", "https") or page not in pages() or not (where.netloc or text.startswith("/")):
        raise Trouble(NO_LINK)
    holds = dict(parse_qsl(where.query))
    if wrong := refusal(foreign(holds)):
        raise Trouble(wrong)
    held(holds)
    return page, holds


def with_hidden(holds: Mapping[str, str], hidden: Iterable[str]) -> dict[str, str]:
    """What a link holds, with more left out than it leaves out already."""
    before = [name.strip() for name in holds.get("hide", "").split(",") if name.strip()]
    names = list(dict.fromkeys([*before, *hidden]))
    return {**holds, "hide": ",".join(names)} if names else dict(holds)


# Where students reach it --------------------------------------------------------------------------------------------


def own_address() -> str:
    """This machine's address in its network; empty where it has none. Nothing is sent: the system names a way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))
            found = asked.getsockname()[0]
        except OSError:
            return ""
    return "" if is_loopback(found) or found == "0.0.0.0" else found


def reachable(seen: str, listens: str, machine: str) -> tuple[str, str]:
    """The address to put into links, and a sentence where students cannot reach it or it may be another one.

    seen: the address at which the teacher's own browser sees the page; listens: what the server listens at; machine:
    this machine's address in its network, or nothing.
    """
    where = urlsplit(seen)
    base = f"{where.scheme}://{where.netloc}"
    if not is_loopback(where.hostname or ""):
        return base, ""
    if is_loopback(listens):
        return base, ("Only this machine reaches this address: start the playground with --host 0.0.0.0 to let a class "
                      "in, or write the address of the server in front of it.")
    if not machine:
        return base, "Only this machine reaches this address, and it has no other: write the one that students use."
    port = f":{where.port}" if where.port else ""
    return f"{where.scheme}://{machine}{port}", "This is the machine's address in its network; correct it if need be."


def address(text: str) -> str:
    """A server's address as somebody wrote it, without a slash at its end; Trouble where it is none."""
    wanted = text.strip()
    wanted = wanted if "://" in wanted else f"http://{wanted}"
    if not ADDRESS.fullmatch(wanted) or not 0 < (_port(wanted) or 1) < 65536:
        raise Trouble("An address looks like http://192.168.1.20:7860 or https://playground.example.org.")
    return wanted.rstrip("/")


def _port(wanted: str) -> int | None:
    found = re.search(r":(\d+)(?:/|$)", wanted)
    return int(found[1]) if found else None
