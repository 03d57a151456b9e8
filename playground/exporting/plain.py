"""Plain stand-ins for what the playground has for its own sake: speed, safety with foreign files, resumed downloads.

An exported program holds these where its parts use the originals.
"""

from __future__ import annotations

import importlib.util
from abc import abstractmethod
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import nn

from playground.data import Dataset, Report, nothing, split
from playground.images import fit

Linear = nn.Linear
linear = product = F.linear
Trouble = RuntimeError

INSTEAD = {  # module -> what of it has a stand-in here
    "playground.layers.linear": ("Linear", "linear", "product"),
    "playground.data": ("ImageSet",),
    "playground.events": ("Trouble",),
    "playground.images": ("read_image", "to_pillow"),
    "playground.data._installed": ("installed_file",),
    "playground.data._torchvision": ("Downloaded", "DownloadedMnist"),
    "playground.data.own": ("Own",),
}


ImageSet = namedtuple("ImageSet", "images labels classes train held_out masks boxes", defaults=(None, None))


def activation_of(name: str) -> nn.Module:
    """What bends a layer."""
    names = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU, "gelu": nn.GELU}
    return names.get(name, nn.Identity)()


def read_image(path: Path) -> np.ndarray:
    """The picture in a file as (c, h, w) uint8, c = 1 where it is grey."""
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode in ("1", "L", "LA"):
        return np.array(picture.convert("L"))[None]
    return np.array(picture.convert("RGB")).transpose(2, 0, 1)


def to_pillow(image: np.ndarray):
    """An image (c, h, w) uint8 as a Pillow image, mode L or RGB."""
    from PIL import Image

    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


def installed_file(package: str, path: str) -> Path:
    """The file `path` that lies inside an installed package."""
    spec = importlib.util.find_spec(package)
    return Path(spec.submodule_search_locations[0]) / path  # type: ignore[union-attr, index]


class Downloaded(Dataset):
    """A data set of torchvision's, whose own test part is held out."""

    where = "data"  # the folder that it is downloaded to
    count: int
    seed: int

    @abstractmethod
    def part(self, root: Any, train: bool, download: bool) -> Any: ...

    @abstractmethod
    def read(self, part: Any, chosen: np.ndarray) -> Any: ...

    def load(self, report: Report = nothing) -> Any:
        rng, parts = np.random.default_rng(self.seed), []
        for train, most in ((True, self.count), (False, -(-self.count // 4))):
            part = self.part(self.where, train, download=True)
            parts.append(self.read(part, rng.permutation(len(part))[: most or None]))
        images, labels = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        masks = None if parts[0][2] is None else np.concatenate([part[2] for part in parts])
        trained = len(parts[0][0])
        return ImageSet(images, labels, self.classes, np.arange(trained), np.arange(trained, len(images)), masks)


class DownloadedMnist(Downloaded):
    """A data set in MNIST's own format: grey, 28×28, ten classes."""

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, 28, 28

    @abstractmethod
    def source(self) -> Any: ...

    def part(self, root: Any, train: bool, download: bool) -> Any:
        return self.source()(root, train=train, download=download)

    def read(self, part: Any, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, None]:
        return part.data.numpy()[chosen, None], part.targets.numpy()[chosen].astype(np.int64), None


class Own(Dataset):
    """Of each picture of a folder, the largest square in its middle, resampled to `size`."""

    folder = "pictures"  # put your own pictures here; those of each class in a folder of their own inside it
    size = 64
    colour = True
    seed = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3 if self.colour else 1, self.size, self.size

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({path.parent.name for path in self.files()}))

    def files(self) -> list[Path]:
        kinds = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
        return sorted(path for path in Path(self.folder).rglob("*") if path.suffix.lower() in kinds)

    def load(self, report: Report = nothing) -> Any:
        images = np.stack([fit(read_image(path), self.size, self.colour) for path in self.files()])
        labels = np.array([self.classes.index(path.parent.name) for path in self.files()], np.int64)
        return ImageSet(images, labels, self.classes, *split(len(images), self.seed))
