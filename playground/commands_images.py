"""What the command line does with pictures: fill, denoise, upscale, restyle, reconstruct, encode; any colour mode."""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.commands import Wrong
from playground.events import Snapshot, Trouble
from playground.images import MAX_FILE, MEGA, read_contents
from playground.layered import Layered, format_of, read_layered, write_layered
from playground.masks import pictured, scaled
from playground.progress import Progress

if TYPE_CHECKING:  # torch takes a second or two to import: only where a command needs it
    from playground.experiment import Experiment
    from playground.library import Library
    from playground.model import Autoencoder
    from playground.restorer import Restored, Restorer

STANDARD = "-"
PATIENCE = 2.0  # seconds that need no progress shown


def add_to(verbs: Any) -> None:
    """The six commands and what they take."""
    for name, run, what in (
        ("inpaint", inpaint, "fill what a mask hides of a picture"),
        ("denoise", denoise, "take the noise out of a picture"),
        ("upscale", upscale, "make a picture larger, with the detail that small ones lack"),
        ("restyle", restyle, "give a photograph back as if it were painted"),
        ("reconstruct", reconstruct, "show what a model makes of a picture"),
    ):
        verb = verbs.add_parser(name, help=what, description=run.__doc__)
        also = ', or "telea" or "biharmonic" for the classical fills' if run is inpaint else ""
        usual = "; the shipped one where none is named" if run in (denoise, upscale, restyle) else ""
        told = f"a name that `models` lists, a .safetensors file{also}{usual}"
        verb.add_argument("--model", required=not usual, help=told)
        if run is upscale:
            verb.add_argument("--scale", type=int, choices=(2, 4), help="how many times as large")
            verb.add_argument("--finest", action="store_true", help="the mean over the picture's eight ways to be "
                              "turned and mirrored: finer, and up to eight times the work")
        if run is denoise:
            verb.add_argument("--sigma", type=float, help="the noise's standard deviation in grey levels of 255, for "
                              "models that are told it; estimated where it is left out")
        if run is inpaint:
            verb.add_argument("--mask", required=True, help="a picture that is white where the other is hidden")
        verb.add_argument("source", metavar="in", help="the picture, or - for the standard input")
        verb.add_argument("target", metavar="out", help="where to write it, or - for the standard output, as PNG")
        verb.set_defaults(run=run)
    verb = verbs.add_parser("encode", help="write the codes of pictures", description=encode.__doc__)
    verb.add_argument("--model", required=True, help="a name that `models` lists, or a .safetensors file")
    verb.add_argument("files", nargs="+", metavar="FILE", help="pictures; - for the standard input")
    verb.add_argument("--out", required=True, help="the .npz file, or - for the standard output")
    verb.set_defaults(run=encode)


def inpaint(arguments: argparse.Namespace) -> int:
    """Fill the white part of the mask in a picture of any size and colours; the rest stays exactly as it is, but for
    16 bits, which become 8. Transparency is kept, and what was filled is opaque."""
    if arguments.source == arguments.mask == STANDARD:
        raise Wrong("The standard input holds the picture or the mask, not both.")
    hidden = pictured(read(arguments.mask).image)

    def work(restorer: Restorer, image: np.ndarray, told: Callable) -> Coroutine[Any, Any, Restored]:
        return restorer.inpaint(arguments.model, image, hidden, report=told)

    return _restore(arguments, work, hidden)


def denoise(arguments: argparse.Namespace) -> int:
    """Take the noise out of a picture of any size and colours; 16 bits become 8, transparency is kept."""
    arguments.model = arguments.model or "denoise-photos"
    return _restore(arguments, lambda restorer, image, told: restorer.denoise(
        arguments.model, image, report=told, sigma=arguments.sigma))


def upscale(arguments: argparse.Namespace) -> int:
    """Make a picture of any size and colours two or four times as large; 16 bits become 8, transparency is kept."""
    from playground.tasks.upscale import Upscale

    scale = arguments.scale
    arguments.model = arguments.model or f"upscale-photos-{scale or 2}"

    async def work(restorer: Restorer, image: np.ndarray, told: Callable) -> Restored:
        task = restorer.workbench.experiment(arguments.model).task
        if scale and isinstance(task, Upscale) and task.scale != scale:
            raise Trouble(f"{arguments.model} enlarges {task.scale} times, not {scale} times.")
        return await restorer.upscale(arguments.model, image, report=told, finest=arguments.finest)

    return _restore(arguments, work)


def restyle(arguments: argparse.Namespace) -> int:
    """Give a photograph of any size and colours back as if painted; 16 bits become 8, transparency is kept."""
    arguments.model = arguments.model or "restyle-photos"
    return _restore(arguments, lambda restorer, image, told: restorer.restyle(arguments.model, image, report=told))


