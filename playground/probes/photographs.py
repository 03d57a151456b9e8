"""Photographs made larger or cleaner: the classical ways beside the model's, and what each is worth, on luminance."""

from __future__ import annotations

import numpy as np
import torch

from playground import metrics
from playground.data.photos import UNSEEN, photograph
from playground.events import Trouble
from playground.images import to_bytes
from playground.probes.sizes import LUMA, enlarged
from playground.tasks.denoise import LEVELS, Denoiser, noise_level, tells_noise
from playground.tasks.upscale import VIEWS, Upscaler, shrunk

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
SIGMAS = (15, 25, 50)  # grey levels that the papers report
LARGEST = 384  # pixels a side of what figures are measured on

Figures = dict[str, dict[str, float]]


def luminance(image: np.ndarray) -> np.ndarray:
    """The brightness (1, h, w) uint8 of an image (c, h, w) uint8, as ITU-R BT.601 weighs it; grey ones as they are."""
    if len(image) == 1:
        return image
    return np.round(np.tensordot(LUMA, image.astype(np.float32), 1))[None].astype(np.uint8)


def worth(image: np.ndarray, truth: np.ndarray, rim: int = 0) -> dict[str, float | None]:
    """PSNR in dB and SSIM of the luminance of two images (c, h, w) uint8, a rim of so many pixels left out."""
    inside = np.s_[:, rim : truth.shape[1] - rim, rim : truth.shape[2] - rim]
    pair = luminance(image)[inside], luminance(truth)[inside]
    return {"psnr": metrics.psnr_between(*pair), "ssim": metrics.ssim_between(*pair)}


def smaller(image: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of an image (c, h, w) uint8 whose sides are multiples of `scale`, and it so many times smaller.

    Trouble for a picture of which nothing would be left to measure within a rim of `scale` pixels.
    """
    h, w = (side // scale * scale for side in image.shape[1:])
    if min(h, w) < 3 * scale:
        raise Trouble(f"A picture of {image.shape[2]} × {image.shape[1]} pixels is too small to be made {scale} times "
                      "smaller first: enlarge it as it is.")
    part = np.ascontiguousarray(image[:, :h, :w])
    return part, to_bytes(shrunk(torch.from_numpy(part[None]).float() / 255, scale)[0].numpy())


def interpolated(image: np.ndarray, scale: int) -> dict[str, np.ndarray]:
    """Each classical interpolation's enlargement of an image (c, h, w) uint8."""
    return {how: enlarged(image[None], scale, how)[0] for how in INTERPOLATIONS}


def noisy(image: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """An image (c, h, w) uint8 with white Gaussian noise of sigma grey levels, rounded to 8 bits again."""
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def estimated(image: np.ndarray) -> float | None:
    """The standard deviation of the noise in an image (c, h, w) uint8, in grey levels, as the network estimates it.

    None where the image is too small to tell.
    """
    if not tells_noise(*image.shape[1:]):
        return None
    return LEVELS * float(noise_level(_tensor(image)).item())


def non_local_means(image: np.ndarray, sigma: float) -> np.ndarray:
    """An image (c, h, w) uint8 cleaned by scikit-image's non-local means (Buades et al. 2005), told the noise."""
    from skimage.restoration import denoise_nl_means

    last = np.moveaxis(image.astype(np.float32) / 255, 0, -1)
    grey = len(image) == 1
    clean = denoise_nl_means(last[..., 0] if grey else last, h=0.8 * sigma / 255, sigma=sigma / 255, fast_mode=True,
                             patch_size=5, patch_distance=6, channel_axis=None if grey else -1)
    return to_bytes(np.ascontiguousarray(np.moveaxis(np.atleast_3d(clean), -1, 0)))


def figures(model: torch.nn.Module, beside: bool = True) -> Figures:
    """Way -> PSNR and SSIM on photographs never seen, in grey, means: the model's beside the classical ones.

    A Denoiser's ways are named with their noise's level, as "model, σ 25". beside: whether the ways that take long are
    measured too: non-local means, and an Upscaler's mean of eight views.
    """
    pictures = [luminance(photograph(name))[:, :LARGEST, :LARGEST] for name in UNSEEN]
    found: dict[str, list[dict[str, float | None]]] = {}
    for i, picture in enumerate(pictures):
        if isinstance(model, Upscaler):
            truth, small = smaller(picture, model.scale)
            x = _tensor(small)
            ways = {"model": to_bytes(model.enlarge(x)[0].numpy()), **interpolated(small, model.scale)}
            if beside:
                ways["model, eight views"] = to_bytes(model.enlarge(x, VIEWS)[0].numpy())
            for way, image in ways.items():
                found.setdefault(way, []).append(worth(image, truth, model.scale))
        else:
            assert isinstance(model, Denoiser)
            for sigma in SIGMAS:
                spoilt = noisy(picture, sigma, i)
                ways = {"model": to_bytes(model.clean(_tensor(spoilt), sigma / LEVELS)[0].numpy()),
                        "noisy image": spoilt}
                if beside:
                    ways["non-local means"] = non_local_means(spoilt, sigma)
                for way, image in ways.items():
                    found.setdefault(f"{way}, σ {sigma}", []).append(worth(image, picture))
    return {way: {name: float(np.mean([one[name] for one in values])) for name in ("psnr", "ssim")}
            for way, values in found.items()}


def _tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image[None]).float() / 255
