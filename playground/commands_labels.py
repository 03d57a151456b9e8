"""What the command line says of pictures: `classify`, `segment` and `detect`; answers as JSON, label maps as PNG."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from playground.commands import Wrong
from playground.commands_images import answer, read, suffix, target, write
from playground.images import to_png
from playground.progress import Progress

LABELS = {  # command -> what it does, and the shipped model that does it where none is named
    "classify": ("say what a picture shows", "classify-mnist"),
    "segment": ("say of every pixel what it belongs to", "segment-shapes"),
    "detect": ("find things in a picture, with a box about each", "detect-shapes"),
}


def add_to(verbs: Any) -> None:
    """The three commands and what they take."""
    for name, (what, usual) in LABELS.items():
        verb = verbs.add_parser(name, help=what, description=run.__doc__)
        verb.add_argument("--model", default=usual, help="a name that `models` lists, or a .safetensors file; the "
                          f"shipped {usual} where none is named")
        verb.add_argument("source", metavar="in", help="the picture, or - for the standard input")
        verb.add_argument("target", metavar="out", help="a .json file, or a .png: each pixel's class where there are "
                          "such, else the picture with the answer drawn over it; - for the standard output, as JSON")
        verb.set_defaults(run=run, way=name)


def run(arguments: argparse.Namespace) -> int:
    """Label a picture of any size and colours. JSON holds classes, scores and boxes; PNG each pixel's class with a
    palette, or the picture with the answer drawn over it."""
    from playground.labelling import labellers
    from playground.regions import palette_png

    where = target(arguments.target)
    form = ".json" if where is None else suffix(where).lower()
    if form not in (".json", ".png"):
        raise Wrong(f"Answers are written as .json or .png, not as {form or 'a file without a suffix'}.")
    image = read(arguments.source).image
    done = answer(arguments.model, lambda restorer: labellers[arguments.way](restorer).label(arguments.model, image))
    if form == ".json":
        data = (json.dumps({"scores": done.scores, **done.found}, ensure_ascii=False) + "\n").encode()
    elif done.labels is not None:
        data = palette_png(done.labels, done.palette)
    else:
        data = to_png(done.picture)
    write(where, data)
    Progress(sys.stderr).note(done.note or "Done.")
    return 0
