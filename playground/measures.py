"""Measures: what a shipped model's card says it is worth, by its task, beside the baseline that it has to beat."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from playground import checkpoint
from playground.batches import to_unit
from playground.labelling.curve import trained
from playground.library import SHIPPED
from playground.metrics import psnr
from playground.probes import boxes, detecting, photographs, rates, restyling, retrieval
from playground.regions import RegionMeter
from playground.tasks.compress import Compress
from playground.trainer import Session

JOLT = 0.1  # standard deviation of the noise that codes are moved by
BOXED = 500  # held-out images that a box is filled in
FILED = 512  # held-out images compressed
PLAIN = "undercomplete-mnist"  # whose codes another model's are compared with
UNSEEN = "Photographs of which it has seen no part, in grey"

Figures = dict[str, dict[str, float]]
Measure = Callable[[Any, Session], Figures]


def _in_boxes(model: Any, session: Session) -> Figures:
    return boxes.figures(model, session.resident.held_out[:BOXED].cpu().numpy())


def _of_photographs(model: Any, session: Session) -> Figures:
    return photographs.figures(model)


def _of_scenes(model: Any, session: Session) -> Figures:
    source = session.resident.source
    assert source.boxes is not None
    return detecting.figures(model, source.images[source.held_out], source.boxes[source.held_out])


def _retrieved(model: Any, session: Session) -> Figures:
    plain = SHIPPED / PLAIN / "model.safetensors"
    other = checkpoint.load(plain) if plain.exists() else None
    comparable = other is not None and other.experiment.data == session.experiment.data
    found = retrieval.figures(model, session.resident, other.model() if other and comparable else None)
    best = next(iter(found))
    return {**found, best: {"psnr": session.metrics["psnr"], **found[best]}}


def _of_classes(model: Any, session: Session) -> Figures:
    """The model, and the same network trained as long on the same labels without a look at the other images."""
    found = {"model": {"accuracy": session.metrics["accuracy"]}}
    made = session.experiment
    if made.task.way != "pixels":  # type: ignore[attr-defined]
        pixels = replace(made, task=replace(made.task, way="pixels"))  # type: ignore[type-var]
        point = trained(pixels, session.resident, "")
        found["the same network, from pixels, same labels"] = {"accuracy": point.accuracy}
    return found


def _of_files(model: Any, session: Session) -> Figures:
    task = session.experiment.task
    assert isinstance(task, Compress)
    return rates.figures(model, session.resident.held_out[:FILED].cpu().numpy(), task.bits)


@torch.no_grad()
def _by_class(model: Any, session: Session) -> Figures:
    """IoU and Dice of every class over all held-out images, and their means."""
    meter, targets, done = RegionMeter(), session.targets, 0
    assert targets is not None
    for chunk in session.resident.held_out.cpu().split(128):
        meter.update(model(to_unit(chunk)), targets[1][done : done + len(chunk)].cpu(), chunk)
        done += len(chunk)
    found = {name: figure.tolist() for name, figure in meter.classes().items()}
    figures = {name: {figure: values[k] for figure, values in found.items() if not math.isnan(values[k])}
               for k, name in enumerate(session.experiment.data.mask_classes)}  # fmt: skip
    return {**figures, "mean": {name: value for name, value in meter.figures().items() if name in found}}


def _of_paintings(model: Any, session: Session) -> Figures:
    task = session.experiment.task
    return restyling.figures(model, task.style, task.brush)  # type: ignore[attr-defined]


MEASURES: dict[str, tuple[str, Measure]] = {  # by task: what the figures are of, in words, and they themselves
    "inpaint": ("Held-out images, inside a box that hides a quarter of the image", _in_boxes),
    "upscale": (UNSEEN, _of_photographs),
    "denoise": (UNSEEN, _of_photographs),
    "detect": ("Held-out images", _of_scenes),
    "retrieve": ("Held-out images' ten nearest among all training images", _retrieved),
    "classify": ("Held-out images", _of_classes),
    "compress": (f"Held-out images, {FILED} at most, in one file", _of_files),
    "segment": ("Held-out images, all their pixels together", _by_class),
    "restyle": ("Photographs of which it has seen no part, against the filter's result, in brightness", _of_paintings),
}


def measured(model: torch.nn.Module, session: Session) -> Figures:
    """Way -> metric -> value on held-out images: the model, and the baseline that it has to beat."""
    if (name := session.experiment.task.name) in MEASURES:
        return MEASURES[name][1](model, session)
    return {"model": {**session.metrics, **character(session)}, **_baseline(session)}


@torch.no_grad()
def character(session: Session) -> dict[str, float]:
    """What the variant is for, on the session's sample of held-out images.

    active: the mean sum of a sparse code's activations; as ρ counts, so many units are at work for an image. moved: how
    far noise of level 0.1 moves a contractive code (rms), as a share of how far codes lie from their mean (rms).
    """
    x, model, variant = session.held_out, session.model, session.experiment.variant.name
    if variant == "sparse":
        return {"active": float(model.encode(x).abs().sum(1).mean())}
    if variant == "contractive":
        codes = model.encode(x).double()
        return {"moved": _moved(codes.cpu().numpy(), model.encode(_noisy(x)).double().cpu().numpy())}
    return {}


def _noisy(x: torch.Tensor) -> torch.Tensor:
    rng = torch.Generator(device=x.device).manual_seed(0)
    return x + JOLT * torch.randn(x.shape, generator=rng, device=x.device)


def _moved(codes: np.ndarray, after: np.ndarray) -> float:
    return float(np.sqrt(np.square(after - codes).sum(1).mean() / np.square(codes - codes.mean(0)).sum(1).mean()))


@torch.no_grad()
def _baseline(session: Session) -> Figures:
    """PCA of as many numbers as the code has, or as are active in a sparse one; of a denoising model the noisy image
    itself; of points in the plane a line."""
    x, variant = to_unit(session.resident.held_out).cpu(), session.experiment.variant.name
    if variant == "denoising":
        seen = session.see(x.to(session.resident.device), session.held_out_rng()).cpu()
        return {"noisy image": {"psnr": psnr(float((seen - x).square().mean()))}}
    from sklearn.decomposition import PCA

    train = to_unit(session.resident.train).flatten(1).cpu().numpy()
    size = min(session.experiment.architecture.code, len(train), train.shape[1] - 1)
    size = round(character(session)["active"]) if variant == "sparse" else size
    pca = PCA(max(size, 1), random_state=0).fit(train)
    flat = x.flatten(1).numpy()
    back = pca.inverse_transform(pca.transform(flat)).clip(0, 1)
    figures = {"psnr": psnr(float(np.square(back - flat).mean()))}
    if variant == "contractive":
        sample = session.held_out.cpu()
        figures["moved"] = _moved(*(pca.transform(some.flatten(1).numpy()) for some in (sample, _noisy(sample))))
    return {f"PCA, {size}": figures}
