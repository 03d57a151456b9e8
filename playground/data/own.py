"""One's own pictures as a data set: imported from folders, zips or single files; the class is the folder, masks come
as x_mask.png beside x.png or in a folder of their own."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from playground.caps import caps
from playground.data import Dataset, ImageSet, Report, datasets, nothing, split
from playground.data._masks import Mask, Pairs, merged, nearest, read_mask, square
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
    lies in. x_mask.png beside x.png, or masks/x.png beside images/x.png, is its mask; where one picture has a mask,
    those that have none are refused. Pictures larger than 512 pixels are made smaller. Trouble if the name is not safe
    or fewer than two pictures can be read.
    """
    target = _folder(name)
    made = target.with_name(f".{name}-{uuid.uuid4().hex}")
    made.mkdir()
    problems: list[str] = []
    try:
        reading = _Reading(made, problems)
        for path, data in _files([sources] if isinstance(sources, Path | tuple) else sources, problems):
            report(f"Reading {path}", None)
            if len(reading.sizes) >= (most := caps().images):
                problems.append(f"A set has at most {most:,} pictures here: the rest was left out.")
                break
            reading.take(path, data)
        folders, mask_classes = reading.done()
        if len(folders) < 2:
            if len(problems) == 1 and not folders:
                raise Trouble(problems[0])
            why = f": {problems[0]}" if problems else "."
            raise Trouble(f"A data set needs two pictures at least, and {len(folders)} could be read{why}")
        classes = sorted(set(folders))
        index = {
            "classes": [label or (UNSORTED if len(classes) > 1 else name) for label in classes],
            "labels": [classes.index(label) for label in folders],
            "mask_classes": mask_classes,
        }
        (made / INDEX).write_text(json.dumps(index), "utf-8")
        _replace(made, target)
    except OSError as error:
        raise Trouble(f"The pictures cannot be stored in {target.parent}: {error.strerror}.") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Imported(name, len(folders), problems)


@dataclass
class _Reading:
    """Files kept in the folder `made` as they come: 00000.png and so on, and 00000.mask.png where there are masks."""

    made: Path
    problems: list[str]

    def __post_init__(self) -> None:
        self.pairs, self.sizes = Pairs(), list[tuple[int, int]]()
        self.masks: dict[int, Mask | str] = {}  # of files that are called as masks are; a sentence where one is none

    def take(self, path: str, data: bytes) -> None:
        try:
            picture = to_pillow(read_image(data, path))
        except Trouble as trouble:
            self.problems.append(str(trouble))
            return
        number, full = len(self.sizes), picture.size
        self.sizes.append(full)
        picture.thumbnail((LARGEST, LARGEST))
        picture.save(_picture(self.made, number), compress_level=3)
        if self.pairs.saw(path):
            try:
                mask = read_mask(data, path)
            except Trouble as trouble:
                self.masks[number] = str(trouble)
                return
            small = nearest(mask.places, picture.height, picture.width)
            to_pillow(small[None]).save(_mask(self.made, number))
            self.masks[number] = replace(mask, places=small[:0])  # its values are needed again, its pixels are kept

    def done(self) -> tuple[list[str], tuple[str, ...]]:
        """The folder that each picture lay in, and the classes of the masks, if there are any."""
        pairs, paths = self.pairs.found(), self.pairs.paths
        if not pairs:
            if self.masks:
                self.problems.append("No mask has the name of a picture, so all files were taken for pictures.")
            for number in self.masks:
                _mask(self.made, number).unlink(missing_ok=True)
            return [PurePosixPath(path.replace("\\", "/")).parent.name for path in paths], ()
        self.problems += self.pairs.alone()
        pairs = [pair for pair in pairs if self._fits(*pair)]
        if len(pairs) < 2:
            why = f": {self.problems[0]}" if self.problems else "."
            raise Trouble(f"A data set needs two pictures with masks at least, and there are {len(pairs)}{why}")
        names, tables = merged([mask for _, number in pairs if isinstance(mask := self.masks[number], Mask)])
        rest = set(self.made.glob("*.png"))
        for i, ((picture, its), table) in enumerate(zip(pairs, tables, strict=True)):
            classes = table[read_image(_mask(self.made, its))[0]]
            _picture(self.made, picture).replace(_picture(self.made, i))
            to_pillow(classes[None]).save(_mask(self.made, i, "class"))
            rest -= {_picture(self.made, i)}
        for path in rest:
            path.unlink(missing_ok=True)
        return [PurePosixPath(self.pairs.folder(picture)).name for picture, _ in pairs], names

    def _fits(self, picture: int, mask: int) -> bool:
        its, size, paths = self.masks[mask], self.sizes, self.pairs.paths
        if isinstance(its, str):
            self.problems.append(its)
        elif size[picture] != size[mask]:
            (w, h), (wide, high) = size[mask], size[picture]
            self.problems.append(f"{paths[mask]} has {w} × {h} pixels and its picture {wide} × {high}, so both were "
                                 "left out.")  # fmt: skip
        return not isinstance(its, str) and size[picture] == size[mask]


def _picture(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.png"


def _mask(folder: Path, number: int, kind: str = "mask") -> Path:
    return folder / f"{number:05}.{kind}.png"


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
    note = "Pictures you brought: PNG, JPEG, WebP, BMP, GIF or TIFF; the folder they lay in is their class; " \
           "and their masks, if you brought any."

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3 if self.colour else 1, self.size, self.size

    @property
    def classes(self) -> tuple[str, ...]:
        try:
            return _index(_folder(self.pictures), self.pictures)[0]
        except Trouble:
            return ()

    @property
    def mask_classes(self) -> tuple[str, ...]:  # type: ignore[override]
        try:
            return _index(_folder(self.pictures), self.pictures)[2]
        except Trouble:
            return ()

    def load(self, report: Report = nothing) -> ImageSet:
        folder = _folder(self.pictures)
        classes, labels, mask_classes = _index(folder, self.pictures)
        if len(labels) * int(np.prod(self.shape)) > MAX_LOADED:
            raise Trouble(
                f"{len(labels):,} pictures of {self.size}×{self.size} need too much memory: choose a smaller size."
            )
        images = np.empty((len(labels), *self.shape), np.uint8)
        masks = np.empty((len(labels), self.size, self.size), np.uint8) if mask_classes else None
        for i in range(len(labels)):
            if i % 50 == 0:
                report("Reading pictures", i / len(labels))
            images[i] = fit(read_image(_picture(folder, i)), self.size, self.colour)
            if masks is not None:
                masks[i] = square(read_image(_mask(folder, i, "class"))[0], self.size)
        if masks is not None and masks.max(initial=0) >= len(mask_classes):
            raise Trouble(f"The pictures called {self.pictures!r} are damaged: bring them again.")
        train, held_out = split(len(labels), self.seed)
        return ImageSet(images, np.array(labels, np.int64), classes, train, held_out, masks)


def _index(folder: Path, name: str) -> tuple[tuple[str, ...], list[int], tuple[str, ...]]:
    """The classes, labels and masks' classes of an imported set; Trouble if there is none or its index is broken."""
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        classes, labels = tuple(map(str, index["classes"])), [int(label) for label in index["labels"]]
        mask_classes = tuple(map(str, index.get("mask_classes", ())))
    except FileNotFoundError:
        raise Trouble(f"There are no pictures called {name!r} yet: bring some of your own first.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise Trouble(f"The pictures called {name!r} are damaged: bring them again.") from None
    if len(labels) < 2 or not all(0 <= label < len(classes) for label in labels):
        raise Trouble(f"The pictures called {name!r} are damaged: bring them again.")
    return classes, labels, mask_classes
