"""What the data sets that come through torchvision share: fetching their files, and both their standard parts."""

from __future__ import annotations

import contextlib
import os
import shutil
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from playground.data import Dataset, ImageSet, Report, nothing
from playground.data._download import alone, download, has
from playground.events import Trouble
from playground.home import home

UNREADABLE = (OSError, RuntimeError, ValueError, EOFError)  # what torchvision raises where files lack or are broken
COUNT_HELP = "At most so many images to train on, and a quarter as many held out; 0: all."


class Downloaded(Dataset):
    """A data set of torchvision's, whose standard test part is the one held out.

    torchvision tells addresses and checksums and reads most files; they are fetched here, since its own download cannot
    be resumed. A folder named by the environment variable PLAYGROUND_DATASETS is looked into first.
    """

    needs_download = True
    folder: str  # below which the files lie, as torchvision has it
    count: int
    seed: int

    @abstractmethod
    def source(self) -> type:
        """The torchvision class; imported only here, since that takes seconds."""

    @abstractmethod
    def files(self, source: type) -> Iterator[tuple[str, str, list[str]]]:
        """(path below the root, MD5, addresses) of what has to be fetched."""

    @abstractmethod
    def part(self, root: Path, train: bool, download: bool) -> Any:
        """One part, something with a length that `read` knows how to read; with `download`, unpacked first."""

    @abstractmethod
    def read(self, part: Any, chosen: np.ndarray, report: Report) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """images (m, c, h, w), labels (m,) and masks (m, h, w) or None of the images `chosen` of one part."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]: ...

    @property
    def at_hand(self) -> bool:
        below = (path for place in self._places() for path in (place / self.folder).rglob("*"))
        unfinished = (".lock", ".unpacking")
        return any(path.suffix != ".part" and path.name not in unfinished and path.is_file() for path in below)

    def load(self, report: Report = nothing) -> ImageSet:
        report(f"Opening {self.title}", None)
        root = home() / "data"
        with alone(root / self.folder, self.title, report):
            both = self._opened(root, report)
        rng = np.random.default_rng(self.seed)
        parts = []
        for part, most in zip(both, (self.count, -(-self.count // 4)), strict=True):
            # In an order of its own: some sets come sorted by class, and the first images are the ones shown.
            chosen = rng.permutation(len(part))[: most or None]
            parts.append(self.read(part, chosen, report))
        images, labels = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        masks = None if parts[0][2] is None else np.concatenate([part[2] for part in parts])
        trained = len(parts[0][0])
        train, held_out = np.arange(trained), np.arange(trained, len(images))
        return ImageSet(images, labels, self.classes, train, held_out, masks)

    def _opened(self, root: Path, report: Report) -> list:
        """Both parts, training first; what is missing below `root` is fetched and unpacked."""
        *given, _ = self._places()
        unfinished = root / self.folder / ".unpacking"
        if unfinished.exists():
            self._sweep(root)
        for place in (*given, root):
            with contextlib.suppress(*UNREADABLE):
                return [self.part(place, train, download=False) for train in (True, False)]
        for path, md5, urls in self.files(self.source()):
            for place in given:
                if not has(root / path, md5) and has(place / path, md5):
                    _brought(place / path, root / path)
            download(urls, root / path, md5, self.title, report)
        report(f"Unpacking {self.title}", None)
        try:
            unfinished.touch()
            both = [self.part(root, train, download=True) for train in (True, False)]
            unfinished.unlink()
        except UNREADABLE as error:
            raise Trouble(f"{self.title} could not be unpacked in {root / self.folder}: {error}.") from None
        return both

    @staticmethod
    def _places() -> list[Path]:
        """Where its files are looked for: the folder that the environment names, if any, and the playground's own."""
        given = os.environ.get("PLAYGROUND_DATASETS")
        return [*([Path(given)] if given else []), home() / "data"]

    def _sweep(self, root: Path) -> None:
        """Remove what an interrupted unpacking left: torchvision would take it for the whole."""
        kept = {root / path for path, _, _ in self.files(self.source())}
        for path in (root / self.folder).rglob("*"):
            if path.is_file() and path not in kept and path.suffix != ".part" and path.name != ".lock":
                path.unlink()


def _brought(source: Path, target: Path) -> None:
    """A link to a file, or a copy where there are no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.symlink_to(source.resolve())
    except OSError:
        shutil.copyfile(source, target)


@dataclass(frozen=True)
class _Part:
    """One part of MNIST: images (m, 28, 28) and labels (m,), uint8, still in their files."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


class DownloadedMnist(Downloaded):
    """A data set in MNIST's own format: grey, 28×28, ten classes.

    What is unpacked is read without torchvision, whose import takes fifteen times as long as all the rest.
    """

    ground = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, 28, 28

    def files(self, source: Any) -> Iterator[tuple[str, str, list[str]]]:
        for name, md5 in source.resources:
            yield f"{self.folder}/raw/{name}", md5, [mirror.rstrip("/") + "/" + name for mirror in source.mirrors]

    def part(self, root: Path, train: bool, download: bool) -> _Part:
        if download:
            self.source()(root, train=train, download=True)
        start = root / self.folder / "raw" / ("train" if train else "t10k")
        part = _Part(read_idx(Path(f"{start}-images-idx3-ubyte")), read_idx(Path(f"{start}-labels-idx1-ubyte")))
        if part.images.shape != (*part.labels.shape, 28, 28):
            raise ValueError(f"{start} has {part.labels.shape} labels for images {part.images.shape}")
        return part

    def read(self, part: Any, chosen: np.ndarray, report: Report) -> tuple[np.ndarray, np.ndarray, None]:
        return part.images[chosen, None], part.labels[chosen].astype(np.int64), None


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array in an IDX file, mapped to memory and not read yet; ValueError where the file holds none.

    http://yann.lecun.com/exdb/mnist: two zero bytes, 8 for uint8, the number of dimensions, their big-endian sizes.
    """
    whole = np.asarray(np.memmap(path, np.uint8, "r"))
    start = 4 + 4 * int(whole[3:4].sum())
    if whole[:3].tobytes() != b"\0\0\x08" or len(whole) < start:
        raise ValueError(f"{path.name} is not an IDX file of bytes")
    return whole[start:].reshape(whole[4:start].view(">u4"))  # ValueError where the sizes do not add up
