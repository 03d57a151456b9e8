"""Places: the Lab's pages by their addresses, which of them a model can be opened on, and by which link."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from playground.coder import ways
from playground.events import Trouble
from playground.experiment import Experiment
from playground.lab.applications import applications
from playground.library import NAME

TRAIN, LATENT, INSIDE, PAINT = "", "latent-space", "inside", "paint"
PAGES = {TRAIN: "Train", LATENT: "Latent space", INSIDE: "Inside", PAINT: "Paint"}
PAINTS = ("inpaint", "project", "denoise", "reconstruct")  # what of a model's uses the Paint page knows
NAMED = ("model", "paint.model", "run")  # what of a link names a model
READABLE = re.compile(r"[\w.,:/?&=%+-]*")


def pages() -> dict[str, str]:
    """Address -> title of every page that shows a model or a run, applications included."""
    return PAGES | {name: applications[name].title for name in applications}


def places(experiment: Experiment, name: str, is_run: bool, look: bool = True) -> dict[str, dict[str, str]]:
    """The address of each page on which a model can be opened -> what its link holds, by key.

    is_run: whether `name` is a run, which the Train page shows by its name; a shipped model it shows by its experiment.
    look: whether the Train page is to show that very run, rather than begin one like it.
    """
    query, uses = dict(parse_qsl(experiment.to_query())), ways(experiment)
    found = {TRAIN: query | ({"run": name} if is_run and look else {})}
    if experiment.has_code:
        found[LATENT] = {**query, "model": name}
    if experiment.task.restores:
        found[INSIDE] = {**query, "model": name}
    if use := next((one for one in PAINTS if one in uses), ""):
        found[PAINT] = {"paint.use": use, "paint.model": name, "paint.data": experiment.data.name}
    return found | {use: {"model": name} for use in uses if use in applications}


def link(page: str, holds: Mapping[str, str], base: str = "") -> str:
    """The address of a page with what it is to hold; base: the server's, such as "http://localhost:7860"."""
    return f"{base}/{page}" + (f"?{urlencode(holds, safe=',')}" if holds else "")


def foreign(query: Mapping[str, str]) -> dict[str, str]:
    """What of a link names a model by anything but a name: key -> value; addresses and paths are never followed."""
    return {key: value for key in NAMED if (value := query.get(key)) and not NAME.fullmatch(value)}


def refusal(found: Mapping[str, str]) -> str:
    """Why a link's model is not opened, in a sentence; empty where nothing is wrong."""
    if not found:
        return ""
    value = next(iter(found.values()))
    shown = f" ({value[:60]}{'…' * (len(value) > 60)})" if READABLE.fullmatch(value[:60]) else ""
    return (f"This link names a model by an address or a path{shown}, and no model is fetched because a link says so: "
            "save its file and bring it on the page Models.")


def held(query: Mapping[str, str]) -> Experiment:
    """The experiment that a link holds, strictly; Trouble where there is something in it that cannot be read."""
    own = {key: value for key, value in query.items()
           if key not in (*NAMED, "hide", "lesson", "inside") and not key.startswith(("map.", "paint."))}
    experiment, problems = Experiment.from_query(urlencode(own))
    if problems:
        raise Trouble(f"Not everything in this link can be read: {'; '.join(problems)[:300]}.")
    return experiment
