"""What the command line searches: `retrieve` finds a picture's like in a data set or in a folder of one's own."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.commands import Wrong
from playground.commands_images import PATIENCE, STANDARD, Alone, read, target, write
from playground.events import Trouble
from playground.images import tile, to_bytes, to_png
from playground.progress import Progress

if TYPE_CHECKING:  # torch takes a second or two to import: only where a command needs it
    from playground.retriever import Found, Retriever, Searched
    from playground.supply import Supply

USUAL = "retrieve-mnist"
SMALL, GAP = 96, 4  # pixels: smaller images are enlarged to about this on a sheet; between its images


def add_to(verbs: Any) -> None:
    """The command and what it takes."""
    verb = verbs.add_parser("retrieve", help="find a picture's like in a data set or a folder", description=run.__doc__)
    verb.add_argument("files", nargs="+", metavar="FILE", help="the pictures to ask with; - for the standard input")
    verb.add_argument("--model", default=USUAL, help="a name that `models` lists, or a .safetensors file; the shipped "
                      "one where none is named")
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--folder", type=Path, help="search the pictures in this folder and below")
    where.add_argument("--data", default="", help="search this data set, or own:NAME for imported pictures; where "
                       "nothing is said, what the model was trained on")
    verb.add_argument("--by", choices=("code", "pixels"), default="code", help="what is compared")
    verb.add_argument("--count", type=int, default=10, help="how many neighbours")
    verb.add_argument("--precision", action="store_true", help="say also how many of the ten nearest of a held-out "
                      "image, or of one in the folder, are of its class")
    verb.add_argument("--out", help="a contact sheet, PNG: each picture and its neighbours in a row")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Find the nearest of each picture by a model's code or by pixels, and print them as JSON: index in the data set or
    file, class, distance. The codes are kept for the next time."""
    from playground.retriever import Retriever

    if arguments.files.count(STANDARD) > 1:
        raise Wrong("The standard input holds one picture.")
    sheet = target(arguments.out) if arguments.out else None
    pictures = [read(file).image for file in arguments.files]
    try:
        told, rows = asyncio.run(_search(Retriever(Searching(arguments.model)), arguments, pictures))
    except Trouble as trouble:
        raise Wrong(str(trouble)) from None
    if arguments.out:
        write(sheet, to_png(contact_sheet(rows)))
    if arguments.out != STANDARD:
        print(json.dumps(told, ensure_ascii=False), flush=True)
    return 0


async def _search(asker: Retriever, arguments: argparse.Namespace,
                  pictures: list[np.ndarray]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What to print, and the images of each row of the sheet."""
    from playground.retriever import check_wish

    check_wish(arguments.count, arguments.by)
    progress, began = Progress(sys.stderr), time.monotonic()

    def report(fraction: float) -> None:
        if fraction < 1 and time.monotonic() - began > PATIENCE:
            progress.waiting("Encoding the images", fraction)

    name, by = arguments.model, arguments.by
    ready = await asker.ready(name, arguments.folder or asker.against(name, arguments.data), report)
    for sentence in ready.among.problems:
        progress.note(sentence)
    kept = "" if ready.among.passing else " and kept"
    progress.note(f"{len(ready.among):,} images, {ready.sizes[by]} bytes each; " + (
        f"encoded in {ready.built:.1f} s{kept}." if ready.built else "their codes were there."))
    results, rows = [], []
    for file, picture in zip(arguments.files, pictures):
        found = await asker.find(ready, picture, arguments.count, by)
        results.append({"query": file, "seconds": round(found.seconds, 5), "neighbours": neighbours(ready, found)})
        shown = [asker.shown(ready, picture), *to_bytes(ready.among.images[found.rows])]
        rows.append(np.stack(shown))
    told = {"model": name, "by": by, "distance": ready.measures[by], "images": len(ready.among),
            "bytes": ready.sizes[by], "results": results}
    if arguments.precision:
        told["precision"] = await asker.precision(ready)
        if ready.among.no_precision:
            progress.note(ready.among.no_precision)
    return told, rows


def neighbours(ready: Searched, found: Found) -> list[dict[str, Any]]:
    """What is known of each neighbour, nearest first, as plain values."""
    return [{**ready.among.told(int(row)), "distance": round(float(distance), 5)}
            for row, distance in zip(found.rows, found.distances)]


def contact_sheet(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of images (m, c, h, w) uint8, all of as many, as one picture (c, h, w)."""
    images = np.concatenate(rows)
    factor = max(1, SMALL // max(images.shape[2:]))
    return tile(images.repeat(factor, 2).repeat(factor, 3), len(rows[0]), GAP)


class Searching(Alone):
    """One model for one command, and the data sets that it searches."""

    @cached_property
    def supply(self) -> Supply:
        import torch

        from playground.examples import stand_in
        from playground.supply import Supply

        return Supply(torch.device("cpu"), _now, partial(stand_in, self.library))


def _now(do: Callable[[], Any]) -> Future:
    """do() as a future that is done."""
    answer: Future = Future()
    try:
        answer.set_result(do())
    except Exception as error:
        answer.set_exception(error)
    return answer
