"""Filling hidden pixels, with a plain autoencoder by the code whose reconstruction fits the known pixels best.

Everything long is a generator that pauses often, so that the device can be shared; it returns its result.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import torch
from torch import Tensor, nn

from playground.model import Autoencoder

MERGES = 8  # passes x <- merge(known, D(E(x))) that find a place to start from
STEPS = 2  # Gauss-Newton steps from there
DIRECTIONS = 8  # conjugate directions in each step
LENGTHS = (1.0, 0.2)  # of a step that are tried
TINY = 1e-30  # where a slope is zero, the way along it is zero as well
BOUNDS = {nn.Sigmoid: (0.0, 1.0), nn.Tanh: (-1.0, 1.0), nn.ReLU: (0.0, torch.inf)}  # of what units can give

Decoded = Callable[[Tensor], Tensor]
Steps = Generator[None, None, Tensor]


def inpaint(model: Any, x: Tensor, known: Tensor) -> Steps:
    """Images (n, c, h, w) with what is not known (n, 1, h, w) filled by a model that was trained to."""
    yield
    return model.fill(x, ~known)


def reconstruct(model: Autoencoder, x: Tensor) -> Steps:
    """D(E(x)) of images (n, c, h, w), in [0, 1]."""
    yield
    with torch.no_grad():
        return model(x).clamp(0, 1)


def project(model: Autoencoder, x: Tensor, known: Tensor, steps: int = STEPS, directions: int = DIRECTIONS) -> Steps:
    """D(s) with the code s that minimises ‖known · (D(s) - x)‖², per image: x (n, c, h, w), known (n, 1, h, w) bool.

    Starts where x <- merge(known, D(E(x))) leads, then takes projected Gauss-Newton steps (Bertsekas 1982) within the
    bounds of the code's units. Each is solved by conjugate gradients (CGLS, Björck 1996), which needs products with the
    Jacobian only and leaves alone what the known pixels do not tell. All steps on the way to the solution are tried, as
    the whole one often leads too far (Steihaug 1983), and none that does not help is taken: the error never grows. What
    x holds where it is not known plays no part.
    """
    weight = known.to(x)
    low, high = BOUNDS.get(type(model.encoder.blocks[-1].activation), (-torch.inf, torch.inf))

    def decoded(code: Tensor) -> Tensor:
        return weight * model.decode(code)

    target = weight * x
    code = yield from _start(model, target, weight)
    least = _error(decoded(code), target)
    for _ in range(steps):
        start = code
        for step in _gauss_newton(decoded, start, target, directions, (low, high)):
            for length in LENGTHS:
                with torch.no_grad():
                    trial = (start + length * step).clamp(low, high)
                    error = _error(decoded(trial), target)
                better = error < least  # never where the error is no number
                code = torch.where(better[:, None], trial, code)
                least = torch.where(better, error, least)
            yield
    with torch.no_grad():
        return model.decode(code).clamp(0, 1)


@torch.no_grad()
def _error(out: Tensor, target: Tensor) -> Tensor:
    return (out - target).square().flatten(1).sum(1)


def _start(model: Autoencoder, target: Tensor, weight: Tensor) -> Steps:
    """The code (n, k) that fits best among those met on the way of x <- merge(known, D(E(x)))."""
    pixels = weight.sum((2, 3), keepdim=True)
    mean = torch.where(pixels > 0, target.sum((2, 3), keepdim=True) / pixels.clamp_min(1), 0.5)
    x, best, least = target + (1 - weight) * mean, None, None
    for _ in range(MERGES):
        with torch.no_grad():
            code = model.encode(x)
            out = model.decode(code).clamp(0, 1)
            error = _error(weight * out, target)
            if best is None or least is None:
                best, least = code, error
            else:  # equal errors: the later one, which matters where nothing is known
                best = torch.where((error <= least)[:, None], code, best)
                least = torch.minimum(error, least)
            x = target + (1 - weight) * out
        yield
    assert best is not None
    return best


def _gauss_newton(decoded: Decoded, code: Tensor, target: Tensor, directions: int,
                  bounds: tuple[float, float]) -> Generator[Tensor, None, None]:
    """Steps (n, k), each longer and nearer to the one that minimises ‖J·step - (target - decoded(code))‖² per image.

    They are the iterates of conjugate gradients. Entries of the code at a bound that would have to leave it stay.
    """
    back, forth, out = _jacobian(decoded, code)
    residual = target - out
    downhill = back(residual)
    low, high = bounds
    free = ~((code <= low) & (downhill < 0) | (code >= high) & (downhill > 0))
    downhill = downhill * free
    step, direction, slope = torch.zeros_like(code), downhill, _dot(downhill, downhill)
    for _ in range(min(directions, code.shape[1])):
        along = forth(direction)
        length = slope / _dot(along, along).clamp_min(TINY)
        step = step + _per_image(length, step) * direction
        residual = residual - _per_image(length, residual) * along
        downhill = back(residual) * free
        before, slope = slope, _dot(downhill, downhill)
        direction = downhill + _per_image(slope / before.clamp_min(TINY), direction) * direction
        yield step


def _jacobian(decoded: Decoded, code: Tensor) -> tuple[Decoded, Decoded, Tensor]:
    """The maps r -> Jᵀr and p -> Jp at a code, and decoded(code).

    Jp is the derivative of v -> Jᵀv, which is linear: two backward passes, where forward-mode differentiation would
    first load seconds of machinery.
    """
    with torch.enable_grad():
        code = code.detach().requires_grad_()
        out = decoded(code)
        v = torch.zeros_like(out, requires_grad=True)
        (pulled,) = torch.autograd.grad(out, code, v, create_graph=True)

    def back(residual: Tensor) -> Tensor:
        return torch.autograd.grad(out, code, residual, retain_graph=True)[0]

    def forth(direction: Tensor) -> Tensor:
        return torch.autograd.grad(pulled, v, direction, retain_graph=True)[0]

    return back, forth, out.detach()


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).flatten(1).sum(1)


def _per_image(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *(1,) * (like.ndim - 1))
