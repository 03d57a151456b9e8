"""Among: the images that are searched: a data set's, those in a folder of one's own, or files that were brought."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from playground.data import Dataset, ImageSet
from playground.data.own import MAX_LOADED
from playground.events import Trouble
from playground.images import MAX_ENTRIES, read_folder, read_image, to_bytes
from playground.index import Indexes, fingerprint
from playground.knobs import knobs
from playground.probes.codes import rows_of_pixels
from playground.probes.pictures import fitted, ground
from playground.probes.search import Pixels

ASKING = 500  # pictures of a folder that the others are asked with, drawn at random where there are more
UNLABELLED = "These pictures have no labels, so there is no precision"

Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Asking:
    """Images to ask with, held out or, of a folder, its own: images (m, c, h, w) uint8, labels (m,) int64, places (m,)
    in the data set, and where they are among those that are searched too, rows (m,); -1 where they are not."""

    images: np.ndarray
    labels: np.ndarray
    places: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True, eq=False)
class Among:
    """n images to search.

    name: says which they are. content: a fingerprint of them. images: (n, c, h, w) uint8, or float32 in [0, 1].
    labels: (n,) int64, indices into classes, which are empty where none is known. places: (n,) int64, where they lie in
    their data set. files: their names, empty in a data set. problems: a sentence for each file that is left out, or on
    what stands in for a data set that is not here. passing: whether nothing of them is to be kept.
    """

    name: str
    content: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    places: np.ndarray
    files: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    asking: Asking | None = None
    passing: bool = False

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> Shape:
        _, c, h, w = self.images.shape
        return c, h, w

    @property
    def no_precision(self) -> str:
        """Why nobody can say how often neighbours are of the same class, in a sentence; "" where it can be said."""
        if self.asking is not None and self.classes:
            return ""
        return f"{UNLABELLED}: put them in one folder per class." if self.files or self.own else f"{UNLABELLED}."

    @property
    def own(self) -> bool:
        """Whether they are imported pictures."""
        return self.name.startswith("own ")

    @cached_property
    def pixels(self) -> Pixels:
        """The images, at most 32 pixels a side, ready to be compared pixel by pixel."""
        return Pixels(rows_of_pixels(self.images))

    @cached_property
    def ground(self) -> float:
        """The mean of their border pixels, 0 to 1."""
        return ground(to_bytes(self.images[:500]))

    def told(self, row: int) -> dict[str, int | str | None]:
        """What is known of a row, as plain values: its place or file, and its class."""
        label = self.classes[self.labels[row]] if self.classes else None
        if self.files:
            return {"file": self.files[row], "label": label}
        return {"index": int(self.places[row]), "label": label}


def of_data(data: Dataset, source: ImageSet) -> Among:
    """The training images of a data set, asked with those held out; of a set that may be small all, those of one's own
    and what stands in for one that is not here."""
    whole = data.name == "own" or bool(source.stand_in)
    places = np.arange(len(source.images)) if whole else source.train
    images = _rows(source.images, places)
    held_out = source.held_out
    asking = Asking(to_bytes(_rows(source.images, held_out)), source.labels[held_out], held_out,
                    held_out if whole else np.full(len(held_out), -1))
    known = source.classes if len(np.unique(source.labels)) > 1 else ()
    name = f"{data.name} {json.dumps({knob: getattr(data, knob) for knob in knobs(data)}, sort_keys=True)}"
    problems = (source.stand_in,) if source.stand_in else ()
    return Among(name, fingerprint(images), images, source.labels[places], known, places, (), problems, asking,
                 passing=bool(problems))


def of_folder(folder: Path, shape: Shape, store: Indexes) -> Among:
    """The pictures in a folder and below, each fitted to `shape`; the folder that one lies in is its class.

    They are kept in `store`, and read again only where a file's name, size or time has changed. Trouble where there is
    no such folder or no picture in it.
    """
    folder = folder.resolve()
    name, now = f"folder {folder} {shape}", _listing(folder)
    if (known := store.recent(name, now)) is not None:
        return known
    if (kept := store.load(name, {"files": now})) is not None:
        arrays, about = kept
        images, files, problems = arrays["images"], about["files"], about["problems"]
    else:
        problems = []
        images, files = _read(read_folder(folder, problems), shape, problems, f"the folder {folder.name}")
        store.save(name, {"files": now}, {"images": images}, {"files": files, "problems": problems})
    among = _of_files(name, images, files, problems)
    store.remember(name, now, among)
    return among


def of_files(files: Iterable[tuple[str, bytes]], shape: Shape) -> Among:
    """Pictures that were brought, (name, bytes) each, fitted to `shape`; Trouble where none can be read."""
    problems: list[str] = []
    images, names = _read(files, shape, problems, "what you brought")
    return replace(_of_files("files", images, names, problems), passing=True)


def _of_files(name: str, images: np.ndarray, files: list[str], problems: list[str]) -> Among:
    folders = [PurePosixPath(file.replace("\\", "/")).parent.name for file in files]
    classes = sorted(set(folders))
    labels = np.array([classes.index(one) for one in folders], np.int64)
    known = tuple(one or "unsorted" for one in classes) if len(classes) > 1 else ()
    places = np.arange(len(images))
    some = np.sort(np.random.default_rng(0).permutation(len(images))[:ASKING])
    asking = Asking(images[some], labels[some], some, some) if known else None
    return Among(name, fingerprint(images), images, labels, known, places, tuple(files), tuple(problems), asking)


def _read(files: Iterable[tuple[str, bytes]], shape: Shape, problems: list[str],
          where: str) -> tuple[np.ndarray, list[str]]:
    """The pictures that can be read, (n, *shape) uint8, and their names; a sentence for each of the others."""
    images, names = [], []
    for name, data in files:
        try:
            images.append(to_bytes(fitted(read_image(data, name), shape, 0.5)[0]))
        except Trouble as trouble:
            problems.append(str(trouble))
            continue
        names.append(name)
        if len(images) * int(np.prod(shape)) > MAX_LOADED:
            raise Trouble(f"There are more pictures in {where} than fit into memory.")
    if not images:
        why = f": {problems[0]}" if problems else "."
        raise Trouble(f"There is no picture in {where} that could be searched{why}")
    return np.stack(images), names


def _listing(folder: Path) -> str:
    """A fingerprint of the names, sizes and times of a folder's files; "" where there is no such folder."""
    seen = []
    for path in folder.rglob("*"):
        if path.is_file():
            state = path.stat()
            seen.append(f"{path.relative_to(folder)} {state.st_size} {state.st_mtime_ns}")
            if len(seen) > MAX_ENTRIES:
                break
    return fingerprint("\n".join(sorted(seen)).encode())


def _rows(images: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Some of the images; not copied where they lie one after another."""
    if len(index) and (np.diff(index) == 1).all():
        return images[index[0] : index[-1] + 1]
    return images[index]
