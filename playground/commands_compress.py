"""What the command line makes smaller: pictures to one .aec file, and such a file to pictures again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.aec import BITS, read
from playground.commands import Wrong
from playground.commands_images import STANDARD, Alone, called, contents, refusing, suffix, target, write
from playground.images import read_image, to_png
from playground.layered import Layered, format_of, write_layered
from playground.progress import Progress

if TYPE_CHECKING:
    import numpy as np

    from playground.compressor import Compressor

USUAL = "compress-mnist"
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def add_to(verbs: Any) -> None:
    """The two commands and what they take."""
    verb = verbs.add_parser("compress", help="make pictures into one small file", description=compress.__doc__)
    verb.add_argument("--model", default=USUAL, help="a name that `models` lists, or a .safetensors file; the shipped "
                      "one for handwritten digits where none is named")
    verb.add_argument("--bits", type=int, choices=BITS, default=0, metavar="BITS",
                      help="of each number of a code, 1 to 8, 16 or 32; where left out, as the model was trained, or 8")
    verb.add_argument("sources", metavar="in", nargs="+", help="pictures, or a folder of them; - for the standard "
                      "input")
    verb.add_argument("target", metavar="out", help="the .aec file to write, or - for the standard output")
    verb.set_defaults(run=compress)
    verb = verbs.add_parser("decompress", help="make pictures of such a file again", description=decompress.__doc__)
    verb.add_argument("--model", default="", help="where it is not the one that the file names: a name that `models` "
                      "lists, or a .safetensors file")
    verb.add_argument("source", metavar="in", help="the .aec file, or - for the standard input")
    verb.add_argument("target", metavar="out", help="the picture to write, or - for the standard output, as PNG; a "
                      "folder where there are several")
    verb.set_defaults(run=decompress)


def compress(arguments: argparse.Namespace) -> int:
    """Write the codes of pictures of any size and colours, rounded and entropy coded, as one .aec file. What is
    transparent turns white, 16 bits become 8. It pays for many pictures of the kind that the model has learnt."""
    if arguments.sources.count(STANDARD) > 1:
        raise Wrong("The standard input holds one picture.")
    where = target(arguments.target)
    images = [image for source in arguments.sources for image in _images(source)]
    done = _answer(arguments.model, lambda one: one.compress(arguments.model, images, arguments.bits))
    write(where, done.data)
    Progress(sys.stderr).note(
        f"{len(done.data):,} bytes for {_count(len(images))}, {done.bytes_each:,.1f} each, at {done.bits} bits; PSNR "
        f"{done.psnr:.2f} dB. {done.note}".strip()
    )
    return 0


def decompress(arguments: argparse.Namespace) -> int:
    """Write the pictures of an .aec file. The model that it names must be here, with the same weights."""
    data, name = contents(arguments.source), called(arguments.source)
    header = refusing(read, data, name)
    path, several = Path(arguments.target), len(header.sizes) > 1
    if several and (arguments.target == STANDARD or path.suffix.lower() in PICTURES):
        raise Wrong(f"{name} holds {_count(len(header.sizes))}: name a folder to write them to.")
    if not several:
        where = target(arguments.target)
        refusing(format_of, suffix(where))
    elif not path.is_dir() and (path.exists() or not path.parent.is_dir()):
        raise Wrong(f"No folder can be made at {path}.")
    model = arguments.model or header.model
    images = _answer(model, lambda one: one.decompress(data, name, arguments.model))
    if not several:
        made, note = write_layered(Layered(images[0]), suffix(where))
        write(where, made)
        Progress(sys.stderr).note(note or "Done.")
        return 0
    path.mkdir(exist_ok=True)
    for i, image in enumerate(images, 1):
        write(path / f"{i:0{len(str(len(images)))}}.png", to_png(image))
    Progress(sys.stderr).note(f"{_count(len(images))} written to {path}.")
    return 0


def _images(source: str) -> list[np.ndarray]:
    """The picture of a file, or all of a folder by name, without what is transparent in them."""
    folder, files = Path(source), [source]
    if source != STANDARD and folder.is_dir():
        files = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not files:
        raise Wrong(f"There is no picture in the folder {folder}.")
    return [refusing(read_image, contents(file), called(file)) for file in files]


def _answer(model: str, question: Callable[[Compressor], Coroutine]) -> Any:
    import asyncio

    from playground.compressor import Compressor

    return refusing(asyncio.run, question(Compressor(Alone(model))))


def _count(number: int) -> str:
    return f"{number:,} picture{'s' * (number > 1)}"
