"""Commands that bring and take models: `import` and `export-model` for files, `pull` and `push` for a model hub."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from playground.commands import Wrong, library, located

if TYPE_CHECKING:
    from playground.checkpoint import Checkpoint


def add_to(verbs: argparse._SubParsersAction) -> None:
    """Add `import`, `export-model`, `pull` and `push` to the commands."""
    bringing = verbs.add_parser("import", help="keep a model's file among the saved runs", description=bring.__doc__)
    bringing.add_argument("file", type=Path, help="a .safetensors file that the playground wrote")
    bringing.set_defaults(run=bring)
    taking = verbs.add_parser("export-model", help="write a model as one file, or as a folder for a model hub",
                              description=take.__doc__)
    taking.add_argument("model", help="a .safetensors file, or a name that `models` lists")
    taking.add_argument("--out", type=Path, help="a file that ends in .safetensors or .zip, or a folder that is not "
                                                 "there yet (default: the model's name and .safetensors)")
    taking.set_defaults(run=take)
    pulling = verbs.add_parser("pull", help="fetch a model from a hub's repository", description=pull.__doc__)
    pulling.add_argument("repository", help="user/name")
    pulling.set_defaults(run=pull)
    pushing = verbs.add_parser("push", help="put a model into a hub's repository", description=push.__doc__)
    pushing.add_argument("model", help="a .safetensors file, or a name that `models` lists")
    pushing.add_argument("repository", help="user/name; made if there is none")
    pushing.add_argument("--private", action="store_true", help="a repository that is made is not shown to others")
    pushing.set_defaults(run=push)


def bring(arguments: argparse.Namespace) -> int:
    """Check a model's file to the last number and keep it among the saved runs; the last line is one JSON object."""
    from playground import incoming

    path = arguments.file
    if not path.is_file():
        raise Wrong(f"There is no file called {path.name}.")
    if problem := incoming.too_large(path.stat().st_size, path.name):
        raise Wrong(problem)
    return _kept(incoming.named(incoming.read(path.read_bytes(), path.name), path.name))


def pull(arguments: argparse.Namespace) -> int:
    """Fetch the model.safetensors of a repository, check it as `import` does, and keep it; JSON as there."""
    from playground import hub

    _quiet()
    return _kept(hub.pull(arguments.repository))


def take(arguments: argparse.Namespace) -> int:
    """Write a model without its optimiser's memory: one .safetensors file, or folder or .zip as model hubs want it."""
    from playground import checkpoint, packing

    path = located(arguments.model)
    name = path.parent.name if path.name == "model.safetensors" else path.stem
    state = packing.bare(checkpoint.load(path))
    out = arguments.out or Path(f"{name}.safetensors")
    if out.suffix == ".safetensors":
        checkpoint.save(out, state)
    elif out.suffix == ".zip":
        out.write_bytes(packing.zipped(packing.files(state, name), name))
    else:
        packing.write(packing.files(state, name), out)
    print(out)
    return 0


def push(arguments: argparse.Namespace) -> int:
    """Put a model into a repository, as whom `hf auth login` or HF_TOKEN says; prints its address."""
    from playground import checkpoint, hub, packing

    _quiet()
    print(hub.push(packing.bare(checkpoint.load(located(arguments.model))), arguments.repository, arguments.private))
    return 0


def _kept(state: Checkpoint) -> int:
    print(json.dumps({"name": library().add(state), "experiment": state.experiment.to_query(), "step": state.step}))
    return 0


def _quiet() -> None:
    """What goes wrong is told in one sentence, not by the client's own warnings."""
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
