"""The Latent space page: which model is shown, what else can be chosen, and what the page adds to the address."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import streamlit as st

from playground.events import Trouble
from playground.experiment import Experiment
from playground.knobs import knobs, read
from playground.lab.map_knobs import described
from playground.lab.session import Visit
from playground.lab.whole import whole
from playground.library import called
from playground.probes.maps import MapKnobs

MOST_RUNS = 40  # in the list of models
PREFIX = "map."


class Exploration:
    """One visitor's look at a latent space. Empty `explored`: the visitor's own run, whichever that is.

    needs_code: whether only models with a code can be shown.
    """

    needs_code = True

    @whole()
    def __init__(self, visit: Visit):
        self.visit = visit
        if "explored" not in st.session_state:
            st.session_state.explored = st.query_params.get("model", "")
            query = st.query_params.items()
            asked = {name.removeprefix(PREFIX): text for name, text in query if name.startswith(PREFIX)}
            st.session_state.map_knobs, st.session_state.map_problems = MapKnobs.asked(asked)
            st.session_state.map_chosen = "kind" in asked
        st.session_state.not_found = ""
        if st.session_state.explored and st.session_state.explored not in self.titles:
            st.session_state.not_found = self._why_not(st.session_state.explored)
            st.session_state.explored = ""

    def _why_not(self, name: str) -> str:
        try:
            title = self.visit.bench.experiment(name).title
        except Trouble:
            return "The model in this link is not here any more, so this is your own run."
        return f"The model in this link, {title}, has no code and so no map: this is your own run."

    @property
    def name(self) -> str:
        """The run or model that is shown; empty where that would be the visitor's run and it has no code."""
        return st.session_state.explored or (self.visit.job if self._shows(self.visit.experiment) else "")

    def _shows(self, experiment: Experiment) -> bool:
        return experiment.has_code or (experiment.task.restores and not self.needs_code)

    @property
    def nothing(self) -> str:
        """Why there is no map, in words; empty where there is one."""
        if self.name:
            return ""
        title = self.visit.experiment.title
        do = "choose another model, or train" if self.choices else "train"
        return f"Your run, {title}, has no code that images come back from, so it has no map: {do} an autoencoder."

    @property
    def knobs(self) -> MapKnobs:
        return st.session_state.map_knobs

    @property
    def problems(self) -> list[str]:
        """What the link said that could not be followed, in sentences."""
        return [*filter(None, [st.session_state.not_found]), *st.session_state.map_problems]

    @property
    def titles(self) -> dict[str, str]:
        """Name -> title of everything that can be shown."""
        return {one["name"]: one["title"] for one in self.choices}

    @cached_property
    def choices(self) -> list[dict[str, str]]:
        """The visitor's run first, then their others that learnt something, newest first, then the shipped models.

        Of all these, those that have a code, where one is needed.
        """
        visit, own = self.visit, self.visit.job
        mine = [(own, visit.experiment, visit.status)]
        known = (own, st.session_state.explored)  # a link's name is enough to look at a run
        others = [(one.job, one.title, one.status) for one in visit.bench.jobs() if one.job != own and one.steps_taken
                  and (visit.viewer.owns(one.owner) or one.job in known)]
        shipped = [(one.name, one.experiment, one.status) for one in visit.bench.library.shipped_models()]
        first = "Your run" if visit.mine else "The run in this link"
        groups = {first: mine, "Other runs": others}
        for one in sorted(shipped, key=lambda one: getattr(one[1].data, "rank", 100)):
            groups.setdefault(f"Shipped models: {one[1].data.title}", []).append(one)
        return [
            _choice(group, *one)
            for group, models in groups.items()
            for one in [one for one in models if self._shows(one[1])][:MOST_RUNS]
        ]

    def data(self) -> dict[str, Any]:
        """What the component is told; everything else it asks of the routes."""
        name = self.name
        return {
            "name": name,
            "nothing": self.nothing,
            "own": name == self.visit.job and self.visit.mine,
            "live": self.visit.bench.snapshot(name) is not None,
            "choices": self.choices,
            "knobs": described(),
            "start": {name: getattr(self.knobs, name) for name in knobs(MapKnobs)},
            "linked": st.session_state.map_chosen,
            "problems": self.problems,
        }

    @property
    def address(self) -> dict[str, str]:
        """Name -> text of the map's knobs that are not at their default, and of the kind wherever somebody chose it:
        left alone, a run that is done shows its UMAP."""
        default = MapKnobs()
        every = {name: getattr(self.knobs, name) for name in knobs(MapKnobs)}
        kept = {name for name, value in every.items() if value != getattr(default, name)}
        if st.session_state.map_chosen:
            kept.add("kind")
        return {name: str(value) for name, value in every.items() if name in kept}

    def write_address(self, **more: str) -> None:
        """The experiment, its run, the model if it is another one, the map's knobs, and what another page adds."""
        more |= {PREFIX + name: text for name, text in self.address.items()}
        if st.session_state.explored:
            more["model"] = st.session_state.explored
        self.visit.write_address(**more)

    def act(self, asked: dict[str, Any]) -> None:
        """What somebody did on the page: chose a model, set the map's knobs, or pressed Train or Pause."""
        do = asked.get("do")
        if do == "choose" and asked.get("name") in self.titles:
            chosen = asked["name"]
            st.session_state.explored = "" if chosen == self.visit.job else chosen
            st.session_state.map_problems = []
        elif do == "knobs" and isinstance(asked.get("knobs"), dict):
            known = {name: value for name, value in asked["knobs"].items() if name in knobs(MapKnobs)}
            st.session_state.map_knobs, _ = read(MapKnobs, known)
            st.session_state.map_chosen |= bool(asked.get("chosen"))
        elif do == "train":
            self.visit.train()
        elif do == "pause":
            self.visit.pause()


def _choice(group: str, name: str, experiment: Experiment, status: str) -> dict[str, str]:
    return {"group": group, "name": name, "title": called(experiment), "status": status}
