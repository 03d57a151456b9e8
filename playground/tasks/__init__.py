"""Tasks: what a network is given, what it is to give back, what counts. One file each; this folder is the registry."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod

from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.layers import Stack
from playground.model import Autoencoder
from playground.registry import Registry
from playground.variants import Losses, Variant

tasks = Registry("task")


class Task(ABC):
    """A frozen dataclass of knobs that says what a network is for; the trainer's one loop serves them all.

    title, motto: its name and one line for the page. varied: whether the variant has a say; where it has none, an
    experiment holds the default one. restores: whether its answer is a picture. usual: the architecture to begin with.
    numbered: whether the size of the code belongs to a run's name. measured: what the PSNR is of, in words.
    """

    name: str
    title: str
    motto: str
    varied = False
    restores = True
    usual = "dense"
    numbered = True
    measured = "held-out PSNR"

    def called(self, variant: Variant) -> str:
        """What a network of this task is, in a word or two: the beginning of a run's title."""
        return self.title

    def ways(self, variant: Variant) -> tuple[str, ...]:
        """How a trained network can be used on any picture: of "inpaint", "project", "denoise", "reconstruct"."""
        return ()

    def objections(self, shape: Shape, architecture: type[Architecture]) -> dict[str, str]:
        """Part -> why it has no use here, for images of `shape` (c, h, w) and an architecture; nothing where it has."""
        return {}

    def given(self, shape: Shape) -> Shape:
        """The size of what the network is given of images of `shape` (c, h, w), without channels that are added."""
        return shape

    @abstractmethod
    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        """The objective's terms in order, "reconstruction" first: name -> (LaTeX, words)."""

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape) -> tuple[Stack, Stack]:
        """Encoder and decoder for images of `shape` (c, h, w)."""
        return architecture.build(shape, variant.code_activation)

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str) -> Autoencoder:
        """The network, its weights drawn from torch's global generator; loss: "mse", "l1" or "bce"."""
        return Autoencoder(*self.networks(architecture, variant, shape), architecture.output, loss)

    @abstractmethod
    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        """What the network is given of the images x (B, c, h, w) in [0, 1]."""

    def losses(self, model: Autoencoder, x: Tensor, variant: Variant, rng: Generator) -> Losses:
        """Yield (side, terms) as Variant.losses does, the terms' names being those of `formulas`.

        Here the error alone, of what is made of what was seen.
        """
        yield "autoencoder", {"reconstruction": model.reconstruction_error(model.encode(self.see(x, variant, rng)), x)}

    # What a screen and the held-out curve need of a model, all after `see` -------------------------------------------

    def counts(self, seen: Tensor) -> Tensor | None:
        """Where an error counts: (B, 1, h, w) of zeros and ones, or None for everywhere."""
        return None

    def weights(self, seen: Tensor) -> Tensor | None:
        """How much each value's error counts in the objective: (B, 1, h, w), or None where all count the same."""
        return self.counts(seen)

    def error(self, model: Autoencoder, code: Tensor, x: Tensor, seen: Tensor) -> Tensor:
        """The held-out loss of each image, (B,); code is model.encode(seen)."""
        where = self.counts(seen)
        if where is None:
            return model.reconstruction_error(code, x)
        return (model.errors(code, x) * where).flatten(1).sum(1)

    def output(self, model: Autoencoder, code: Tensor, seen: Tensor) -> Tensor:
        """The finished images (B, c, h, w) in [0, 1]."""
        return model.decode(code).clamp(0, 1)

    def squared_error(self, output: Tensor, x: Tensor, seen: Tensor) -> Tensor:
        """Mean squared error of each finished image where it counts, (B,): what its PSNR is of."""
        squared, where = (output - x).square(), self.counts(seen)
        if where is None:
            return squared.flatten(1).mean(1)
        return (squared * where).flatten(1).sum(1) / (where.flatten(1).sum(1) * x.shape[1]).clamp_min(1)

    def picture(self, seen: Tensor) -> Tensor:
        """What the network was given as images to look at, (B, c, h, w)."""
        return seen


tasks.discover(sys.modules[__name__])
