"""Shipping: a trained session becomes a folder of `pretrained/`: weights, config, card and preview."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from playground import checkpoint, examples
from playground.batches import to_unit
from playground.experiment import parameters
from playground.images import tile, to_bytes, to_png
from playground.measures import MEASURES, Figures, measured
from playground.recipes import Recipe
from playground.regions import confusion
from playground.trainer import Session

COSTS = 0.1  # dB that half precision may cost
TINY = 1e-3
SHOWN = 10  # images of a preview
SCALE = 3  # pixels of a preview for one of an image
CELL = 26  # pixels a side of a confusion matrix's cells
SHOWN_POINTS, SIDE, FINER, DOT = 400, 160, 4, 5  # points of a preview, pixels a side, drawn so much finer, their radius
WORDS = {"accuracy": "accuracy", "psnr": "PSNR, dB", "map50": "mAP at IoU 0.5",
         "box50": "AP at IoU 0.5 of the boxes alone", "f1": "F1", "ssim": "SSIM", "held_out": "loss",
         "precision": "precision at 10", "bytes": "bytes an image", "iou": "IoU", "dice": "Dice",
         "active": "units active", "moved": "moved by noise, of the codes' spread"}


def ship(session: Session, recipe: Recipe, folder: Path) -> Figures:
    """Write folder/model.safetensors, config.json, README.md and preview.png, and examples.safetensors where the images
    have to be downloaded; returns what the card says.

    The session's run is over and measured; its images decide the baselines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    halved = halve(session)
    state = session.state()
    weights = {name: t.half() if halved and t.dtype == torch.float32 else t
               for name, t in state.tensors.items() if name.startswith(("model.", "film."))}
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
    if session.experiment.data.needs_download and session.experiment.has_code:
        examples.write(session.model, session.resident, folder)
    return figures


def halve(session: Session) -> bool:
    """Round the weights to half precision where that costs less than 0.1 dB on held-out images; whether it was done.

    The session's metrics are those of the weights that it then has.
    """
    whole = {name: t.clone() for name, t in session.model.state_dict().items()}
    before = session.metrics
    session.model.load_state_dict({name: t.half().to(t.dtype) for name, t in whole.items()})
    list(session.measure())
    if all(loss_in_decibels(name, before[name], session.metrics[name]) < COSTS for name in before):
        return True
    session.model.load_state_dict(whole)
    session.metrics = before
    return False


def loss_in_decibels(metric: str, before: float, after: float) -> float:
    """How much worse a figure got: decibels as they are, others by the ratio of their errors."""
    if metric == "psnr":
        return before - after
    error = (before, after) if metric == "held_out" else (1 - before, 1 - after)
    return 10 * math.log10(max(error[1], TINY) / max(error[0], TINY))


@torch.no_grad()
def preview(session: Session) -> np.ndarray:
    """A picture (c, h, w) uint8: what the network was given above what it made of it.

    Of images that the playground does not carry itself only the network's own output is shown, all of it; of a
    classifier how often it takes each class for which.
    """
    if session.experiment.task.name == "classify":
        return taken_for(session)
    are_points = session.resident.shape == (1, 1, 2)
    indices = torch.from_numpy(session.resident.shown(SHOWN_POINTS if are_points else SHOWN))
    indices = indices.to(session.held_out.device)
    task, model = session.experiment.task, session.model
    seen = session.see(session.held_out, session.held_out_rng())[indices].cpu()
    if are_points:
        return points(seen.numpy(), model(seen).numpy())
    code, x = model.encode(seen), session.held_out[indices].cpu()
    if session.experiment.data.needs_download:
        rows = [task.shown(task.output(model, code, seen), x)]
    else:
        rows = [task.picture(seen), task.shown(task.output(model, code, seen), x)]
    pictures = to_bytes(torch.cat(rows).numpy()).repeat(SCALE, 2).repeat(SCALE, 3)
    return tile(pictures, SHOWN, gap=SCALE)


def taken_for(session: Session) -> np.ndarray:
    """A picture (1, h, w) uint8 of a classifier's confusion matrix on held-out images: a row for each true class."""
    resident, model, classes = session.resident, session.model, session.resident.source.classes
    answers = torch.cat([model(to_unit(part.cpu())).argmax(1) for part in resident.held_out.split(1000)])
    counts = confusion(answers, torch.from_numpy(resident.held_out_labels), len(classes)).numpy()
    shades = counts / counts.sum(1, keepdims=True).clip(1)
    picture = Image.new("L", (CELL * (len(classes) + 1) + 1,) * 2, 255)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(11)
    write = partial(draw.text, font=font, anchor="mm")
    for i, name in enumerate(classes):
        write((CELL * (i + 1.5), CELL / 2), name[:4], fill=0)
        write((CELL / 2, CELL * (i + 1.5)), name[:4], fill=0)
        for j, count in enumerate(counts[i]):
            x, y, ink = CELL * (j + 1), CELL * (i + 1), int(255 * shades[i, j] ** 0.5)
            draw.rectangle((x, y, x + CELL, y + CELL), fill=255 - int(0.8 * ink), outline=225)
            if count:
                write((x + CELL / 2, y + CELL / 2), str(count), fill=255 if ink > 128 else 0)
    return np.asarray(picture)[None].copy()


def points(*clouds: np.ndarray) -> np.ndarray:
    """A picture (1, h, w) uint8 of points of the unit square, clouds of (m, 1, 1, 2), y upwards, side by side."""
    finer = SIDE * FINER
    pictures = []
    for cloud in clouds:
        picture = Image.new("L", (finer, finer), 0)
        draw = ImageDraw.Draw(picture)
        for x, y in cloud.reshape(-1, 2) * finer:
            draw.ellipse((x - DOT, finer - y - DOT, x + DOT, finer - y + DOT), fill=255)
        pictures.append(np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX)))
    return tile(np.stack(pictures)[:, None], len(pictures), gap=SCALE)


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
    return (f"{value:.4f}" if value > 0.9995 else f"{value:.3g}") if abs(value) < 1 else f"{value:.2f}"
