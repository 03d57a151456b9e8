"""Fashion-MNIST: pieces of clothing, through torchvision."""

from __future__ import annotations

from dataclasses import dataclass

from playground.data import datasets
from playground.data._torchvision import COUNT_HELP, DownloadedMnist
from playground.knobs import knob


@datasets.register("fashion-mnist")
@dataclass(frozen=True)
class FashionMnist(DownloadedMnist):
    """H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv:1708.07747, 2017."""

    count: int = knob(0, COUNT_HELP, low=0, high=60000, stops=(0, 1000, 5000, 10000, 30000))
    seed: int = knob(0, "Chooses the images where there are fewer, and their order.", low=0, high=9999, rare=True)

    rank = 12
    title = "Fashion-MNIST"
    note = "70,000 pieces of clothing, 28×28 grey (MIT); 31 MB to download."
    folder = "FashionMNIST"
    classes = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )

    def source(self) -> type:
        from torchvision.datasets import FashionMNIST

        return FashionMNIST
