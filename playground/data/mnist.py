"""MNIST: handwritten digits, through torchvision."""

from __future__ import annotations

from dataclasses import dataclass

from playground.data import datasets
from playground.data._torchvision import COUNT_HELP, DownloadedMnist
from playground.knobs import knob


@datasets.register("mnist")
@dataclass(frozen=True)
class Mnist(DownloadedMnist):
    """Y. LeCun et al.: Gradient-based learning applied to document recognition, Proc. IEEE 86(11), 1998."""

    count: int = knob(0, COUNT_HELP, low=0, high=60000, stops=(0, 1000, 5000, 10000, 30000))
    seed: int = knob(0, "Chooses the images where there are fewer, and their order.", low=0, high=9999, rare=True)

    rank = 11
    title = "MNIST digits"
    note = "70,000 handwritten digits, 28×28 grey (CC BY-SA 3.0); 12 MB to download."
    folder = "MNIST"
    inner = 0.72
    classes = tuple("0123456789")

    def source(self) -> type:
        from torchvision.datasets import MNIST

        return MNIST
