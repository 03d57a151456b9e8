"""Variants: what keeps an autoencoder from copying its input. One file each; this folder is the registry."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator

from torch import Generator, Tensor

from playground.layers import Stack
from playground.model import Autoencoder
from playground.registry import Registry

Losses = Iterator[tuple[str, dict[str, Tensor]]]
variants = Registry("variant")


class Variant(ABC):
    """A frozen dataclass of knobs that can score a batch.

    rank: its place in lists, as in the lecture. motto: one line for the page. penalties: term -> (LaTeX, words) of
    what is added to the reconstruction loss. price: the symbol of its weight in LaTeX, if it has one.
    code_activation: what the code's layer ends in, a name that `layers.activation_of` knows.
    """

    name: str
    motto: str
    price = ""

    @property
    def penalties(self) -> dict[str, tuple[str, str]]:
        return {}

    @property
    def slope_in_code(self) -> str:
        """Where the penalty is a function of the code h alone, its weighted derivative in h in LaTeX; else ""."""
        return ""

    @property
    def reconstruction_words(self) -> str:
        return "reconstruction error"

    @property
    def code_activation(self) -> str:
        return "linear"

    def how(self, encoder: Stack, pixels: int) -> dict[str, str]:
        """Term -> by what way it is computed for this encoder, in a word or two, where there are several ways."""
        return {}

    def see(self, x: Tensor, rng: Generator) -> Tensor:
        """What the encoder sees of the images x (B, c, h, w): the images themselves, unless the variant corrupts."""
        return x

    @abstractmethod
    def losses(self, model: Autoencoder, x: Tensor, rng: Generator) -> Losses:
        """Yield (side, terms): the trainer steps that side's parameters before it asks for the next.

        x is (B, c, h, w) in [0, 1]. Terms are tensors whose means add up to the objective; "reconstruction" is first.
        What has to be remembered until the next step goes into model.memory after the yield, that is after the step:
        whoever only wants to know the terms asks for no more.
        """


variants.discover(sys.modules[__name__])
