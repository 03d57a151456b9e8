"""Reconstruction losses of each value, and penalties; symbols as in the lecture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

UNITS = {"mse": "squared error per image", "l1": "absolute error per image", "bce": "cross-entropy per image, nats"}


def squared_error(reconstruction: Tensor, target: Tensor) -> Tensor:
    """(x̂ - x)² of each value, of the shape that both have."""
    return F.mse_loss(reconstruction, target, reduction="none")  # one kernel each way


def absolute_error(reconstruction: Tensor, target: Tensor) -> Tensor:
    """|x̂ - x| of each value."""
    return F.l1_loss(reconstruction, target, reduction="none")


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy in nats of each value, from logits: exact where a sigmoid would have saturated."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none")


FORMULAS = {
    "mse": r"\frac{1}{m}\sum_i {\left\| \hat{x}_i - x_i \right\|}^2",
    "l1": r"\frac{1}{m}\sum_i {\left\| \hat{x}_i - x_i \right\|}_1",
    "bce": r"-\frac{1}{m}\sum_{i,j} x_{ij}\log \hat{x}_{ij} + (1 - x_{ij})\log(1 - \hat{x}_{ij})",
}


def kl_sparsity(mean_activation: Tensor, rho: float) -> Tensor:
    """KL divergence between Bernoulli(ρ) and Bernoulli(ρ̂) for each neuron; (k,) -> (k,), zero where ρ̂ = ρ.

    KL = ρ log(ρ/ρ̂) + (1-ρ) log((1-ρ)/(1-ρ̂)) (Ng, CS294A notes). ρ̂ is kept 1e-7 away from 0 and 1, where the
    formula is infinite, so that neurons that are dead or stuck cost much but never more than a finite amount.
    """
    rho_hat = mean_activation.clamp(1e-7, 1 - 1e-7)
    rho_t = torch.as_tensor(rho, dtype=rho_hat.dtype, device=rho_hat.device)
    return (
        torch.special.xlogy(rho_t, rho_t)
        - rho_t * rho_hat.log()
        + torch.special.xlogy(1 - rho_t, 1 - rho_t)
        - (1 - rho_t) * torch.log1p(-rho_hat)
    )
