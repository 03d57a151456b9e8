"""Autoencoder: s = E(x), x̂ = D(s), and the distance between x̂ and x. It knows nothing of training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from playground import losses
from playground.layers import Stack


class Autoencoder(nn.Module):
    """An encoder, a decoder whose last layer is linear, and what is made of its values.

    output "sigmoid" keeps reconstructions in [0, 1], "linear" leaves them as they are. loss is "mse", "l1" or "bce";
    cross-entropy needs values in [0, 1], so "bce" always means a sigmoid output. memory: what a variant remembers from
    one step to the next, name -> tensor; a run keeps it, a shipped model has none. restores: whether what it decodes to
    are images.
    """

    restores = True

    def __init__(self, encoder: Stack, decoder: Stack, output: str = "sigmoid", loss: str = "mse"):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.squashed = output == "sigmoid" or loss == "bce"
        self.loss = loss
        self.memory: dict[str, Tensor] = {}

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return self.decoder.blocks[-1].shape[0]

    @property
    def has_code(self) -> bool:
        """Whether the decoder is given one code (B, k) and nothing else."""
        return len(self.encoder.blocks[-1].shape) == 1

    def prepared(self, x: Tensor) -> Tensor:
        """What `encode` is given of whole images (B, c, h, w): they themselves, unless the task makes them smaller."""
        return x

    def encode(self, x: Tensor) -> Tensor:
        """Images (B, c, h, w) to codes (B, k), or to what else the decoder takes where there is no code."""
        return self.encoder(x)

    def vector(self, code: Any) -> Tensor:
        """What `encode` gave as one vector for each image, (B, k): the code, or its deepest maps' means."""
        return code if self.has_code else code[-1].mean((2, 3))

    def decode(self, code: Any) -> Tensor:
        """Codes (B, k) to reconstructions (B, c, h, w)."""
        raw = self.decoder(code)
        return torch.sigmoid(raw) if self.squashed else raw

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def raw(self, code: Any) -> Tensor:
        """Codes to images (B, c, h, w) before the output's activation."""
        return self.decoder(code)

    def errors(self, code: Any, target: Tensor) -> Tensor:
        """The chosen loss between D(code) and `target` (B, c, h, w), of each value: (B, c, h, w)."""
        raw = self.raw(code)
        if self.loss == "bce":
            return losses.cross_entropy(raw, target)
        error = losses.absolute_error if self.loss == "l1" else losses.squared_error
        return error(torch.sigmoid(raw) if self.squashed else raw, target)

    def reconstruction_error(self, code: Any, target: Tensor) -> Tensor:
        """The same, summed over pixels, per image: (B,)."""
        return self.errors(code, target).flatten(1).sum(1)

    def sides(self) -> dict[str, list[nn.Parameter]]:
        """The parameters each optimiser holds; one side here, two where a variant trains a critic beside."""
        return {"autoencoder": list(self.parameters())}
