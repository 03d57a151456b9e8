"""Oxford-IIIT Pet: photographs of cats and dogs with the mask of the animal, through torchvision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from playground.data import Report, datasets
from playground.data._masks import square
from playground.data._torchvision import COUNT_HELP, Downloaded
from playground.events import Trouble
from playground.images import fit
from playground.knobs import knob

MASK_OF_TRIMAP = np.array([0, 1, 0, 2], np.uint8)  # its values are 1 animal, 2 background, 3 border


@datasets.register("oxford-pets")
@dataclass(frozen=True)
class OxfordPets(Downloaded):
    """O. M. Parkhi et al.: Cats and Dogs, CVPR 2012. Of each photograph, the largest square in its middle."""

    size: int = knob(64, "Side of the images.", choices=(32, 48, 64, 96, 128), unit="px")
    count: int = knob(0, COUNT_HELP, low=0, high=3680, stops=(0, 500, 1000, 2000))
    seed: int = knob(0, "Chooses the images where there are fewer, and their order.", low=0, high=9999, rare=True)

    rank = 15
    title = "Oxford pets"
    note = "7,349 photographs of cats and dogs with masks (CC BY-SA 4.0); 810 MB to download."
    folder = "oxford-iiit-pet"
    classes = ("cat", "dog")
    mask_classes = ("background", "animal", "border")

    @property
    def shape(self) -> tuple[int, int, int]:
        return 3, self.size, self.size

    def source(self) -> type:
        from torchvision.datasets import OxfordIIITPet

        return OxfordIIITPet

    def files(self, source: Any) -> Iterator[tuple[str, str, list[str]]]:
        for url, md5 in source._RESOURCES:  # it has no public name
            yield f"{self.folder}/{url.rsplit('/', 1)[-1]}", md5, [url]

    def part(self, root: Path, train: bool, download: bool) -> Any:
        split = "trainval" if train else "test"
        return self.source()(root, split=split, target_types=("binary-category", "segmentation"), download=download)

    def read(self, part: Any, chosen: np.ndarray, report: Report) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        images = np.empty((len(chosen), *self.shape), np.uint8)
        masks = np.empty((len(chosen), self.size, self.size), np.uint8)
        labels = np.empty(len(chosen), np.int64)
        for i, index in enumerate(chosen):
            if i % 50 == 0:
                report(f"Reading {self.title}", i / len(chosen))
            try:
                photo, (labels[i], trimap) = part[int(index)]
            except OSError as error:
                raise Trouble(f"A photograph of {self.title} cannot be read: {error}.") from None
            images[i] = fit(np.asarray(photo).transpose(2, 0, 1), self.size, colour=True)
            masks[i] = MASK_OF_TRIMAP[square(np.asarray(trimap), self.size)]
        return images, labels, masks

