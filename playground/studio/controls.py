"""The Train tab's controls, made from the registries: which there are follows from what is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.architectures import architectures
from playground.data import datasets
from playground.experiment import PARTS, Experiment
from playground.knobs import Knob, knobs, label
from playground.studio.training import experiment
from playground.tasks import tasks
from playground.variants import variants

CHOSEN = ("task", "variant", "architecture")  # parts of which one is chosen, each with knobs of its own
PLAIN = ("code", "skips")  # an architecture's knobs that are not under More
QUIET: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}


@dataclass(frozen=True, eq=False)
class Control:
    """One knob's control. owners: what of the part has this knob; several share it, so that its value stays."""

    part: str
    knob: str
    owners: tuple[str, ...]
    component: Any

    def shows(self, chosen: dict[str, str]) -> bool:
        """Whether the knob counts where that is chosen of each part."""
        if self.knob == "loss" and not tasks[chosen["task"]].any_loss:
            return False
        if self.part not in chosen:
            return True
        varied = self.part != "variant" or tasks[chosen["task"]].varied
        return varied and chosen[self.part] in self.owners


class Controls:
    """All controls; `inputs` in the order in which `experiment` takes their values."""

    def __init__(self) -> None:
        plain = Experiment()
        self._controls: list[Control] = []
        self.data = gr.Dropdown(
            [(datasets[name].title, name) for name in datasets], value=plain.data.name, label="Images",
            info="What it learns from; what is not built in is downloaded first.",
        )  # fmt: skip
        self.task = gr.Radio(
            [(tasks[name].title, name) for name in tasks], value=plain.task.name, label="Task", elem_id="train-task",
            info="What the network is to give back.",
        )  # fmt: skip
        self._knobs("task", plain, rare=False)
        self.variant = gr.Radio(
            [(name.capitalize(), name) for name in variants], value=plain.variant.name, label="Variant",
            elem_id="train-variant", info="What keeps the network from copying its input.",
        )  # fmt: skip
        self._knobs("variant", plain, rare=False)
        self.architecture = gr.Radio(
            networks(plain.task.name), value=plain.architecture.name, label="Network", elem_id="train-network",
        )  # fmt: skip
        self._knobs("architecture", plain, rare=False)
        with gr.Accordion("More", open=False):
            for part in reversed(CHOSEN):
                self._knobs(part, plain, rare=True)
            for name, setting in knobs(plain.training).items():
                component = control(name, setting, getattr(plain.training, name))
                self._controls.append(Control("training", name, (), component))
        self.inputs = [self.data, *self._choosers, *(one.component for one in self._controls)]
        left = gr.State({"task": plain.task.name})  # the network that each task was left with, and the task of now
        told = [self.data, self.variant, self.architecture, left, *(one.component for one in self._following)]
        for one in self._choosers:
            one.input(self.follow, [self.data, *self._choosers, left], told, **QUIET)

    @property
    def _choosers(self) -> list[Any]:
        return [self.task, self.variant, self.architecture]

    @property
    def _following(self) -> list[Control]:
        return [one for one in self._controls if one.part in CHOSEN or one.knob == "loss"]

    def _knobs(self, part: str, plain: Experiment, rare: bool) -> None:
        """A control for every knob of every choice of a part; equal knobs share one."""
        chosen = {name: getattr(plain, name).name for name in CHOSEN}
        for name, setting, value, owners in _shared(part):
            if rare == _is_rare(part, name, setting):
                component = control(name, setting, value, visible=chosen[part] in owners)
                self._controls.append(Control(part, name, owners, component))

    def follow(self, data: str, task: str, variant: str, architecture: str, left: dict[str, str]) -> tuple:
        """What is there once something was chosen; each task comes back with the network that it was left with.

        Where the data set has no use in the task, that one's usual takes its place.
        """
        left = {**left, left["task"]: architecture, "task": task}
        network = left.get(task, architecture)
        network = network if network in [name for _, name in networks(task)] else tasks[task].usual
        chosen = {"task": task, "variant": variant, "architecture": network}
        unfit = "data" in tasks[task]().objections(datasets[data](), architectures[network])
        return (
            gr.update(value=tasks[task].usual_data) if unfit else gr.skip(),
            gr.update(visible=tasks[task].varied),
            gr.update(choices=networks(task), value=network),
            {**left, task: network},
            *(gr.update(visible=one.shows(chosen)) for one in self._following),
        )

    def experiment(self, values: tuple) -> Experiment:
        """The experiment of the controls' values; what is not shown is left out."""
        data, task, variant, architecture, *rest = values
        chosen = {"task": task, "variant": variant, "architecture": architecture}
        settings = {"data": data, "task": task, "architecture": architecture}
        settings |= {"variant": variant} if tasks[task].varied else {}
        settings |= {f"{one.part}.{one.knob}": value for one, value in zip(self._controls, rest) if one.shows(chosen)}
        return experiment(settings)


def networks(task: str) -> list[tuple[str, str]]:
    """(title, name) of the architectures that a task can use."""
    data, objections = datasets[tasks[task].usual_data](), tasks[task]().objections
    fitting = [name for name in architectures if "architecture" not in objections(data, architectures[name])]
    return [(architectures[name].title or name.capitalize(), name) for name in fitting]


def _is_rare(part: str, name: str, setting: Knob) -> bool:
    return setting.rare or (part == "architecture" and name not in PLAIN)


def _shared(part: str) -> Iterator[tuple[str, Knob, Any, tuple[str, ...]]]:
    """(name, knob, default, owners) of every knob in a part's registry, equal ones once."""
    registry = PARTS[part]
    found: dict[tuple[str, Knob, Any], list[str]] = {}
    for owner in registry:
        for name, setting in knobs(registry[owner]).items():
            found.setdefault((name, setting, getattr(registry[owner](), name)), []).append(owner)
    for (name, setting, value), owners in found.items():
        yield name, setting, value, tuple(owners)


def control(name: str, setting: Knob, value: Any, **more: Any) -> Any:
    """A knob as a Gradio control: the same words, range and help as everywhere."""
    said = {"label": label(name, setting), "info": setting.help, **more}
    if isinstance(value, bool):
        return gr.Checkbox(value, **said)
    if setting.choices:
        return gr.Dropdown(list(setting.choices), value=value, **said)
    if setting.low is None or setting.high is None:
        return gr.Textbox(value, **said)
    low, high = (min(setting.stops), max(setting.stops)) if setting.stops else (setting.low, setting.high)
    if isinstance(value, int) and high <= 2048:
        return gr.Slider(low, high, value, step=1, **said)
    if isinstance(value, float) and low >= 0 and high <= 1 and low != 1e-4:
        return gr.Slider(low, high, value, step=0.001 if low else 0.01, **said)
    return gr.Number(
        value, minimum=setting.low, maximum=setting.high, precision=0 if isinstance(value, int) else None, **said
    )
