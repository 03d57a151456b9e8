"""What a denoiser does: images at growing noise and what is made of them, and its vector field r(x) - x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.corruption import CORRUPTIONS
from playground.metrics import psnr
from playground.model import Autoencoder


@dataclass(frozen=True, eq=False)
class Restored:
    """Images at some noise levels. noisy, clean: float32 (levels, c, h, w). before, after: PSNR in dB of each."""

    noisy: np.ndarray
    clean: np.ndarray
    before: tuple[float, ...]
    after: tuple[float, ...]


def spoilt(x: Tensor, kind: str, level: float, seed: int) -> Tensor:
    """Images x (m, c, h, w) corrupted, by the same draws at every level, so that noise grows and does not jump."""
    rng = torch.Generator(device=x.device).manual_seed(seed)
    return CORRUPTIONS[kind](x, level, rng)


@torch.no_grad()
def restored(model: Autoencoder, x: Tensor, kind: str, levels: Sequence[float], seed: int = 0) -> Restored:
    """One image x (1, c, h, w) corrupted at each level, and what the network makes of it."""
    noisy = torch.cat([spoilt(x, kind, level, seed) for level in levels])
    made = model(noisy).clamp(0, 1)
    before, after = (tuple(map(psnr, _errors(images, x))) for images in (noisy, made))
    return Restored(noisy.float().cpu().numpy(), made.float().cpu().numpy(), before, after)


@torch.no_grad()
def levels_psnr(
    model: Autoencoder, x: Tensor, kind: str, levels: Sequence[float], seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """PSNR in dB of the mean squared error over images x (m, c, h, w) at each level: of the noisy, of the restored."""
    noisy = [spoilt(x, kind, level, seed) for level in levels]
    before = [psnr(float((one - x).square().mean())) for one in noisy]
    after = [psnr(float((model(one).clamp(0, 1) - x).square().mean())) for one in noisy]
    return np.array(before), np.array(after)


def _errors(images: Tensor, x: Tensor) -> list[float]:
    return (images - x).square().flatten(1).mean(1).tolist()


def lattice(side: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """side² points (side², 2) spread evenly over a square, float32."""
    ticks = np.linspace(low, high, side, dtype=np.float32)
    return np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)


@torch.no_grad()
def field(model: Autoencoder, points: np.ndarray, device: torch.device) -> np.ndarray:
    """r(x) - x at points (m, 2) of the plane: float32 (m, 2)."""
    x = torch.from_numpy(points).to(device).view(-1, 1, 1, 2)
    return (model(x) - x).view(-1, 2).float().cpu().numpy()


@torch.no_grad()
def flow(model: Autoencoder, points: np.ndarray, steps: int, rate: float, device: torch.device) -> np.ndarray:
    """Points (m, 2) following the field, x ← x + rate (r(x) - x): float32 (steps + 1, m, 2), the start first."""
    x = torch.from_numpy(points).to(device).view(-1, 1, 1, 2)
    path = [x]
    for _ in range(steps):
        x = x + rate * (model(x) - x)
        path.append(x)
    return torch.stack(path).view(steps + 1, -1, 2).float().cpu().numpy()


@torch.no_grad()
def code_arrows(model: Autoencoder, x: Tensor, kind: str, level: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """r(x̃) - x̃ as the code sees it: E(x̃) and E(r(x̃)) of images x (m, c, h, w) that were corrupted, each (m, k)."""
    noisy = spoilt(x, kind, level, seed)
    start = model.encode(noisy)
    end = model.encode(model.decode(start).clamp(0, 1))
    return start.float().cpu().numpy(), end.float().cpu().numpy()
