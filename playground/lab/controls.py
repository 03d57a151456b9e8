"""Controls made from knobs: whatever a registry offers gets its widget, its symbol and its line of help by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import streamlit as st

from playground.architectures import architectures
from playground.experiment import PARTS, Experiment
from playground.knobs import Knob, check, knobs, label, matters
from playground.lab.downloads import downloads
from playground.lab.session import SPEEDS, Visit, forget_widgets, renew_widgets, widget_key
from playground.tasks import tasks

SPELLINGS = {"mse": "MSE", "bce": "BCE", "l1": "L1", "relu": "ReLU", "elu": "ELU", "gelu": "GELU",
             "kl": "KL", "top-k": "Top-k"}
SEGMENTS = 24  # characters that fit on one line of segments; more choices become a list
REST = {  # the order under More
    "training": "Training", "architecture": "Network", "variant": "Variant", "task": "Task", "data": "Data",
}
PART_HELP = {
    "data": "What the network sees. A new choice starts a new run.",
    "task": "What the network is to give back. A new choice starts a new run.",
    "variant": "What keeps the network from copying its input. A new choice starts a new run.",
    "architecture": "Dense: every unit sees every pixel. Convolutional: small filters slide over the image. U-Net: "
                    "convolutional, with its levels joined across.",
}


def controls(visit: Visit) -> Experiment:
    """Draw the column of controls; the experiment they ask for."""
    panel = Panel(visit)
    if panel.shows("speed"):
        with st.container(key="pace", gap=None):
            panel.speed()
    with st.container(key="part_data", gap=None):
        panel.choose("data", _data_name)
        if panel.shows("data"):
            panel.note(panel.wanted.data.note)
        panel.group("data", _first(panel.plain("data")))
    with st.container(key="part_task", gap=None):
        panel.choose("task", lambda name: tasks[name].title)
        if panel.shows("task"):
            panel.note(panel.wanted.task.motto)
        panel.group("task", panel.plain("task"))
    if panel.wanted.task.varied:
        with st.container(key="part_variant", gap=None):
            panel.choose("variant", str.capitalize)
            if panel.shows("variant"):
                panel.note(panel.wanted.variant.motto)
            panel.group("variant", panel.plain("variant"))
    with st.container(key="part_architecture", gap=None):
        panel.choose("architecture", lambda name: architectures[name].title or name.capitalize(), "Network")
        panel.group("architecture", panel.plain("architecture"))
        panel.group("training", panel.plain("training"))
    if panel.shows("more"):
        with st.expander("More", key="more"):
            panel.rest()
    return panel.wanted


def _data_name(name: str) -> str:
    dataset = PARTS["data"][name]
    # whether it is here already may change, and a list whose words change is another control, which forgets its value
    return f"{dataset.title} (download)" if dataset.needs_download else dataset.title


def _needs_download(registry: Any) -> Any:
    return lambda name: getattr(registry[name], "needs_download", False)


def _first(names: list[str]) -> list[str]:
    return names[:1]


class Panel:
    """The widgets of one run of the page; `wanted` follows them one by one."""

    def __init__(self, visit: Visit):
        self.visit = visit
        self.wanted = visit.experiment
        self._drawn: set[str] = set()

    def shows(self, *names: str) -> bool:
        """Whether a control is there: the link may leave it out by its name, dotted or not."""
        return not self.visit.hidden.intersection(name.lower() for name in names)

    def plain(self, part: str) -> list[str]:
        """The part's knobs that are not rare and have a say; one that decides over others comes before them."""
        value = getattr(self.wanted, part)
        return [name for name, setting in knobs(value).items() if not setting.rare and self._matters(part, name)]

    def _matters(self, part: str, name: str) -> bool:
        """Whether a knob has a say beside the others and for the task."""
        if (part, name) == ("training", "loss") and not self.wanted.task.any_loss:
            return False
        return matters(getattr(self.wanted, part), name)

    # A part: which data set, which variant, which architecture ------------------------------------------------------

    def choose(self, part: str, words: Any, title: str = "") -> None:
        """Segments or a list of what a registry holds."""
        registry, now = PARTS[part], getattr(self.wanted, part).name
        if not self.shows(part):
            return
        names = sorted(filter(lambda name: self._fits(part, name), registry), key=_needs_download(registry))
        _begin_with(key := widget_key(part), now)
        title = title or part.capitalize()
        chosen: str | None
        if part in ("data", "task"):
            chosen = st.selectbox(title, names, format_func=words, key=key, help=PART_HELP[part])
        else:
            chosen = st.segmented_control(
                title, names, format_func=words, key=key, help=PART_HELP[part], required=True, width="stretch"
            )
        if chosen and chosen != now:
            if part == "task":
                self._change_task(chosen)
            else:
                self.wanted = replace(self.wanted, **{part: self._recalled(part, chosen)})
            forget_widgets(f"{part}.{chosen}.")

    def _fits(self, part: str, name: str) -> bool:
        """Whether a part of that name has a use where the task is what it is."""
        if part not in ("architecture", "data"):
            return True
        if name == getattr(self.wanted, part).name:
            return True
        data, architecture = self.wanted.data, type(self.wanted.architecture)
        if part == "data":
            data = PARTS[part][name]()
        else:
            architecture = architectures[name]
        return part not in self.wanted.task.objections(data, architecture)

    def _change_task(self, name: str) -> None:
        """Each task remembers the variant and the network that it was left with, and those with a loss share it.

        Where the data set has no use in the new task, that one's usual takes its place.
        """
        memory, before = st.session_state.memory, self.wanted
        memory["parts", before.task.name] = {"variant": before.variant, "architecture": before.architecture}
        wanted = replace(before, task=self._recalled("task", name), **memory.get(("parts", name), {}))
        if before.task.any_loss:
            memory["loss"] = before.training.loss
        if wanted.task.any_loss:
            wanted = replace(wanted, training=replace(wanted.training, loss=memory.get("loss", wanted.training.loss)))
        self.wanted, _ = wanted.settled()
        for part in ("variant", "architecture", "training.adam.loss"):
            renew_widgets(part)
        if self.wanted.data != before.data:
            renew_widgets("data")
            st.session_state.stale = True  # its control is drawn already, above this one

    def _recalled(self, part: str, name: str) -> Any:
        """The part as it was when it was left, with the knobs it shares with the present one as they are now."""
        memory, now = st.session_state.memory, getattr(self.wanted, part)
        memory[part, now.name] = now
        value = memory.get((part, name)) or PARTS[part][name]()
        shared = {
            knob: getattr(now, knob) for knob, setting in knobs(value).items() if knobs(now).get(knob) == setting
        }
        return replace(value, **shared)

    # Knobs ----------------------------------------------------------------------------------------------------------

    def group(self, part: str, names: Iterable[str]) -> None:
        """Some knobs of a part: sliders in pairs (an odd first one alone), everything else on a line of its own."""
        settings = knobs(getattr(self.wanted, part))
        names = [name for name in names if self.shows(name, f"{part}.{name}", settings[name].symbol or name)]
        sliders = [name for name in names if settings[name].stops]
        for name in names:
            if name not in sliders:
                self.knob(part, name, settings[name])
        if len(sliders) % 2:
            self.knob(part, sliders[0], settings[sliders[0]])
            sliders = sliders[1:]
        for left, right in zip(sliders[::2], sliders[1::2]):
            for column, name in zip(st.columns(2, gap="small"), (left, right)):
                with column:
                    self.knob(part, name, settings[name])

    def rest(self) -> None:
        """Every knob that has no place above, part by part."""
        for part, title in REST.items():
            names = [name for name in knobs(getattr(self.wanted, part)) if f"{part}.{name}" not in self._drawn]
            names = [name for name in names if self._matters(part, name) and self.shows(name, f"{part}.{name}")]
            if names:
                st.markdown(f"**{title}**")
                self.group(part, names)
        downloads(self.wanted, self.visit.hidden)

    def knob(self, part: str, name: str, setting: Knob) -> None:
        """One widget; what it says becomes part of `wanted`."""
        value = getattr(self.wanted, part)
        self._drawn.add(f"{part}.{name}")
        key, now = widget_key(f"{part}.{value.name}.{name}"), getattr(value, name)
        acts = "Acts on the run at once." if setting.live else "A new value starts a new run."
        title = label(name, setting) + (f", {setting.unit}" if setting.unit else "")
        said = widget(title, setting, now, key, f"{setting.help} {acts}")
        self.note(short(setting.help))
        if said is not None and said != now:
            try:
                said = check(type(value), name, said)
            except ValueError:
                return
            self.wanted = replace(self.wanted, **{part: replace(value, **{name: said})})

    def speed(self) -> None:
        _begin_with("knob.speed", self.visit.speed)
        said = st.select_slider(
            "Speed", list(SPEEDS), key="knob.speed",
            help="From slow motion, where every step can be followed, to as fast as the device goes.",
        )
        self.visit.set_speed(said)

    @staticmethod
    def note(text: str) -> None:
        st.caption(text)


