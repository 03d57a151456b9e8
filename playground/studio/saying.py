"""What endpoints say of visitors, results and models, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import gradio as gr

from playground.coder import Choice, usual
from playground.gate import gate
from playground.owners import MACHINE, NOBODY, Viewer
from playground.restorer import Restored, Restorer


def viewer(request: gr.Request | None) -> Viewer:
    """Whose runs are listed, by the browser's key; clients without one own nothing."""
    asked = getattr(request, "request", None)  # of what MCP tools ask on the server's own behalf there is none
    return gate.viewer(asked.cookies if asked is not None else {})


def visitor(request: gr.Request | None) -> str:
    """Who asks, for caps: a browser by its key, everything else by its address.

    Requests that MCP tools make on the server's own behalf count as one visitor's.
    """
    if (owner := viewer(request).owner) not in ("", NOBODY):
        return owner
    client = request.client if request is not None else None
    return client.host if client is not None else "unknown"


def facts(result: Restored) -> dict[str, Any]:
    return {"psnr": result.psnr, "ssim": result.ssim, "seconds": round(result.seconds, 3), "note": result.note}


def titled(choices: Iterable[Choice]) -> list[tuple[str, str]]:
    """(title, name) of models for a list to choose from; where titles are equal, the names tell them apart."""
    found = {one.name: one.title for one in choices}
    often = Counter(found.values())
    return [(f"{title} ({name})" if often[title] > 1 else title, name) for name, title in found.items()]


def offered(choices: Iterable[Choice], more: Iterable[tuple[str, str]] = (), data: str = "") -> dict[str, Any]:
    """What a Dropdown is given to offer models, and `more` (title, name) after them.

    It begins with the usual one of the data set called `data`, where there is any, else with the usual one of all.
    """
    found, more = list(choices), list(more)
    first = usual(one for one in found if one.data == data) or usual(found)
    return {"choices": titled(found) + more, "value": first or next((name for _, name in more), None)}


def learnt_on(restorer: Restorer, model: str | None, who: Viewer) -> str:
    """The data set of a model that somebody can use: what the picture beside it is likely to be of; "" if of none."""
    return next((one.data for one in restorer.choices("", who, model or "") if one.name == model), "")


def models(restorer: Restorer, way: str = "", who: Viewer = MACHINE) -> list[dict[str, Any]]:
    """What somebody can use, a dict for each model, with all its ways."""
    found: dict[str, dict[str, Any]] = {}
    for choice in restorer.choices(way, who):
        one = found.setdefault(choice.name, {
            "name": choice.name, "title": choice.title, "ways": [], "shape": list(choice.shape), "data": choice.data,
            "code": choice.code, "shipped": choice.shipped,
        })  # fmt: skip
        one["ways"].append(choice.way)
    return list(found.values())