def reconstruct(arguments: argparse.Namespace) -> int:
    """Write what a model makes of a picture of any size and colours; 16 bits become 8, transparency is kept."""
    return _restore(arguments, lambda restorer, image, told: restorer.reconstruct(arguments.model, image, report=told))


def encode(arguments: argparse.Namespace) -> int:
    """Write the codes of pictures, each fitted to the model's images, as one .npz file: `codes` (n, k) and `files`."""
    if arguments.files.count(STANDARD) > 1:
        raise Wrong("The standard input holds one picture.")
    where = target(arguments.out)
    images = [read(file).image for file in arguments.files]
    codes = answer(arguments.model, lambda restorer: restorer.encode(arguments.model, images))
    file = io.BytesIO()
    np.savez(file, codes=codes, files=np.array(arguments.files))
    write(where, file.getvalue())
    return 0


def _restore(arguments: argparse.Namespace, work: Callable, hidden: np.ndarray | None = None) -> int:
    """Read a picture, have it restored, write it; what was done to it goes to the standard error."""
    where = target(arguments.target)
    refusing(format_of, suffix(where))  # before the work, not after it
    picture = read(arguments.source)
    progress, began = Progress(sys.stderr), time.monotonic()

    def told(fraction: float) -> None:
        if fraction < 1 and time.monotonic() - began > PATIENCE:
            progress.waiting(f"{arguments.run.__name__} {arguments.source}", fraction)

    restored = answer(arguments.model, lambda restorer: work(restorer, picture.image, told))
    opaque = None if hidden is None else scaled(hidden, *picture.image.shape[1:])
    notes = [restored.note, *picture.notes]
    data, note = write_layered(picture.replaced(restored.image, opaque), suffix(where))
    write(where, data)
    progress.note(" ".join(filter(None, (*notes, note))) or "Done.")
    return 0


# Files and standard streams ------------------------------------------------------------------------------------------


def target(name: str) -> Path | None:
    """The file to write, None for the standard output; Wrong at once where no file can be written."""
    if name == STANDARD:
        return None
    path = Path(name)
    if path.is_dir() or not path.parent.is_dir():
        raise Wrong(f"No file can be written to {path}.")
    return path


def suffix(path: Path | None) -> str:
    return ".png" if path is None else path.suffix


def read(name: str) -> Layered:
    return refusing(read_layered, contents(name), called(name))


def contents(name: str) -> bytes:
    """What a file holds, or the standard input; Wrong where it cannot be read or is too large."""
    if name != STANDARD:
        return refusing(read_contents, Path(name), name)
    data = sys.stdin.buffer.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise Wrong(f"The standard input holds more than {MAX_FILE // MEGA} MB.")
    return data


def called(name: str) -> str:
    """What a file is called at the beginning of a sentence."""
    return "The standard input" if name == STANDARD else name


def refusing(do: Callable, *values: Any) -> Any:
    """do(*values), whose Trouble is one with the arguments."""
    try:
        return do(*values)
    except Trouble as trouble:
        raise Wrong(str(trouble)) from None


def write(path: Path | None, data: bytes) -> None:
    if path is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Wrong(f"{path} cannot be written: {error.strerror}.") from None


# The model -----------------------------------------------------------------------------------------------------------


def answer(model: str, question: Callable[[Restorer], Coroutine]) -> Any:
    """What a restorer says, of a model's file or name; Wrong with the sentence of its Trouble."""
    from playground.restorer import Restorer

    return refusing(asyncio.run, question(Restorer(Alone(model))))


class Alone:
    """One model for one command, in place of a Workbench, which would take up the runs that a server left."""

    def __init__(self, model: str):
        from playground.home import home
        from playground.library import Library

        self.library: Library = Library(home() / "runs")
        self._name = model

    def experiment(self, name: str) -> Experiment:
        return self._loaded[0]

    def ask(self, name: str, question: Callable[[Autoencoder], Any]) -> Future:
        """The answer, found here and now."""
        answer: Future = Future()
        try:
            answer.set_result(question(self._loaded[1]))
        except Exception as error:
            answer.set_exception(error)
        return answer

    def jobs(self) -> tuple[Snapshot, ...]:
        return ()

    @cached_property
    def _loaded(self) -> tuple[Experiment, Autoencoder]:
        from playground import checkpoint
        from playground.device import choose_device

        saved = checkpoint.load(self._path())
        return saved.experiment, saved.model().to(choose_device())

    def _path(self) -> Path:
        path = Path(self._name)
        if path.suffix == ".safetensors" or path.is_file():
            return path
        if (entry := self.library.find(self._name)) is None:
            raise Trouble(f"There is no file and no model called {self._name!r}; "
                          "`python -m playground models` lists the models.")
        return entry.path
