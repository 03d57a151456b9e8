"""Experiment: everything that decides a run, as one frozen value that is also a link, JSON and a file's header."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from math import prod
from typing import Any
from urllib.parse import parse_qsl, urlencode

import torch

from playground.architectures import Architecture, architectures
from playground.caps import Caps, caps
from playground.data import Dataset, datasets
from playground.events import Trouble
from playground.knobs import Knob, changed, knob, knobs, label, read
from playground.model import Autoencoder
from playground.registry import Registry
from playground.tasks import Task, tasks
from playground.variants import Variant, variants

VERSION = 3
OLDER = (1, 2)  # had fewer knobs, 1 no task either: what they lack stands at its default

DECAY = {"decay": (r"\frac{\delta}{2}{\left\| W \right\|}_F^2", "weight decay")}

trainings = Registry("training")


@trainings.register("adam")
@dataclass(frozen=True)
class Training:
    """How the weights are found: Adam (Kingma & Ba 2015) on shuffled batches, everything drawn from one seed."""

    loss: str = knob("mse", "What counts as a bad reconstruction: squared error, absolute error or cross-entropy.",
                     choices=("mse", "bce", "l1"), label="Loss")
    rate: float = knob(1e-3, "Size of each step. Too high: the curve jumps; too low: it creeps.", low=1e-6, high=10.0,
                       stops=(1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 1.0), label="Learning rate", symbol="η",
                       live=True, rare=True)
    schedule: str = knob("constant", "How the step size goes on: as it is, or down to nothing along half a cosine.",
                         choices=("constant", "cosine"), rare=True)
    batch: int = knob(64, "Images per step. More: smoother curve, fewer steps per epoch.", low=1, high=4096,
                      stops=(16, 32, 64, 128, 256, 512, 1024), rare=True)
    epochs: int = knob(100, "Passes over the data before the run ends by itself.", low=1, high=10_000,
                       stops=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000), live=True, rare=True)
    decay: float = knob(0.0, "Weight decay: how much large weights cost. Higher: smaller weights, smoother filters.",
                        low=0.0, high=1.0, stops=(0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1), label="Weight decay", symbol="δ",
                        rare=True)
    seed: int = knob(0, "Which random weights and batches. The same seed gives the same run.", low=0, high=2**31 - 1,
                     rare=True)

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of a step (0, 1, ...) of a run of `steps` (cosine: Loshchilov & Hutter, ICLR 2017)."""
        if self.schedule == "constant":
            return self.rate
        return self.rate * (1 + math.cos(math.pi * step / steps)) / 2


PARTS: dict[str, Registry] = {
    "data": datasets, "architecture": architectures, "variant": variants, "training": trainings, "task": tasks,
}  # fmt: skip


