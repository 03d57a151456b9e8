"""Commands that make files of models: `export` a program, `pretrain` what is shipped, `space` for hosting."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from playground.commands import Wrong, find, read_query, table
from playground.progress import Progress


def add_to(verbs: argparse._SubParsersAction) -> None:
    """Add `export`, `pretrain` and `space` to the commands."""
    exporting = verbs.add_parser("export", help="write an experiment as a notebook or a script of plain PyTorch",
                                 description=export.__doc__)
    exporting.add_argument("experiment", help="a link or its query, a .safetensors file, or a name that `models` lists")
    exporting.add_argument("--out", type=Path, help="a file that ends in .ipynb or .py (default: named by the run)")
    exporting.set_defaults(run=export)
    pretrain = verbs.add_parser("pretrain", help="train shipped models again from their recipes",
                                description=run.__doc__)
    pretrain.add_argument("names", nargs="*", metavar="NAME", help='of a recipe, or "all"; none: list the recipes')
    pretrain.add_argument("--out", type=Path, help="the folder that the models' folders go to (default: pretrained/)")
    pretrain.set_defaults(run=run)
    spacing = verbs.add_parser("space", help="assemble the files of a hosted Space", description=space.__doc__)
    spacing.add_argument("--sdk", choices=("gradio", "docker"), default="gradio", help="the Studio alone, or all")
    spacing.add_argument("folder", type=Path, help="a folder that is not there yet")
    spacing.set_defaults(run=space)


def export(arguments: argparse.Namespace) -> int:
    """Write an experiment as a notebook (.ipynb) or a script (.py) that needs nothing of the playground."""
    from playground.exporting import KINDS, exported, file_name

    text = arguments.experiment
    is_query = "=" in text and not Path(text).exists()
    experiment = read_query(text) if is_query or not text else find(text).experiment
    path = arguments.out or Path(file_name(experiment, "ipynb"))
    if (kind := path.suffix.removeprefix(".")) not in KINDS:
        raise Wrong(f"{path.name} is neither a notebook, which ends in .ipynb, nor a script, which ends in .py.")
    path.write_text(exported(experiment, kind), encoding="utf-8")
    print(path)
    return 0


def space(arguments: argparse.Namespace) -> int:
    """Assemble the files of a hosted Space from this checkout; docs/HOSTING.md says what to do with them."""
    from playground.spaces import assemble

    print(assemble(arguments.sdk, arguments.folder))
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Train shipped models from their recipes and write each one's folder; a line of JSON with its figures for each."""
    from playground.library import SHIPPED
    from playground.recipes import RECIPES

    if not arguments.names:
        rows = [(one.name, one.query or "(the defaults)") for one in RECIPES.values()]
        print("\n".join(table(("name", "recipe"), rows)))
        return 0
    unknown = [name for name in arguments.names if name not in RECIPES and name != "all"]
    if unknown:
        raise Wrong(f"There is no recipe called {unknown[0]!r}; `python -m playground pretrain` lists them.")
    names = [*RECIPES] if "all" in arguments.names else arguments.names
    for name in names:
        _train(name, (arguments.out or SHIPPED) / name)
    return 0


def _train(name: str, folder: Path) -> None:
    from playground.batches import Resident
    from playground.device import choose_device, describe
    from playground.foreground import play
    from playground.recipes import RECIPES
    from playground.shipping import ship
    from playground.trainer import Session

    recipe, progress, device = RECIPES[name], Progress(sys.stderr), choose_device()
    resident = Resident(recipe.experiment.data.load(progress.waiting), device)
    session = Session(recipe.experiment, resident, describe(device))
    progress.note(f"{name}: {session.experiment.title} on {len(resident.train):,} images, {describe(device)}")
    seconds = round(play(session, progress), 1)
    figures = ship(session, recipe, folder)
    print(json.dumps({"name": name, "seconds": seconds, "figures": figures}), flush=True)
