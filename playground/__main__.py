"""The command line: `python -m playground train "variant=sparse&data=digits" --epochs 20 --out run.safetensors`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from playground import (
    commands,
    commands_compress,
    commands_hub,
    commands_images,
    commands_labels,
    commands_models,
    commands_papers,
    commands_retrieve,
)
from playground.events import Trouble
from playground.look import PORT

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"{message[:1].upper()}{message[1:]}; `{self.prog} --help` tells more.\n")


def parser() -> Parser:
    """The commands and what they take; each sets `run`, a function of the parsed arguments."""
    top = Parser(prog="python -m playground", description="Autoencoders that learn in the browser, from a shell.")
    verbs = top.add_subparsers(metavar="command", required=True)

    train = verbs.add_parser("train", help="train one run here and now", description=commands.train.__doc__)
    train.add_argument("query", nargs="?", default="", help='a link or its query: "variant=sparse&variant.rho=0.05"')
    train.add_argument("--epochs", help="passes over the data; overrides the query's")
    train.add_argument("--out", type=Path, help="where to write the model (default: among the saved runs)")
    train.set_defaults(run=commands.train)

    for kind, what in (("variants", "variants"), ("datasets", "data sets"), ("architectures", "architectures"),
                       ("tasks", "tasks")):
        lister = verbs.add_parser(kind, help=f"list the {what} with their knobs and ranges",
                                  description=commands.plugins.__doc__)
        lister.set_defaults(run=commands.plugins, kind=kind)

    models = verbs.add_parser("models", help="list the shipped models and the saved runs")
    models.set_defaults(run=commands.models)

    show = verbs.add_parser("show", help="print a model's experiment, metrics and link")
    show.add_argument("model", help="a .safetensors file, or a name that `models` lists")
    show.set_defaults(run=commands.show)

    commands_images.add_to(verbs)
    commands_compress.add_to(verbs)
    commands_labels.add_to(verbs)
    commands_models.add_to(verbs)
    commands_hub.add_to(verbs)
    commands_papers.add_to(verbs)
    commands_retrieve.add_to(verbs)

    serve = verbs.add_parser("serve", help="serve the playground until Ctrl-C")
    serve.add_argument("--host", default="", help="0.0.0.0 to let others on the network in")
    serve.add_argument("--port", type=_port, default=PORT)
    serve.set_defaults(run=commands.serve)

    studio = verbs.add_parser("studio", help="serve the Studio alone until Ctrl-C", description=commands.studio.__doc__)
    studio.add_argument("--host", default="", help="0.0.0.0 to let others on the network in")
    studio.add_argument("--port", type=_port, default=PORT)
    studio.set_defaults(run=commands.studio)
    return top


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 1 to 65535")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed on the way, 2 wrong arguments, 130 interrupted."""
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        return arguments.run(arguments)
    except commands.Wrong as wrong:
        print(wrong, file=sys.stderr)
        return WRONG
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # `| head` has read enough
        sys.stderr.close()
        return DONE
    except OSError as error:
        print(f"{error.filename or 'A file'} cannot be used: {error.strerror}.", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