@dataclass(frozen=True)
class Experiment:
    """One run, decided: two equal Experiments on one machine give equal numbers."""

    data: Dataset = field(default_factory=lambda: datasets["digits"]())
    architecture: Architecture = field(default_factory=lambda: architectures["dense"]())
    variant: Variant = field(default_factory=lambda: variants["undercomplete"]())
    training: Training = Training()
    task: Task = field(default_factory=lambda: tasks["reconstruct"]())

    @property
    def title(self) -> str:
        """A short name for curves and lists: "Sparse 64"."""
        called = self.task.called(self.variant)
        return f"{called} {self.architecture.code}" if self.task.numbered else called

    @property
    def has_code(self) -> bool:
        """Whether images go through one code and come back."""
        return self.task.restores and self.architecture.has_code

    def build(self, shape: tuple[int, int, int]) -> Autoencoder:
        """The network with its first weights, for images of `shape` (c, h, w); a function of the training's seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            return self.task.build(self.architecture, self.variant, shape, self.training.loss, self.data)

    def settled(self) -> tuple[Experiment, list[str]]:
        """The experiment with every part at its default that the task has no use for, and a sentence for each."""
        settled, problems = self, []
        if not self.task.varied and self.variant != (plain := Experiment().variant):
            problems.append(f"variant: it has no say where the task is to {self.task.name}")
            settled = replace(settled, variant=plain)
        if not self.task.any_loss and self.training.loss != (usual_loss := Training().loss):
            problems.append(f"training.loss: it has no say where the task is to {self.task.name}")
            settled = replace(settled, training=replace(self.training, loss=usual_loss))
        for part, why in self.task.objections(self.data, type(self.architecture)).items():
            problems.append(f"{part}: {why}")
            usual: Any = datasets[self.task.usual_data]() if part == "data" else architectures[self.task.usual]()
            settled = replace(settled, **{part: usual})
        return settled, problems

    # Live knobs ----------------------------------------------------------------------------------------------------

    def live(self) -> dict[str, Knob]:
        """The knobs that may turn while the run goes on, by dotted name."""
        return {f"{part}.{name}": setting for part in PARTS
                for name, setting in knobs(getattr(self, part)).items() if setting.live}

    def retuned(self, changes: dict[str, Any]) -> Experiment:
        """A copy with live knobs changed, as in {"variant.rho": 0.1}; ValueError names a knob that is not live."""
        turned = self
        for key, raw in changes.items():
            if key not in self.live():
                raise ValueError(f"{key!r} cannot change during a run; only {', '.join(self.live())} can")
            part, name = key.split(".")
            turned = replace(turned, **{part: changed(getattr(turned, part), **{name: raw})})
        return turned

    def reseeded(self) -> Experiment:
        """A copy with other random weights and batches: the next seed."""
        return replace(self, training=replace(self.training, seed=(self.training.seed + 1) % 2**31))

    def same_structure(self, other: Experiment) -> bool:
        """Whether the two differ in live knobs at most, so that one's run can become the other's."""
        if any(getattr(self, part).name != getattr(other, part).name for part in PARTS):
            return False
        return other.retuned({key: self.value(key) for key in self.live()}) == self

    def value(self, key: str) -> Any:
        """The value of a knob by its dotted name."""
        part, name = key.split(".")
        return getattr(getattr(self, part), name)

    def turns(self, other: Experiment) -> tuple[str, ...]:
        """What `other` turned away from this experiment, in words: ("ρ = 0.1",)."""
        return tuple(
            f"{setting.symbol or label(key.split('.')[1], setting)} = {other.value(key)}"
            for key, setting in self.live().items()
            if other.value(key) != self.value(key)
        )

    # Link, JSON, header --------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        parts = {part: {"name": getattr(self, part).name, **asdict(getattr(self, part))} for part in PARTS}
        return {"version": VERSION, **parts}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """The experiment of a file; strict: anything missing, unknown or out of range raises Trouble."""
        try:
            version = (raw := json.loads(text)).pop("version", None)
            if version in OLDER:
                raw.setdefault("task", {"name": "reconstruct"})
            elif version != VERSION:
                raise Trouble("This experiment was written by another version of the playground.")
            values = {part: dict(raw.pop(part)) for part in PARTS}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Trouble("This is not an experiment of the playground.") from None
        experiment, problems = _read(values)
        problems += [*_within(experiment, Caps(parameters=max(caps().parameters, Caps.parameters)))[1]]
        missing = [f"{part}.{name}" for part in PARTS for name in knobs(getattr(experiment, part))
                   if version not in OLDER and name not in values[part]]
        problems += [f"{name} is missing" for name in missing] + [f"{name} is unknown" for name in raw]
        if problems:
            raise Trouble(f"The experiment cannot be read: {'; '.join(problems)}.")
        return experiment

    def to_query(self) -> str:
        """The experiment as a link's query: only what differs from the defaults, in the order of the parts."""
        default, pairs = Experiment(), []
        for part, value in ((part, getattr(self, part)) for part in PARTS):
            if value.name != getattr(default, part).name:
                pairs.append((part, value.name))
            plain = type(value)()
            pairs += [(f"{part}.{f.name}", _text(getattr(value, f.name))) for f in fields(value)
                      if getattr(value, f.name) != getattr(plain, f.name)]
        return urlencode(pairs)

    @classmethod
    def from_query(cls, query: str) -> tuple[Experiment, list[str]]:
        """The experiment of a link, and sentences of what is not as it says: left at its default, or as caps allow."""
        values: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
        problems = []
        for key, text in parse_qsl(query.lstrip("?"), keep_blank_values=True):
            part, _, name = key.partition(".")
            if part in values:
                values[part][name or "name"] = text
            else:
                problems.append(f"{key}: there is nothing called {part!r}; there are {', '.join(PARTS)}")
        experiment, more = _read(values)
        experiment, beyond = _within(experiment, caps())
        return experiment, problems + more + [f"{problem}, so {instead}" for problem, instead in beyond.items()]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(values: dict[str, dict[str, Any]]) -> tuple[Experiment, list[str]]:
    """An Experiment from names and raw values by part, and a sentence for everything that stayed at its default."""
    default, parts, problems = Experiment(), {}, []
    for part, registry in PARTS.items():
        raws = {name: raw for name, raw in values[part].items() if name != "name"}
        name = values[part].get("name", getattr(default, part).name)
        if name not in registry:
            problems.append(f"{part}: no {registry.kind} is called {name!r}; there are {', '.join(sorted(registry))}")
            continue
        parts[part], more = read(registry[name], raws)
        problems += [f"{part}.{problem}" for problem in more]
    experiment, unused = Experiment(**parts).settled()
    return experiment, problems + unused


