"""The squared Frobenius norm of an encoder's Jacobian, ‖J_x(h)‖_F² = Σ_j Σ_l (∂h_l/∂x_j)², per image."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from playground.layers import Stack
from playground.layers.dense import DenseBlock

SLOPES = {nn.Sigmoid: lambda h: h * (1 - h), nn.Tanh: lambda h: 1 - h.square(), nn.Identity: torch.ones_like}
EXACT_UP_TO = 32  # with more rows than this, "auto" estimates


def has_closed_form(encoder: Stack) -> bool:
    """Whether the encoder is one dense layer with a sigmoid, tanh or linear code."""
    return len(encoder) == 1 and isinstance(encoder[0], DenseBlock) and type(encoder.blocks[0].activation) in SLOPES


def method_for(encoder: Stack, method: str, pixels: int, code: int) -> str:
    """The method "auto" stands for here: closed, reverse, forward or estimate. "closed" falls back to an exact one."""
    if method == "estimate":
        return "estimate"
    if has_closed_form(encoder) and method in ("auto", "closed"):
        return "closed"
    if method == "auto" and min(pixels, code) > EXACT_UP_TO:
        return "estimate"
    return "forward" if pixels < code else "reverse"


def code_and_norm(encoder: Stack, x: Tensor, method: str, rng: Generator) -> tuple[Tensor, Tensor]:
    """The codes (B, k) of images (B, c, h, w) and ‖J‖_F² of each, (B,), differentiable in the weights.

    closed: Σ_l g'(z_l)² ‖W_l‖² (Rifai et al., ICML 2011, eq. 7). reverse: one vector-Jacobian product per code entry.
    forward: one Jacobian-vector product per pixel. estimate: ‖vᵀJ‖² for one v ~ N(0, I), whose mean is ‖J‖_F².
    """
    pixels = x[0].numel()
    with torch.enable_grad():
        if method == "closed":
            code = encoder(x)
            layer = encoder.blocks[0]
            slope, weight = SLOPES[type(layer.activation)](code), layer.linear.get_parameter("weight")
            return code, slope.square() @ weight.square().sum(1)
        if method == "forward":
            eye = torch.eye(pixels, device=x.device, dtype=x.dtype).view(pixels, 1, *x.shape[1:])
            pushed = [torch.func.jvp(encoder, (x,), (tangent.expand_as(x).contiguous(),))[:2] for tangent in eye]
            return pushed[0][0], torch.stack([column.square().sum(1) for _, column in pushed]).sum(0)
        x = x.detach().requires_grad_(True)
        code = encoder(x)
        if method == "estimate":
            v = torch.empty_like(code).normal_(generator=rng)
            (row,) = torch.autograd.grad(code, x, v, create_graph=True)
            return code, row.square().flatten(1).sum(1)
        return code, _norm_by_rows(code, x, batched=all(isinstance(block, DenseBlock) for block in encoder))


def _norm_by_rows(code: Tensor, x: Tensor, batched: bool) -> Tensor:
    """Σ_l ‖∂h_l/∂x‖², all rows in one batched product, or one by one, which is faster for convolutions."""
    k = code.shape[1]
    if batched:
        basis = torch.eye(k, device=x.device, dtype=x.dtype).unsqueeze(1).expand(k, len(x), k)
        (rows,) = torch.autograd.grad(code, x, basis, create_graph=True, is_grads_batched=True)
        return rows.square().flatten(2).sum((0, 2))
    one_by_one = (torch.autograd.grad(code[:, entry].sum(), x, create_graph=True)[0] for entry in range(k))
    return torch.stack([row.square().flatten(1).sum(1) for row in one_by_one]).sum(0)
