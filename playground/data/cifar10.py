"""CIFAR-10: small colour photographs, through torchvision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from playground.data import Report, datasets
from playground.data._torchvision import COUNT_HELP, Downloaded
from playground.knobs import knob


@datasets.register("cifar10")
@dataclass(frozen=True)
class Cifar10(Downloaded):
    """A. Krizhevsky: Learning multiple layers of features from tiny images, University of Toronto, 2009."""

    count: int = knob(0, COUNT_HELP, low=0, high=50000, stops=(0, 1000, 5000, 10000, 25000))
    seed: int = knob(0, "Chooses the images where there are fewer, and their order.", low=0, high=9999, rare=True)

    rank = 14
    title = "CIFAR-10"
    note = "60,000 colour photographs of animals and vehicles, 32×32 (no licence stated); 170 MB to download."
    folder = "cifar-10-batches-py"
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3, 32, 32

    def source(self) -> type:
        from torchvision.datasets import CIFAR10

        return CIFAR10

    def files(self, source: Any) -> Iterator[tuple[str, str, list[str]]]:
        yield source.filename, source.tgz_md5, [source.url]

    def part(self, root: Path, train: bool, download: bool) -> Any:
        return self.source()(root, train=train, download=download)

    def read(self, part: Any, chosen: np.ndarray, report: Report) -> tuple[np.ndarray, np.ndarray, None]:
        images = np.ascontiguousarray(part.data.transpose(0, 3, 1, 2)[chosen])
        return images, np.asarray(part.targets, np.int64)[chosen], None
