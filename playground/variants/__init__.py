"""Variants: what keeps an autoencoder from copying its input. One file each; this folder is the registry."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator

from torch import Generator, Tensor

from playground.model import Autoencoder
from playground.registry import Registry

Losses = Iterator[tuple[str, dict[str, Tensor]]]
variants = Registry("variant")


class Variant(ABC):
    """A frozen dataclass of knobs that can score a batch.

    rank: its place in lists, as in the lecture. motto: one line for the page. penalties: term -> (LaTeX, words) of
    what is added to the reconstruction loss. code_activation: what the code's layer ends in, of
    `layers.ACTIVATIONS`.
    """

    name: str
    motto: str
    penalties: dict[str, tuple[str, str]] = {}
    reconstruction_words = "reconstruction error"

    @property
    def code_activation(self) -> str:
        return "linear"

    def see(self, x: Tensor, rng: Generator) -> Tensor:
        """What the encoder sees of the images x (B, c, h, w): the images themselves, unless the variant corrupts."""
        return x

    @abstractmethod
    def losses(self, model: Autoencoder, x: Tensor, rng: Generator) -> Losses:
        """Yield (side, terms): the trainer steps that side's parameters before it asks for the next.

        x is (B, c, h, w) in [0, 1]. Terms are tensors whose means add up to the objective; "reconstruction" is first.
        """


variants.discover(sys.modules[__name__])