def widget(title: str, setting: Knob, now: Any, key: str, help: str) -> Any:
    """The widget that fits a knob, showing its present value; what the person set it to."""
    _begin_with(key, now)
    if isinstance(now, bool):
        return st.toggle(title, key=key, help=help)
    if setting.choices:
        if sum(len(_words(choice)) + 2 for choice in setting.choices) <= SEGMENTS:
            return st.segmented_control(
                title, setting.choices, format_func=_words, key=key, help=help,
                required=True, width="stretch",
            )
        return st.selectbox(title, setting.choices, format_func=_words, key=key, help=help)
    if setting.stops:
        return st.select_slider(
            title, _stops(setting, now, key), format_func=_words, key=key, help=help
        )
    if isinstance(now, str):
        return st.text_input(title, key=key, help=help)
    if isinstance(now, int):
        return st.number_input(title, int(setting.low or 0), int(setting.high or 10**9), step=1, key=key, help=help)
    return st.slider(title, float(setting.low or 0), float(setting.high or 1), step=None, key=key, help=help)


def _begin_with(key: str, value: Any) -> None:
    """Show `value` the first time a widget is drawn on this visit to the page; from then on it keeps its own."""
    if key not in st.session_state:
        st.session_state[key] = value


def _stops(setting: Knob, now: Any, key: str) -> list:
    """The slider's stops, with the values that a link brought among them for as long as the visit lasts."""
    extra: set = st.session_state.setdefault("stops", {}).setdefault(key, set())
    if now not in setting.stops:
        extra.add(now)
    return sorted({*setting.stops, *extra})


def _words(value: Any) -> str:
    if isinstance(value, str):
        return SPELLINGS.get(value, value.replace("_", " ").replace("-", " ").capitalize())
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def short(help: str) -> str:
    """The first clause of a help text: what fits on a line below a control."""
    return re.split(r"[.;:,](?:\s|$)", help, maxsplit=1)[0]
