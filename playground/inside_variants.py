"""More of the Inside page's routes: what each variant has to show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request

from playground.events import Trouble
from playground.explore_answers import number, png_url, strip_url
from playground.gate import gate
from playground.inside_answers import SHOWN, floats, sized, tiles
from playground.inside_routes import Handler, Inside, looked_at

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.inspector import Still

LEVELS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
CURVE = 300  # points of half the penalty's curve
ARROWS = 21  # a side
FLOW, RATE = 60, 0.15  # steps of the animation, and how far along its arrow a point goes in each
CODE_ARROWS = 220


def noise_kind(still: Still, question: dict[str, Any]) -> str:
    from playground.corruption import CORRUPTIONS

    kind = str(question.get("kind") or getattr(still.experiment.variant, "kind", "gaussian"))
    if kind not in CORRUPTIONS:
        raise Trouble(f"kind is one of {', '.join(CORRUPTIONS)}.")
    return kind


# Sparse -------------------------------------------------------------------------------------------------------------


async def sparsity(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """ρ̂ of every neuron over held-out images, its part of the penalty, the curve they lie on, and who is active.

    With L1 the penalty's part is the mean of |h_l|; top-k has none, and how often a neuron is kept counts instead.
    """
    from playground.probes.inside import active

    codes, variant = await inside.inspector.codes(still), still.experiment.variant
    kind, rho = str(getattr(variant, "kind", "kl")), float(getattr(variant, "rho", 0.05))
    beta = float(getattr(variant, "beta", 1.0)) if kind != "top-k" else 0.0
    rates, threshold = codes.mean(0), 0.1 * float(np.abs(codes).max(initial=1e-12))
    along, curve, own = _penalty(kind, rho, codes)
    return {
        "kind": kind,
        "rho": rho if kind == "kl" else None,
        "beta": beta,
        "rates": floats(rates),
        "kept": floats((codes != 0).mean(0)),
        "penalties": floats(own),
        "penalty": float(beta * own.sum()),
        "curve": [floats(along), floats(curve)],
        "threshold": threshold,
        "shares": floats(active(codes, threshold)[:SHOWN]),
        "share": float(active(codes, threshold).mean()),
        "images": len(codes),
    }


def _penalty(kind: str, rho: float, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the penalty is of, what it is there, and each neuron's part of it (k,), before it is weighted."""
    import torch

    from playground.losses import kl_sparsity

    if kind != "kl":
        own = np.abs(codes).mean(0) * (kind == "l1")
        along = np.linspace(0, 1.2 * float(own.max(initial=1e-9)), 2)
        return along, along, own
    low = np.geomspace(1e-4, 0.5, CURVE)  # fine near 0 and near 1, where the curve is steep
    along = np.concatenate([low, 1 - low[-2:CURVE // 4:-1]])
    rates = codes.mean(0)
    curve, own = (kl_sparsity(torch.from_numpy(values.astype(np.float64)), rho).numpy() for values in (along, rates))
    return along, curve, own


# Contractive --------------------------------------------------------------------------------------------------------


async def jacobian(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """∂h_l/∂x at an image, J's singular values, and the steps that move the code most and least."""
    image = await looked_at(inside, still, question)
    rows, spectrum = await inside.inspector.jacobian(still, image)

    def make() -> dict[str, Any]:
        ends = np.stack([spectrum.most, spectrum.least]).reshape(2, *rows.shape[1:])
        return {
            "rows": tiles(rows, most=512),
            "values": floats(spectrum.values),
            "norm2": float(np.square(rows, dtype=np.float64).sum()),
            "ends": tiles(ends),
            "still": spectrum.still,
        }

    return await asyncio.to_thread(make)


async def displacement(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """How far noise moves codes, and those of the undercomplete twin where there is one."""
    from playground.inspector import NOISES

    found = await inside.siblings.twin(still, gate.viewer(request.cookies))
    told: dict[str, Any] = {"sizes": NOISES, "moved": floats(await inside.inspector.displacement(still)), "twin": None}
    if found is not None:
        step, steps = getattr(found.event, "step", 0), getattr(found.event, "steps", 0)
        told["twin"] = {"name": found.job, "status": found.status, "at": step, "of": steps, "moved": None}
        if found.steps_taken:
            other = await inside.inspector.still(found.job)
            told["twin"]["moved"] = floats(await inside.inspector.displacement(other))
    return told


async def train_twin(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    found = await inside.siblings.twin(still, gate.viewer(request.cookies))
    if found is not None and found.status in ("opening", "running"):
        return {"run": found.job}
    owner = gate.viewer(request.cookies).owner
    return {"run": inside.siblings.train(inside.siblings.twin_of(still), owner=owner)[0]}


# Denoising ----------------------------------------------------------------------------------------------------------


async def noise(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """One image at growing noise, and what is made of it; and PSNR over held-out images at the same levels."""
    kind, image = noise_kind(still, question), await looked_at(inside, still, question)
    found = await inside.inspector.restored(still, image, kind, LEVELS)
    before, after = await inside.inspector.levels_psnr(still, kind, LEVELS)
    return {
        "kind": kind,
        "levels": LEVELS,
        "clean": png_url(image[0]),
        "noisy": strip_url(found.noisy.clip(0, 1)),
        "restored": strip_url(found.clean),
        "tile": image.shape[1:],
        "before": found.before,
        "after": found.after,
        "all_before": floats(before),
        "all_after": floats(after),
        "images": still.some(256),
    }


async def field(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """On points of the plane: r(x) - x on a lattice, and points that follow it, step by step."""
    points, arrows, path = await inside.inspector.field(still, ARROWS, FLOW, RATE)
    return {"points": points.round(5).tolist(), "arrows": arrows.round(6).tolist(), "path": path.round(4).tolist()}


async def code_arrows(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """On the map of codes: from where a noisy image lies to where the restored one does.

    map: "umap", which may still be fitted and then has "fitting", the fit's progress; else PCA or the code itself.
    """
    level = number(question, "level", getattr(still.experiment.variant, "level", 0.3))
    kind, on_umap = noise_kind(still, question), question.get("map") == "umap"
    ask = inside.inspector.umap_arrows if on_umap else inside.inspector.code_arrows
    found = await ask(still, kind, min(max(level, 0.0), 1.0), CODE_ARROWS)
    if not isinstance(found, tuple):
        fit = {"job": found.job, "fraction": found.progress.fraction, "seconds_left": found.progress.seconds_left}
        return {"map": "umap", "fitting": fit}
    places, start, end = found
    source = still.resident.source
    labels = source.labels[source.held_out[: len(places)]]
    return {"places": places.round(4).tolist(), "start": start.round(4).tolist(), "end": end.round(4).tolist(),
            "labels": labels.tolist(), "level": level, "kind": kind, "map": "umap" if on_umap else "plane"}


# Undercomplete ------------------------------------------------------------------------------------------------------


async def sizes(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """Reconstruction error against code size, of undercomplete runs on these data."""
    found = await inside.siblings.sizes(still, gate.viewer(request.cookies))
    return {
        "runs": [sized(one) for one in found],
        "missing": [one.architecture.code for one in inside.siblings.short_runs(still, found)],
    }


async def pca(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """The same error of PCA with 0, 1, ... components; the first answer takes as long as loading scikit-learn."""
    return {"errors": floats(await inside.siblings.pca(still))}


async def train_sizes(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    viewer = gate.viewer(request.cookies)
    wanted = inside.siblings.short_runs(still, await inside.siblings.sizes(still, viewer))
    return {"runs": inside.siblings.train(*wanted, owner=viewer.owner)}


HANDLERS: list[tuple[str, str, Handler]] = [
    ("sparsity", "GET", sparsity),
    ("jacobian", "POST", jacobian),
    ("displacement", "GET", displacement),
    ("twin", "POST", train_twin),
    ("noise", "POST", noise),
    ("field", "GET", field),
    ("arrows", "GET", code_arrows),
    ("sizes", "GET", sizes),
    ("pca", "GET", pca),
    ("sizes/train", "POST", train_sizes),
]
