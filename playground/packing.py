"""Packing: a model to take along, as one safetensors file, or as the folder that `PyTorchModelHubMixin` lays out."""

from __future__ import annotations

import io
import json
import zipfile
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from playground import checkpoint
from playground.checkpoint import Checkpoint
from playground.events import Stepped, Trouble
from playground.experiment import parameters
from playground.filmed import film_of
from playground.library import WEIGHTS
from playground.model import Autoencoder
from playground.probes.film import Film
from playground.workbench import Workbench

CONFIG, CARD = "config.json", "README.md"
TAKEN = ("model.", "film.")  # of a run's tensors: its network, and how its codes moved
TOLD = ("history", "stride", "marks", "metrics")  # of what is known of a run: its curve and its figures
PATIENCE = 30.0  # seconds that a training run may take until it hands out its weights
UNITS = {"psnr": "PSNR, dB", "held_out": "loss"}


def taken(bench: Workbench, name: str) -> Checkpoint:
    """A run or a shipped model as it is now: network, curve, figures, film; Trouble where it took no step yet."""
    snapshot = bench.snapshot(name)
    if snapshot is None or not isinstance(event := snapshot.event, Stepped):
        return from_file(bench, name)
    if not event.step:
        raise Trouble("This run has not learnt anything yet: train it for a step first.")
    waiting: Future[dict[str, Tensor]] = bench.ask(name, _weights)
    try:
        tensors = waiting.result(PATIENCE)
    except TooSlow:
        raise Trouble("The device is busy: try again in a moment.") from None
    history = [[row.step, row.held_out, *row.terms.values()] for row in event.history]
    about = {"stride": event.stride, "history": history, "marks": event.marks, "metrics": event.metrics}
    film = Film(1, film_of(bench, name)[0])
    return Checkpoint(snapshot.title, event.step, event.still.shape, tensors | film.state(), about)


def from_file(bench: Workbench, name: str) -> Checkpoint:
    """The same, of what lies on disk."""
    if (entry := bench.library.find(name)) is None:
        raise Trouble("There is no saved run and no model of that name.")
    return bare(checkpoint.load(entry.path))


def bare(state: Checkpoint) -> Checkpoint:
    """A checkpoint without what a run needs to learn on, and without whose it was."""
    tensors = {key: tensor for key, tensor in state.tensors.items() if key.startswith(TAKEN)}
    return replace(state, tensors=tensors, about={key: state.about[key] for key in TOLD if key in state.about})


def _weights(model: Autoencoder) -> dict[str, Tensor]:
    return {f"model.{key}": tensor.detach().cpu().clone() for key, tensor in model.state_dict().items()}


# The hub's layout ---------------------------------------------------------------------------------------------------


def config(state: Checkpoint) -> dict[str, Any]:
    """What config.json holds: the network's experiment and its images' shape (c, h, w), and what came of it."""
    return {
        "experiment": state.experiment.to_dict(), "shape": list(state.shape), "step": state.step,
        "parameters": parameters(state.experiment), "figures": {"model": state.about.get("metrics", {})},
    }  # fmt: skip


def card(state: Checkpoint, name: str) -> str:
    """The model card, Markdown, with the front matter that hubs read."""
    made, data = state.experiment, state.experiment.data
    figures = [f"| {UNITS.get(key, key)} | {value:.4g} |" for key, value in state.about.get("metrics", {}).items()]
    held_out = ["", "Held-out images:", "", "| | |", "|---|---|", *figures] if figures else []
    return "\n".join([
        "---", "library_name: pytorch", "tags:", "- autoencoder", "- model_hub_mixin", "- pytorch_model_hub_mixin",
        "---", f"# {name}", "",
        f"{made.title}: a model of the Autoencoder Playground.", "",
        f"- Network: {made.architecture.name}, {parameters(made):,} parameters, images of "
        f"{' × '.join(map(str, state.shape))} (channels, height, width).",
        f"- Data: {data.title}. {data.note}",
        f"- Recipe: `/?{made.to_query()}`; {state.step:,} steps.",
        *held_out, "",
        "```python", "from playground.hub import Autoencoder", "",
        f'model = Autoencoder.from_pretrained("{name}")  # or a folder', "```", "",
    ])  # fmt: skip


def files(state: Checkpoint, name: str) -> dict[str, bytes]:
    """File name -> content of the folder."""
    return {
        WEIGHTS: checkpoint.to_bytes(state),
        CONFIG: (json.dumps(config(state), indent=2, ensure_ascii=False) + "\n").encode(),
        CARD: card(state, name).encode(),
    }


def folder_of(bench: Workbench, name: str) -> dict[str, bytes]:
    """The folder of a run or a shipped model; a shipped one's is as it is shipped, with its own card."""
    shipped = bench.library.shipped / name
    if bench.library.is_shipped(name):
        return {path.name: path.read_bytes() for path in sorted(shipped.iterdir()) if path.is_file()}
    return files(taken(bench, name), name)


def zipped(folder: dict[str, bytes], name: str) -> bytes:
    """A folder's files as a zip that unpacks into a folder called `name`; stored, since weights do not shrink."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for file, content in folder.items():
            archive.writestr(f"{name}/{file}", content)
    return made.getvalue()


def write(folder: dict[str, bytes], target: Path) -> Path:
    """Write the files of a folder to disk; Trouble where something is there already."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Trouble(f"{target} holds something already: name a new folder.")
    target.mkdir(parents=True, exist_ok=True)
    for name, content in folder.items():
        (target / name).write_bytes(content)
    return target
