"""One's own pictures as a data set: imported from folders, zips or single files, the class is the folder."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing, split
from playground.events import Trouble
from playground.home import home
from playground.images import MEGA, fit, read_archive, read_contents, read_folder, read_image, to_pillow
from playground.knobs import knob

SAFE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LARGEST = 512  # side to which pictures are kept
MAX_LOADED = 1_000 * MEGA  # bytes of a data set in memory
INDEX = "index.json"
UNSORTED = "unsorted"  # the class of pictures beside folders that are classes

Source = Path | tuple[str, bytes]


@dataclass(frozen=True)
class Imported:
    """What came of an import: the set's name, how many pictures it has, and a sentence for each that was refused."""

    name: str
    count: int
    problems: list[str]


def import_images(sources: Source | Iterable[Source], name: str, report: Report = nothing) -> Imported:
    """Keep pictures under `name`, in place of any set of that name, and say how many and which were refused.

    sources: folders, zips and picture files, each a Path or a (file name, bytes) pair; one or several. Paths are read
    as they are: do not hand on what a visitor typed. name: see `safe_name`. The class of a picture is the folder it
    lies in. Pictures larger than 512 pixels are made smaller. Trouble if the name is not safe or fewer than two
    pictures can be read.
    """
    target = _folder(name)
    made = target.with_name(f".{name}-{uuid.uuid4().hex}")
    made.mkdir()
    problems: list[str] = []
    try:
        folders: list[str] = []
        for path, data in _files([sources] if isinstance(sources, Path | tuple) else sources, problems):
            report(f"Reading {path}", None)
            try:
                picture = to_pillow(read_image(data, path))
            except Trouble as trouble:
                problems.append(str(trouble))
                continue
            picture.thumbnail((LARGEST, LARGEST))
            picture.save(made / f"{len(folders):05}.png", compress_level=3)
            folders.append(PurePosixPath(path.replace("\\", "/")).parent.name)
        if len(folders) < 2:
            if len(problems) == 1 and not folders:
                raise Trouble(problems[0])
            why = f": {problems[0]}" if problems else "."
            raise Trouble(f"A data set needs two pictures at least, and {len(folders)} could be read{why}")
        classes = sorted(set(folders))
        index = {
            "classes": [label or (UNSORTED if len(classes) > 1 else name) for label in classes],
            "labels": [classes.index(label) for label in folders],
        }
        (made / INDEX).write_text(json.dumps(index), "utf-8")
        _replace(made, target)
    except OSError as error:
        raise Trouble(f"The pictures cannot be stored in {target.parent}: {error.strerror}.") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Imported(name, len(folders), problems)


def imported() -> tuple[str, ...]:
    """The names of the sets that can be loaded, sorted."""
    return tuple(sorted(path.parent.name for path in (home() / "images").glob(f"[!.]*/{INDEX}")))


def safe_name(text: str) -> str:
    """A name for a set made of any text: lower-case letters, digits, "-" and "_", 1 to 64 of them."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:64] or "mine"


def _folder(name: str) -> Path:
    if not SAFE.fullmatch(name):
        raise Trouble(f"{name!r} cannot name a set of pictures: use up to 64 of a-z, 0-9, - and _.")
    return home() / "images" / name


def _replace(made: Path, target: Path) -> None:
    """Put a folder in the place of another, which is gone for no longer than two renames take."""
    old = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    if target.exists():
        target.rename(old)
    made.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _files(sources: Iterable[Source], problems: list[str]) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every file in the sources, archives and folders opened."""
    for source in sources:
        path, data = (source.name, source) if isinstance(source, Path) else source
        try:
            if path.lower().endswith(".zip"):
                yield from read_archive(data, path, problems)
            elif isinstance(data, bytes):
                yield path, data
            elif data.is_file():
                yield path, read_contents(data, path)
            else:
                yield from read_folder(data, problems)
        except Trouble as trouble:
            problems.append(str(trouble))


@datasets.register("own")
@dataclass(frozen=True)
class Own(Dataset):
    """Of each picture, the largest square in its middle, resampled to `size`."""

    pictures: str = knob("mine", "The name of an imported set.")
    size: int = knob(64, "Side of the images.", low=8, high=256, stops=(16, 32, 48, 64, 96, 128, 256), unit="px")
    colour: bool = knob(True, "Coloured or grey.")
    seed: int = knob(0, "Chooses which images are held out.", low=0, high=9999, rare=True)

    rank = 20
    title = "My own pictures"
    note = "Pictures you brought: PNG, JPEG, WebP, BMP, GIF or TIFF; the folder they lay in is their class."

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3 if self.colour else 1, self.size, self.size

    @property
    def classes(self) -> tuple[str, ...]:
        try:
            return _index(_folder(self.pictures), self.pictures)[0]
        except Trouble:
            return ()

    def load(self, report: Report = nothing) -> ImageSet:
        folder = _folder(self.pictures)
        classes, labels = _index(folder, self.pictures)
        if len(labels) * int(np.prod(self.shape)) > MAX_LOADED:
            raise Trouble(
                f"{len(labels):,} pictures of {self.size}×{self.size} need too much memory: choose a smaller size."
            )
        images = np.empty((len(labels), *self.shape), np.uint8)
        for i in range(len(labels)):
            if i % 50 == 0:
                report("Reading pictures", i / len(labels))
            images[i] = fit(read_image(folder / f"{i:05}.png"), self.size, self.colour)
        train, held_out = split(len(labels), self.seed)
        return ImageSet(images, np.array(labels, np.int64), classes, train, held_out)


def _index(folder: Path, name: str) -> tuple[tuple[str, ...], list[int]]:
    """The classes and labels of an imported set; Trouble if there is none or its index is broken."""
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        classes, labels = tuple(map(str, index["classes"])), [int(label) for label in index["labels"]]
    except FileNotFoundError:
        raise Trouble(f"There are no pictures called {name!r} yet: bring some of your own first.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise Trouble(f"The pictures called {name!r} are damaged: bring them again.") from None
    if len(labels) < 2 or not all(0 <= label < len(classes) for label in labels):
        raise Trouble(f"The pictures called {name!r} are damaged: bring them again.")
    return classes, labels
