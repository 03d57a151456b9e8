"""Inside a network: what every layer makes of an image, and the filters of the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.layers import Block
from playground.model import Autoencoder


@dataclass(frozen=True, eq=False)
class Passed:
    """One block as a batch passed it. given: what came in; before: z, before the activation; out: what left it."""

    block: Block
    given: Tensor
    before: Tensor
    out: Tensor


def passing(model: Autoencoder, do: Callable[[], Any]) -> tuple[Any, list[Passed]]:
    """What do() answers, and every block that it ran through, in the order in which they were left."""
    passed: list[Passed] = []
    inner: dict[Block, tuple[Tensor, Tensor]] = {}
    hooks = []
    for block in (*model.encoder.blocks, *model.decoder.blocks):
        hooks.append(block.linear.register_forward_hook(
            lambda _, given, out, block=block: inner.__setitem__(block, (given[0], out))))
        hooks.append(block.register_forward_hook(
            lambda block, _, out: passed.append(Passed(block, *inner[block], out))))
    try:
        return do(), passed
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def learning(model: Autoencoder) -> Iterator[list[Tensor]]:
    """The weights, differentiable for a while."""
    weights = list(model.parameters())
    before = [weight.requires_grad for weight in weights]
    try:
        with torch.enable_grad():
            yield [weight.requires_grad_(True) for weight in weights]
    finally:
        for weight, needed in zip(weights, before):
            weight.requires_grad_(needed)


@torch.no_grad()
def activations(model: Autoencoder, x: Tensor) -> tuple[np.ndarray, list[np.ndarray]]:
    """The reconstruction (c, h, w) in [0, 1] of one image x (1, c, h, w), and what leaves each block, (units,) or
    (c, h, w), from the first of the encoder to the last of the decoder, before the output's sigmoid."""
    output, passed = passing(model, lambda: model(model.prepared(x)))
    return _plain(output[0].clamp(0, 1)), [_plain(one.out[0]) for one in passed]


@torch.no_grad()
def filters(model: Autoencoder, shape: tuple[int, int, int]) -> np.ndarray:
    """The weights into each unit or map of the first layer as images, (units, c, h, w) or (maps, c, 3, 3).

    shape: (c, h, w) of the images. What the layer is given beside the image, such as a mask, is left out; of a
    residual block it is the first of its convolutions.
    """
    weight = next(weight for weight in model.encoder.blocks[0].linear.parameters() if weight.ndim > 1)
    if weight.ndim == 2:
        count = int(np.prod(shape))
        return _plain(weight[:, :count]).reshape(-1, *shape)
    return _plain(weight[:, : shape[0]])


@torch.no_grad()
def columns(model: Autoencoder, start: int, stop: int) -> np.ndarray:
    """D(e_l) - D(0) for the code entries l from start to stop: float32 (stop - start, c, h, w)."""
    basis = _basis(model, start, stop)
    return _plain(model.decode(basis) - model.decode(torch.zeros_like(basis[:1])))


@torch.no_grad()
def slopes(model: Autoencoder, code: np.ndarray, start: int, stop: int) -> np.ndarray:
    """∂D/∂s_l at a code (k,), columns start to stop of the decoder's Jacobian: float32 (stop - start, c, h, w)."""
    basis = _basis(model, start, stop)
    here = torch.from_numpy(code).to(basis).expand_as(basis).contiguous()
    return _plain(torch.func.jvp(model.decode, (here,), (basis,))[1])


def _basis(model: Autoencoder, start: int, stop: int) -> Tensor:
    weight = next(model.parameters())
    k = model.encoder.blocks[-1].shape[0]
    return torch.eye(k, device=weight.device, dtype=weight.dtype)[start:stop]


def strongest(codes: np.ndarray, count: int) -> np.ndarray:
    """For each entry of codes (m, k) the rows in which it is largest, largest first: int64 (k, count)."""
    count = min(count, len(codes))
    some = np.argpartition(-codes, count - 1, axis=0)[:count]
    order = np.argsort(-np.take_along_axis(codes, some, 0), axis=0, kind="stable")
    return np.take_along_axis(some, order, 0).T.astype(np.int64)


def active(codes: np.ndarray, threshold: float) -> np.ndarray:
    """The share of entries of each code (m, k) whose size is above a threshold: float (m,)."""
    return (np.abs(codes) > threshold).mean(1)


def shrunk(maps: np.ndarray, side: int) -> np.ndarray:
    """Maps (n, h, w) at most `side` pixels a side, each pixel the mean of those that it stands for."""
    if max(maps.shape[1:]) <= side:
        return maps
    share = side / max(maps.shape[1:])
    size = tuple(max(1, round(length * share)) for length in maps.shape[1:])
    return torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(maps)[None], size)[0].numpy()


def _plain(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().contiguous().cpu().numpy()

