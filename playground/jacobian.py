"""The squared Frobenius norm of an encoder's Jacobian, ‖J_x(h)‖_F² = Σ_j Σ_l (∂h_l/∂x_j)², per image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.autograd.function import once_differentiable

from playground.layers import Stack
from playground.layers.dense import DenseBlock
from playground.layers.linear import linear, product

SLOPES = {  # activation -> its derivative, found from what came out of it
    nn.Sigmoid: lambda h: h * (1 - h),
    nn.Tanh: lambda h: 1 - h.square(),
    nn.Identity: torch.ones_like,
    nn.ReLU: lambda h: (h > 0).to(h.dtype),
    nn.ELU: lambda h: (h + 1).clamp_max(1),
}
EXACT_UP_TO = 32  # with more rows than this, "auto" estimates


def has_closed_form(encoder: Stack) -> bool:
    """Whether the encoder is one dense layer with a sigmoid, tanh or linear code."""
    return len(encoder) == 1 and _is_chain(encoder)


def _is_chain(encoder: Stack) -> bool:
    """Whether the Jacobian is a product of weights and slopes: dense layers that bend each unit by itself."""
    return all(isinstance(block, DenseBlock) and type(block.activation) in SLOPES for block in encoder.blocks)


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

    closed: Σ_l g'(z_l)² ‖W_l‖² (Rifai et al., ICML 2011, eq. 7). reverse: the k rows, one vector-Jacobian product
    each, multiplied out where layers are dense. forward: the columns, one Jacobian-vector product per pixel.
    estimate: ‖vᵀJ‖² for one v ~ N(0, I), whose mean is ‖J‖_F².
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
        if method == "reverse" and _is_chain(encoder):
            return _by_products(encoder, x)
        x = x.detach().requires_grad_(True)
        code = encoder(x)
        if method == "estimate":
            v = torch.empty_like(code).normal_(generator=rng)
            (row,) = torch.autograd.grad(code, x, v, create_graph=True)
            return code, row.square().flatten(1).sum(1)
        return code, _norm_by_rows(code, x, batched=all(isinstance(block, DenseBlock) for block in encoder))


def _by_products(encoder: Stack, x: Tensor) -> tuple[Tensor, Tensor]:
    """Codes and norms of dense layers: the rows from the code backwards, J = D_L W_L ... D_1 W_1, D the slopes.

    The code's own slopes scale whole rows, so they wait for the rows' norms. The last factor need not be multiplied
    out where it widens: with rows A before it, ‖A W_1‖² = Σ (A W_1 W_1ᵀ) ⊙ A, and W_1 W_1ᵀ is the same for all images.
    """
    out, slopes = x, []
    for block in encoder.blocks:
        out = block(out)
        slopes.append(SLOPES[type(block.activation)](out))
    first, *others = [block.linear.get_parameter("weight") for block in encoder.blocks]
    if not others:
        return out, slopes[0].square() @ first.square().sum(1)
    rows = others.pop() * slopes[-2].unsqueeze(1)
    for slope, weight in zip(slopes[-3::-1], reversed(others)):
        rows = _times(rows, weight.t()) * slope.unsqueeze(1)
    if first.shape[1] > first.shape[0]:
        norms = _Sandwich.apply(rows.flatten(0, 1), first).unflatten(0, rows.shape[:2])
    else:
        norms = _times(rows, first.t()).square().sum(2)
    return out, (slopes[-1].square() * norms).sum(1)


class _Sandwich(torch.autograd.Function):
    """‖a W‖² = a W Wᵀ aᵀ of each row a of A (m, n) and W (n, p): (m,).

    Its own derivative, 2 a W Wᵀ, is half of the work done already; autograd would do it a second time.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, weight: Tensor) -> Tensor:
        pushed = product(a, product(weight, weight))
        ctx.save_for_backward(a, weight, pushed)
        return torch.linalg.vecdot(pushed, a)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        a, weight, pushed = ctx.saved_tensors
        scaled = 2 * grad.unsqueeze(1)
        return pushed * scaled, product(product((a * scaled).t(), a.t()), weight.t())


def _times(rows: Tensor, weight: Tensor) -> Tensor:
    """rows (B, k, n) times weightᵀ (m, n)ᵀ, as one product of matrices: (B, k, m)."""
    return linear(rows.flatten(0, 1), weight).unflatten(0, rows.shape[:2])


def _norm_by_rows(code: Tensor, x: Tensor, batched: bool) -> Tensor:
    """Σ_l ‖∂h_l/∂x‖², all rows in one batched product, or one by one, which is faster for convolutions."""
    k = code.shape[1]
    if batched:
        basis = torch.eye(k, device=x.device, dtype=x.dtype).unsqueeze(1).expand(k, len(x), k)
        (rows,) = torch.autograd.grad(code, x, basis, create_graph=True, is_grads_batched=True)
        return rows.square().flatten(2).sum((0, 2))
    one_by_one = (torch.autograd.grad(code[:, entry].sum(), x, create_graph=True)[0] for entry in range(k))
    return torch.stack([row.square().flatten(1).sum(1) for row in one_by_one]).sum(0)
