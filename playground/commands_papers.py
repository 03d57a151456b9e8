"""The command that tries published claims again: `python -m playground reproduce NAME`."""

from __future__ import annotations

import argparse
import importlib
import json

from playground.commands import Wrong


def add_to(verbs: argparse._SubParsersAction) -> None:
    """Add `reproduce` to the commands."""
    reproduce = verbs.add_parser("reproduce", help="try a paper's claim again and write it into docs/RESULTS.md",
                                 description=run.__doc__)
    reproduce.add_argument("name", metavar="NAME", help="baldi1989, hinton2006, rifai2011, ng2011, unet2015, ...")
    reproduce.add_argument("--quick", action="store_true", help="a small form of it, in minutes")
    reproduce.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Try a paper's claim again; goes on where it was interrupted. Prints one line of JSON, the figures."""
    try:
        names = importlib.import_module("benchmarks.papers").NAMES
    except ModuleNotFoundError:
        raise Wrong("The papers lie in benchmarks/, beside the playground: run this in the project's folder.") from None
    if arguments.name not in names:
        raise Wrong(f"There is no paper called {arguments.name!r}; there are {', '.join(names)}.")
    found = importlib.import_module("benchmarks.papers.lab").reproduce(arguments.name, arguments.quick)
    print(json.dumps({key: found[key] for key in ("name", "form", "seconds", "rows")}, ensure_ascii=False), flush=True)
    return 0
