"""Kuzushiji-MNIST: cursive Japanese characters, through torchvision."""

from __future__ import annotations

from dataclasses import dataclass

from playground.data import datasets
from playground.data._torchvision import COUNT_HELP, DownloadedMnist
from playground.knobs import knob


@datasets.register("kmnist")
@dataclass(frozen=True)
class Kmnist(DownloadedMnist):
    """T. Clanuwat et al.: Deep learning for classical Japanese literature, arXiv:1812.01718, 2018."""

    count: int = knob(0, COUNT_HELP, low=0, high=60000, stops=(0, 1000, 5000, 10000, 30000))
    seed: int = knob(0, "Chooses the images where there are fewer, and their order.", low=0, high=9999, rare=True)

    rank = 13
    title = "Kuzushiji-MNIST"
    note = "70,000 cursive Japanese characters, 28×28 grey (CC BY-SA 4.0); 21 MB to download."
    folder = "KMNIST"
    inner = 0.9
    classes = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

    def source(self) -> type:
        from torchvision.datasets import KMNIST

        return KMNIST