def _within(experiment: Experiment, most: Caps) -> tuple[Experiment, dict[str, str]]:
    """As much of an experiment as the caps allow; what they do not, in a sentence -> what it becomes instead."""
    beyond = {}
    if (count := parameters(experiment)) > most.parameters:
        plain: Any = replace(experiment, architecture=type(experiment.architecture)())  # can be large still
        size = {"size": type(plain.data).size} if hasattr(plain.data, "size") else {}
        less = {"its knobs are at their defaults": plain,
                "its knobs and the images' size are at their defaults":
                    replace(plain, data=replace(plain.data, **size)),
                "all but the training is at its default": Experiment(training=plain.training)}  # fmt: skip
        instead = next((words for words, one in less.items() if parameters(one) <= most.parameters), [*less][-1])
        beyond[f"architecture: {count:,} parameters are more than the {most.parameters:,} allowed"] = instead
        experiment = less[instead]
    if (epochs := experiment.training.epochs) > most.epochs:
        beyond[f"training.epochs: {epochs:,} are more than the {most.epochs:,} allowed"] = f"it is {most.epochs:,}"
        experiment = replace(experiment, training=replace(experiment.training, epochs=most.epochs))
    return experiment, beyond


# What a network would look like ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """One layer of the network, for drawings and tables.

    part: input, encoder, code, decoder or output. shape: (units,) or (c, h, w). parameters: weights and biases into it.
    """

    part: str
    kind: str
    shape: tuple[int, ...]
    parameters: int

    @property
    def units(self) -> int:
        return prod(self.shape)


@lru_cache(maxsize=256)
def _bare(task: Task, architecture: Architecture, variant: Variant, data: Dataset, loss: str) -> Autoencoder:
    with torch.device("meta"):
        return task.build(architecture, variant, data.shape, loss, data)


def _network(made: Experiment) -> Autoencoder:
    """The network without a single weight; kept, whatever the seed, the rate and the like: a class has them all."""
    return _bare(made.task, made.architecture, made.variant, made.data, made.training.loss)


@lru_cache(maxsize=256)
def plan(experiment: Experiment) -> tuple[Layer, ...]:
    """Every layer of the experiment's network from input to output, without making a single weight."""
    network = _network(experiment)
    layers = [Layer("input", "input", tuple(experiment.task.given(experiment.data.shape)), 0)]
    for part, last, stack in (("encoder", "code", network.encoder), ("decoder", "output", network.decoder)):
        for i, block in enumerate(stack.blocks):
            count = sum(weights.numel() for weights in block.parameters())
            layers.append(Layer(last if i == len(stack) - 1 else part, block.kind, tuple(block.shape), count))
    return tuple(layers)


def parameters(experiment: Experiment) -> int:
    """Weights and biases of the experiment's network, with what stands beside the layers of its plan."""
    return sum(weights.numel() for weights in _network(experiment).parameters())


def formulas(experiment: Experiment) -> dict[str, tuple[str, str]]:
    """The objective's terms in order: name -> (LaTeX, words)."""
    terms = experiment.task.formulas(experiment.variant, experiment.training.loss)
    if experiment.task.varied:
        for name, how in experiment.variant.how(_network(experiment).encoder, prod(experiment.data.shape)).items():
            if name in terms:
                latex, words = terms[name]
                terms[name] = latex, f"{words}, {how}"
    return {**terms, **(DECAY if experiment.training.decay else {})}
