"""Cells: an experiment's program piece by piece, with a few words before each."""

from __future__ import annotations

import inspect
import math
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from playground import jacobian
from playground.batches import mix, to_unit
from playground.experiment import Experiment, formulas, plan
from playground.exporting import skeleton
from playground.exporting.gathering import Gathered, imported
from playground.exporting.modules import Definition, of
from playground.tasks import Task
from playground.tasks.reconstruct import Reconstruct

LONG = 90  # lines of a cell from which a notebook shows it folded
PACKAGES = {"torchvision": "torchvision", "sklearn": "scikit-learn", "skimage": "scikit-image", "PIL": "pillow",
            "cv2": "opencv-python-headless", "scipy": "scipy"}


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook: a program's part, or text in Markdown before it."""

    text: str
    is_code: bool = True

    @property
    def is_long(self) -> bool:
        return self.is_code and self.text.count("\n") >= LONG


class Forms:
    """How the skeleton asks for what the plug-ins do, in the shortest way that is true of this experiment.

    Where a task leaves a step as it is for every task, the step is written out instead of asking the task for it.
    """

    def __init__(self, experiment: Experiment):
        self.experiment = experiment
        task, variant = experiment.task, experiment.variant
        c, h, w = experiment.data.shape
        x = torch.zeros(2, c, h, w)
        self.sees = task.see(x, variant, torch.Generator()) is not x
        self.has_targets = self._own("targets")
        self.has_truth = self.has_targets or self._own("truth")
        self.is_reconstruction = type(task).losses is Reconstruct.losses and type(task).see is Reconstruct.see
        self.variant = "variant" if task.varied else "None"
        self.see = "x"
        if self.sees:
            self.see = "variant.see(x, rng)" if self.is_reconstruction else f"task.see(x, {self.variant}, rng)"
        self.losses = ("variant.losses(model, x, rng)" if self.is_reconstruction
                       else f"task.losses(model, x, target, {self.variant}, rng)")
        self.error = ("task.error(model, code, target, seen)" if self._own("error", "counts")
                      else "model.reconstruction_error(code, target)")
        self.output = ("task.output(model, code, seen)" if self._own("output") else "model.decode(code).clamp(0, 1)")
        self.picture = "task.picture(seen)" if self._own("picture") else "seen"
        self.with_shown = self._own("shown")
        self.own_network = self._own("build", "networks")

    def _own(self, *names: str) -> bool:
        """Whether the task does one of these in a way of its own."""
        return any(getattr(type(self.experiment.task), name) is not getattr(Task, name) for name in names)

    @property
    def asks_task(self) -> bool:
        asked = (self.see, self.losses, self.error, self.output, self.picture if self.sees else "")
        return (any("task." in one for one in asked) or self.has_truth or self.with_shown or self.own_network)

    @property
    def model(self) -> str:
        """The expression that makes the network."""
        loss, data = self.experiment.training.loss, "data"
        if self.own_network:
            return f'task.build(architecture, {self.variant}, data.shape, "{loss}", {data})'
        activation = self.experiment.variant.code_activation
        output = self.experiment.architecture.output
        return f'Autoencoder(*architecture.build(data.shape, "{activation}"), "{output}", "{loss}")'


@lru_cache(maxsize=64)
def cells(experiment: Experiment) -> tuple[Cell, ...]:
    """All cells of the experiment's program, in order."""
    forms, training = Forms(experiment), experiment.training
    with torch.device("meta"):
        model = experiment.task.build(experiment.architecture, experiment.variant, experiment.data.shape,
                                      training.loss, experiment.data)
    code = {name: text.strip("\n") for name, text in skeleton.parts(experiment, forms, model).items()}
    gathered = Gathered(*_wanted(experiment, forms, model), code.values(), _decided(experiment, model),
                        [] if experiment.variant.code_activation.startswith("top-") else ["activation_of"])
    statements = gathered.imports() | {"import torch", "import numpy as np", "import matplotlib.pyplot as plt"}
    if "math." in code["training"]:
        statements.add("import math")
    texts = {name: f"{gathered.text(name)}\n\n{text}" if name in gathered.sections else text
             for name, text in code.items()}
    texts["settings"] = f"{imported(statements)}\n\n{code['settings']}"
    packages = ["torch", "numpy", "matplotlib", *(package for word, package in PACKAGES.items()
                if any(word in text for text in texts.values()))]
    words = _words(experiment, packages)
    return tuple(cell for name, text in texts.items() for cell in (Cell(words[name], False), Cell(text.strip("\n"))))


