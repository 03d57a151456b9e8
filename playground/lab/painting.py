"""The Paint page: which models and pictures there are, and what the page adds to the address."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import streamlit as st

from playground.architectures import architectures
from playground.coder import Choice
from playground.data import datasets
from playground.experiment import Experiment, Training
from playground.lab.session import Visit
from playground.lab.whole import whole
from playground.restorer import Restorer
from playground.tasks import tasks
from playground.variants import variants

PREFIX = "paint."
WAYS = ("fill", "noise")
NOISES = {  # kind -> what it is called, and what it does
    "gaussian": ("Gaussian", "Every value moves by chance, by the level on average."),
    "masking": ("Masking", "Each value becomes 0, as often as the level says."),
    "salt-and-pepper": ("Salt and pepper", "Each value becomes black or white, as often as the level says."),
    "speckle": ("Speckle", "Noise that grows with the brightness."),
    "block": ("Block", "A rectangle of that share of the area becomes 0."),
    "none": ("None added", "The picture as it is, for one that is noisy already."),
}
CLASSICAL = (
    {"name": "telea", "title": "Telea, OpenCV"},
    {"name": "biharmonic", "title": "Biharmonic, scikit-image"},
)
USES = ("inpaint", "project", "denoise", "reconstruct", "classical")
CLEANING = ("denoise", "reconstruct")  # those of them that take noise away; the others fill
MOST_RUNS = 40  # in the list of models
DEFAULTS = {"way": "fill", "model": "", "use": "", "data": "", "index": 0, "kind": "gaussian", "level": 0.3}


class Painting:
    """One visitor's Paint page. What is set lives in a plain session key, which outlives the page."""

    @whole()
    def __init__(self, visit: Visit):
        self.visit = visit
        if "painting" not in st.session_state:
            query = st.query_params.items()
            asked = {name.removeprefix(PREFIX): text for name, text in query if name.startswith(PREFIX)}
            st.session_state.painting, st.session_state.painting_problems = read(asked)
            st.session_state.painting_linked = [*asked, *(("way",) if "use" in asked else ())]

    @property
    def settings(self) -> dict[str, Any]:
        return st.session_state.painting

    def choices(self) -> list[dict[str, Any]]:
        """Everything that can fill or clean, as the page lists it: the visitor's own run first."""
        usable = Restorer(self.visit.bench).choices("", self.visit.viewer, self.settings["model"])
        found = [one for one in usable if one.way in USES]
        shipped, runs = [one for one in found if one.shipped], [one for one in found if not one.shipped]
        own = [one for one in runs if one.name == self.visit.job]
        others = [one for one in runs if one.name != self.visit.job][: MOST_RUNS * 3]
        told = [_told(one, one.name == self.visit.job) for one in (*own, *shipped, *others)]
        return told + [{**one, "use": "classical", "data": "", "shape": (), "own": False} for one in CLASSICAL]

    def datasets(self) -> list[dict[str, str]]:
        """Every set that has pictures; `like` names the visitor's run where its own settings of the set count."""
        mine = self.visit.experiment.data
        return [
            {"name": name, "title": datasets[name].title, "like": self.visit.job if mine.name == name else ""}
            for name in datasets
            if name == mine.name and min(mine.shape[1:]) > 1 or _has_pictures(name)
        ]

    def data(self) -> dict[str, Any]:
        """What the component is told; everything else it asks of the routes."""
        choices, sets, settings = self.choices(), self.datasets(), dict(self.settings)
        names, problems = [one["name"] for one in sets], list(st.session_state.painting_problems)
        if settings["data"] not in names:
            trained = [one["data"] for one in choices if one["use"] == "inpaint"]
            mine = self.visit.experiment.data.name
            wanted = (*((mine,) if mine in trained else ()), *trained, mine, *names)
            settings["data"] = next((name for name in wanted if name in names), "")
        chosen = (settings["use"], settings["model"])
        if settings["model"] and chosen not in [(one["use"], one["name"]) for one in choices]:
            problems.append("The model in this link is not here any more, so another one is chosen.")
            settings["model"] = settings["use"] = ""
        return {
            "choices": tuple(choices),
            "datasets": tuple(sets),
            "noises": tuple({"name": name, "title": title, "help": help} for name, (title, help) in NOISES.items()),
            "start": {**settings, "linked": tuple(st.session_state.painting_linked)},
            "train": {use: f"/?{made.to_query()}" for use, made in self.lacking().items()},
            "problems": tuple(problems),
        }

    def lacking(self) -> dict[str, Experiment]:
        """Use -> a quick experiment that gives a model for it, on the images of the visitor's run."""
        data = self.visit.experiment.data
        plain = Experiment(data) if min(data.shape[1:]) > 1 else Experiment()
        network = architectures["unet"](width=8)
        fill = replace(plain, task=tasks["inpaint"](), architecture=network, training=Training(loss="bce"))
        return {"inpaint": fill, "denoise": replace(plain, variant=variants["denoising"]())}

    def act(self, asked: dict[str, Any]) -> None:
        """Somebody chose a model, a picture or a noise on the page."""
        if asked.get("do") == "set":
            texts = {name: str(value) for name, value in asked.items() if name in DEFAULTS and value is not None}
            st.session_state.painting, _ = read(texts)
            st.session_state.painting_problems = []

    def write_address(self) -> None:
        """The experiment, its run, and what is painted on with which model, as far as it is not the default."""
        changed = {name: value for name, value in self.settings.items() if value != DEFAULTS[name]}
        self.visit.write_address(**{PREFIX + name: str(value) for name, value in changed.items()})


def read(texts: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Settings of the page from texts, and a sentence for each that could not be read and stays at its default."""
    settings, problems = dict(DEFAULTS), list[str]()
    allowed = {"way": WAYS, "kind": tuple(NOISES), "use": ("", *USES)}
    for name, text in texts.items():
        if name not in DEFAULTS:
            problems.append(f"The Paint page has nothing called {name[:40]!r}.")
        elif name in allowed:
            if text in allowed[name]:
                settings[name] = text
            else:
                problems.append(f"{PREFIX}{name} must be one of {', '.join(filter(None, allowed[name]))}.")
        elif name == "index":
            if text.isdecimal() and len(text) < 9:
                settings[name] = int(text)
            else:
                problems.append(f"{PREFIX}index must be a whole number.")
        elif name == "level":
            _read_level(text, settings, problems)
        else:
            settings[name] = text[:100]
    if settings["use"]:  # a model is only used in its own way
        settings["way"] = "noise" if settings["use"] in CLEANING else "fill"
    return settings, problems


def _read_level(text: str, settings: dict[str, Any], problems: list[str]) -> None:
    try:
        level = float(text)
    except ValueError:
        level = -1.0
    if 0 <= level <= 1:
        settings["level"] = level
    else:
        problems.append(f"{PREFIX}level must be a number from 0 to 1.")


def _has_pictures(name: str) -> bool:
    return name != "own" and min(datasets[name]().shape[1:]) > 1


def _told(one: Choice, own: bool) -> dict[str, Any]:
    facts = asdict(one)
    return {"name": one.name, "title": one.title, "use": facts["way"], "shape": one.shape, "data": one.data, "own": own}
