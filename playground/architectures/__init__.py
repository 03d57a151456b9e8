"""Architectures: frozen dataclasses that build an encoder and its mirrored decoder; this folder is the registry."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod

from playground.layers import Stack
from playground.registry import Registry

architectures = Registry("architecture")

Shape = tuple[int, int, int]


class Architecture(ABC):
    """Knobs of a pair of networks. Every architecture has `code` (the code's size k), `depth`, `width`, `output`."""

    name: str
    code: int
    depth: int
    width: int
    output: str

    @abstractmethod
    def build(self, shape: Shape, code_activation: str) -> tuple[Stack, Stack]:
        """Encoder (B, c, h, w) -> (B, code) and decoder back to exactly (B, c, h, w), both stacks of Blocks.

        The decoder's last layer is linear; the Autoencoder applies the output's activation.
        """


architectures.discover(sys.modules[__name__])
