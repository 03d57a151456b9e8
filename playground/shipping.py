"""Shipping: a trained session becomes a folder of `pretrained/`: weights, config, card and preview."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from playground import checkpoint
from playground.batches import to_unit
from playground.experiment import parameters
from playground.images import tile, to_bytes, to_png
from playground.labelling.curve import trained
from playground.library import SHIPPED
from playground.metrics import psnr
from playground.probes import boxes, photographs, rates, restyling, retrieval
from playground.recipes import Recipe
from playground.regions import RegionMeter
from playground.tasks.compress import Compress
from playground.trainer import Session

SHOWN = 10  # images of a preview
SCALE = 3  # pixels of a preview for one of an image
BOXED = 500  # held-out images that a box is filled in
FILED = 512  # held-out images compressed
PLAIN = "undercomplete-mnist-16"  # whose codes another model's are compared with
WORDS = {"accuracy": "accuracy", "psnr": "PSNR, dB", "ssim": "SSIM", "held_out": "loss",
         "precision": "precision at 10", "bytes": "bytes an image", "iou": "IoU", "dice": "Dice"}

Figures = dict[str, dict[str, float]]
Measure = Callable[[Any, Session], Figures]
UNSEEN = "Photographs of which it has seen no part, in grey"


def ship(session: Session, recipe: Recipe, folder: Path) -> Figures:
    """Write folder/model.safetensors, config.json, README.md and preview.png; returns what the card says.

    The session's run is over and measured; its images decide the baselines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = session.state()
    weights = {name: t for name, t in state.tensors.items() if name.startswith(("model.", "film."))}
    about = {name: value for name, value in state.about.items() if name != "status"}
    checkpoint.save(folder / "model.safetensors", replace(state, tensors=weights, about=about))
    figures = measured(session.model.cpu().eval(), session)
    digest = sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    config = {
        "name": recipe.name, "recipe": recipe.query, "experiment": session.experiment.to_dict(),
        "shape": session.resident.shape, "parameters": parameters(session.experiment), "step": session.step,
        "figures": figures, "sha256": digest,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card(recipe, session, figures), encoding="utf-8")
    (folder / "preview.png").write_bytes(to_png(preview(session)))
    return figures


def _in_boxes(model: Any, session: Session) -> Figures:
    return boxes.figures(model, session.resident.held_out[:BOXED].cpu().numpy())


def _of_photographs(model: Any, session: Session) -> Figures:
    return photographs.figures(model)


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
    return {"model": dict(session.metrics), **_baseline(session)}


@torch.no_grad()
def _baseline(session: Session) -> Figures:
    """PCA of as many numbers as the code has, or for a denoising model the noisy image itself."""
    x = to_unit(session.resident.held_out).cpu()
    if session.experiment.variant.name == "denoising":
        seen = session.see(x.to(session.resident.device), session.held_out_rng()).cpu()
        return {"noisy image": {"psnr": psnr(float((seen - x).square().mean()))}}
    from sklearn.decomposition import PCA

    train = to_unit(session.resident.train).flatten(1).cpu().numpy()
    size = min(session.experiment.architecture.code, *train.shape)
    pca = PCA(size, random_state=0).fit(train)
    flat = x.flatten(1).numpy()
    back = pca.inverse_transform(pca.transform(flat)).clip(0, 1)
    return {f"PCA, {size}": {"psnr": psnr(float(np.square(back - flat).mean()))}}


@torch.no_grad()
def preview(session: Session) -> np.ndarray:
    """A picture (c, h, w) uint8: what the network was given above what it made of it.

    Of images that the playground does not carry itself only the network's own output is shown, all of it.
    """
    indices = torch.from_numpy(session.resident.shown(SHOWN)).to(session.held_out.device)
    task, model = session.experiment.task, session.model
    seen = session.see(session.held_out, session.held_out_rng())[indices].cpu()
    code, x = model.encode(seen), session.held_out[indices].cpu()
    if session.experiment.data.needs_download:
        rows = [task.shown(task.output(model, code, seen), x)]
    else:
        rows = [task.picture(seen), task.shown(task.output(model, code, seen), x)]
    pictures = to_bytes(torch.cat(rows).numpy()).repeat(SCALE, 2).repeat(SCALE, 3)
    return tile(pictures, SHOWN, gap=SCALE)


def card(recipe: Recipe, session: Session, figures: Figures) -> str:
    """The model card, Markdown."""
    made, data = session.experiment, session.experiment.data
    metrics = [name for name in WORDS if any(name in values for values in figures.values())]
    rows = [f"| {' | '.join([way, *(_figure(of.get(name)) for name in metrics)])} |" for way, of in figures.items()]
    where, _ = MEASURES.get(made.task.name, ("Held-out images, of the whole image", None))
    return "\n".join([
        f"# {recipe.name}", "", recipe.about, "", "![What it makes of held-out images](preview.png)", "",
        f"- Model: {made.title}, {made.architecture.name}, {parameters(made):,} parameters, images of "
        f"{' × '.join(map(str, session.resident.shape))} (channels, height, width).",
        f"- Data: {data.title}. {data.note}",
        f"- Recipe: `/?{recipe.query}`, or `python -m playground pretrain {recipe.name}`; {session.step:,} steps.",
        f"- Limits: {recipe.limits}", "",
        f"{where}, means:", "",
        f"| | {' | '.join(WORDS[name] for name in metrics)} |", f"|---|{'---|' * len(metrics)}", *rows, "",
    ])  # fmt: skip


def _figure(value: Any) -> str:
    if value is None or isinstance(value, int):
        return "" if value is None else f"{value}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"
