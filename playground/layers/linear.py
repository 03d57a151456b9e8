"""Wx + b by the faster of the matrix products that the processor has: torch's own, or oneDNN's on x86 processors."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WORTH_IT = 4_000_000  # multiplications from which the faster product makes up for being called from Python


def _onednn() -> Callable[..., Tensor] | None:
    """oneDNN's product as torch's compiler calls it; None where this torch or this processor has none.

    torch multiplies float32 matrices by MKL, which takes an AMD processor for any processor: a product of 128×784 by
    784×512 took 490 µs there and 235 µs by oneDNN.
    """
    if platform.machine().lower() not in ("x86_64", "amd64") or not torch.backends.mkldnn.is_available():
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


_PRODUCT = _onednn()


def product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """a bᵀ (+ bias) of (m, n) and (k, n): (m, k); not differentiable where oneDNN computes it."""
    if _PRODUCT is not None and _suits(a, b):
        return _PRODUCT(a, b, bias, "none", [], "")
    return F.linear(a, b, bias)


def _suits(a: Tensor, b: Tensor) -> bool:
    """Whether oneDNN may and should compute a bᵀ: plain float32 matrices on the CPU, large enough."""
    return (
        a.dtype is torch.float32 and b.dtype is torch.float32 and a.ndim == 2 and a.device.type == "cpu"
        and a.shape[0] * b.numel() >= WORTH_IT and not (_is_batch(a) or _is_batch(b))
    )  # fmt: skip


def _is_batch(a: Tensor) -> bool:
    """Whether a stands for many tensors at once, as gradients do that come in one batch; oneDNN knows none."""
    return torch._C._functorch.is_functorch_wrapped_tensor(a) or torch._C._functorch.is_legacy_batchedtensor(a)


class _Linear(torch.autograd.Function):
    """The product with its derivatives, which are products again, and so differentiable in turn."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,), (x, weight) = grads, ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        return (
            linear(grad, weight.t()) if for_x else None,
            linear(grad.t(), x.t()) if for_weight else None,
            grad.sum(0) if for_bias else None,
        )


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b for x (B, n), W (k, n), b (k,): (B, k), differentiable as often as one likes.

    Equal to torch.nn.functional.linear up to float32's rounding, and that itself where nothing is to be learnt: oneDNN
    keeps a program for each size that it was ever asked for, of 0.3 to 0.7 MB, and questions come in many sizes.
    """
    learning = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    if not learning or _PRODUCT is None or torch._C._are_functorch_transforms_active() or not _suits(x, weight):
        return F.linear(x, weight, bias)
    return _Linear.apply(x, weight, bias)


class Linear(nn.Linear):
    """torch.nn.Linear with the faster product."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)
