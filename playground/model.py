"""Autoencoder: s = E(x), x̂ = D(s), and the distance between x̂ and x. It knows nothing of training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground import losses
from playground.layers import Stack


class Autoencoder(nn.Module):
    """An encoder, a decoder whose last layer is linear, and what is made of its values.

    output "sigmoid" keeps reconstructions in [0, 1], "linear" leaves them as they are. loss is "mse", "l1" or "bce";
    cross-entropy needs values in [0, 1], so "bce" always means a sigmoid output.
    """

    def __init__(self, encoder: Stack, decoder: Stack, output: str = "sigmoid", loss: str = "mse"):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.squashed = output == "sigmoid" or loss == "bce"
        self.loss = loss

    def encode(self, x: Tensor) -> Tensor:
        """Images (B, c, h, w) to codes (B, k)."""
        return self.encoder(x)

    def decode(self, code: Tensor) -> Tensor:
        """Codes (B, k) to reconstructions (B, c, h, w)."""
        raw = self.decoder(code)
        return torch.sigmoid(raw) if self.squashed else raw

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def reconstruction_error(self, code: Tensor, target: Tensor) -> Tensor:
        """The chosen loss between D(code) and `target` (B, c, h, w), summed over pixels, per image: (B,)."""
        if self.loss == "bce":
            return losses.cross_entropy(self.decoder(code), target)
        error = losses.absolute_error if self.loss == "l1" else losses.squared_error
        return error(self.decode(code), target)

    def sides(self) -> dict[str, list[nn.Parameter]]:
        """The parameters each optimiser holds; one side here, two where a variant trains a critic beside."""
        return {"autoencoder": list(self.parameters())}
