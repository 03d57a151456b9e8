"""Architectures: frozen dataclasses that build an encoder and its mirrored decoder; this folder is the registry."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod

from playground.layers import Stack
from playground.registry import Registry

architectures = Registry("architecture")

Shape = tuple[int, int, int]


class Architecture(ABC):
    """Knobs of a pair of networks. Every architecture has `code` (the code's size k), `depth`, `width`, `output`.

    title: its name on a page. has_code: whether all that the decoder is given is one code (B, k); skip connections
    lead around it. reach: pixels around a place that the output there depends on, of a network that takes images of
    any size; 0 for others. grain: what the sides of its images are best a multiple of.
    """

    name: str
    title = ""
    has_code = True
    reach = 0
    grain = 1
    code: int
    depth: int
    width: int
    output: str

    @abstractmethod
    def build(self, shape: Shape, code_activation: str, extra: int = 0) -> tuple[Stack, Stack]:
        """Encoder (B, c + extra, h, w) -> (B, code) and decoder back to exactly (B, c, h, w), both stacks of Blocks.

        extra: channels that are given beside the image's own and not given back, such as a mask. The decoder's last
        layer is linear; the Autoencoder applies the output's activation.
        """


architectures.discover(sys.modules[__name__])