def _wanted(experiment: Experiment, forms: Forms, model: Any) -> tuple[dict[str, list[Definition]], dict[str, Any]]:
    """Section -> the definitions it begins with; and the parts by the names they have in the text."""
    objective = ([experiment.variant] if experiment.task.varied else []) + (
        [experiment.task] if forms.asks_task else [])
    return {
        "data": [of(type(experiment.data)), of(to_unit)],
        "network": [of(type(experiment.architecture)), *([] if forms.own_network else [of(type(model))])],
        "objective": [of(type(one)) for one in objective],
        "training": [of(mix)],
    }, {"data": experiment.data, "architecture": experiment.architecture, "variant": experiment.variant,
        "task": experiment.task, "model": model}


def _decided(experiment: Experiment, model: Any) -> dict[Definition, Any]:
    """Functions that give one value in this experiment, and what that is.

    The Jacobian of dense layers is found faster by products, but easier to read, and the same, by rows.
    """
    decided: dict[Definition, Any] = {of(jacobian._is_chain): False}
    if (method := getattr(experiment.variant, "method", None)) is not None:
        pixels = math.prod(experiment.data.shape)
        decided[of(jacobian.method_for)] = jacobian.method_for(model.encoder, method, pixels,
                                                               experiment.architecture.code)
    return decided


# Words -------------------------------------------------------------------------------------------------------------


def _words(experiment: Experiment, packages: list[str]) -> dict[str, str]:
    """The Markdown before each cell."""
    data = experiment.data
    return {
        "settings": (
            f"# {experiment.title} on {data.title.lower()}\n\n"
            "An experiment of the Autoencoder Playground as plain PyTorch: nothing of the playground is needed. With "
            "the same seed it has the same first weights and the same batches as there, and gives the same losses.\n\n"
            f"It needs `{' '.join(packages)}`. The experiment as a link's query: `{experiment.to_query() or 'none'}`."
        ),
        "data": f"## The data: {data.title.lower()}\n\n{data.note}\n\n{_doc(type(data))}",
        "network": f"## The network\n\n{_doc(type(experiment.architecture))}\n\n{_table(experiment)}",
        "objective": f"## What it learns\n\n{_learns(experiment)}\n\n{_formula(experiment)}",
        "training": (
            "## Training\n\nAdam (Kingma & Ba 2015) on shuffled batches: forward, backward, update. The held-out loss "
            "is that of images it never learns from."
        ),
        "curves": "## The curves\n\nWhere the held-out curve rises while the other falls, the network memorises.",
        "pictures": "## What it makes of held-out images",
    }


def _doc(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _first(kind: type) -> str:
    """What the module of a plug-in says in a sentence."""
    return inspect.cleandoc(sys.modules[kind.__module__].__doc__ or "").split("\n\n")[0]


def _learns(experiment: Experiment) -> str:
    parts: list[Any] = [experiment.task] if not experiment.task.varied else [experiment.variant]
    if experiment.task.varied and not isinstance(experiment.task, Reconstruct):
        parts.insert(0, experiment.task)
    return "\n\n".join(f"**{_first(type(one))}** {one.motto}\n\n{_doc(type(one))}" for one in parts)


def _formula(experiment: Experiment) -> str:
    terms = formulas(experiment)
    whole = " + ".join(latex for latex, _ in terms.values())
    listed = "\n".join(f"- {name}: ${latex}$, {words}" for name, (latex, words) in terms.items())
    return f"The objective, of which the network's weights are to find the least value:\n\n$${whole}$$\n\n{listed}"


def _table(experiment: Experiment) -> str:
    rows = [f"| {one.part} | {one.kind} | {' × '.join(map(str, one.shape))} | {one.parameters:,} |"
            for one in plan(experiment)]
    return "\n".join(["| part | layer | gives | weights and biases |", "|---|---|---|---|", *rows])

