"""Checkpoints: one safetensors file whose header holds the Experiment that built it; no pickle anywhere."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as written
from torch import Tensor

from playground.events import Trouble
from playground.experiment import Experiment
from playground.model import Autoencoder

FORMAT = "autoencoder-playground"
TOLD = ("shape", "about")  # as JSON
VERSION = "1"


@dataclass(frozen=True)
class Checkpoint:
    """A model as it was after `step` steps.

    tensors: name -> array; the model's begin with "model.", a run's own state (optimisers) with other names.
    about: plain values beside them: history, metrics, status. shape: (c, h, w) of the images it was built for.
    """

    experiment: Experiment
    step: int
    shape: tuple[int, int, int]
    tensors: dict[str, Tensor]
    about: dict[str, Any]

    @property
    def sound(self) -> bool:
        """Whether all weights and all that the optimisers remember are numbers."""
        kept = (tensor for name, tensor in self.tensors.items() if name.startswith(("model.", "optimiser.")))
        return all(bool(tensor.isfinite().all()) for tensor in kept)

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `name` and a dot, by what follows it."""
        start = name + "."
        return {key.removeprefix(start): tensor for key, tensor in self.tensors.items() if key.startswith(start)}

    def model(self) -> Autoencoder:
        """The network with these weights, on the CPU; Trouble where they do not fit the experiment."""
        model = self.experiment.build(self.shape)
        try:
            model.load_state_dict(self.part("model"))
        except RuntimeError:
            raise Trouble("The weights in this file do not fit the experiment in its header.") from None
        return model.eval()


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """The file's bytes."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "experiment": checkpoint.experiment.to_json(),
        "step": str(checkpoint.step),
        "shape": json.dumps(list(checkpoint.shape)),
        "about": json.dumps(checkpoint.about),
    }
    return written({name: t.detach().cpu().contiguous() for name, t in checkpoint.tensors.items()}, header)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write aside, then rename: a reader, or a kill in the middle, finds the old file or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.write_bytes(to_bytes(checkpoint))
    os.replace(aside, path)


def load(path: Path, weights: bool = True) -> Checkpoint:
    """Read a checkpoint, or its header alone; Trouble in one sentence for a file that is none or is damaged."""
    path = Path(path)
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise Trouble(f"{path.name} is not a model of the playground.")
            if header.get("version") != VERSION:
                raise Trouble(f"{path.name} was written by another version of the playground.")
            tensors = {name: file.get_tensor(name) for name in file.keys()} if weights else {}
        made, shape, about = Experiment.from_json(header["experiment"]), *(json.loads(header[key]) for key in TOLD)
        if tuple(shape) != tuple(made.data.shape) or not isinstance(about, dict):
            raise ValueError("its own images' sides, and plain values by name")
        return Checkpoint(made, int(header["step"]), tuple(shape), tensors, about)
    except FileNotFoundError:
        raise Trouble(f"There is no file called {path.name}.") from None
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError):
        raise Trouble(f"{path.name} is damaged or is not a model of the playground.") from None
