"""Routes of the Inside page: what a network makes of an image, and what its variant has to show."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from playground.events import Trouble
from playground.explore_answers import answered, asked, number, picture_bytes, png_url, sheet, strip_url, whole
from playground.explore_routes import HOUR, picture_type, status_of
from playground.inside_answers import COLUMNS, SHOWN, chained, described, floats, layer, sized, tiles

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.inspector import Inspector, Still
    from playground.siblings import Siblings
    from playground.workbench import Workbench

Handler = Callable[["Inside", "Still", Request, dict[str, Any]], Awaitable[dict[str, Any]]]
LEVELS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
EXCITING = 9  # held-out images shown for a code entry
CURVE = 200  # points of the penalty's curve
ARROWS = 24  # a side
FLOW, RATE = 60, 0.15  # steps of the animation, and how far along its arrow a point goes in each
CODE_ARROWS = 220


class Inside:
    """The routes of one process; the inspector is made at the first question. `workbench` is called off the loop."""

    inspector: Inspector
    siblings: Siblings

    def __init__(self, workbench: Callable[[], Workbench]):
        self._find_workbench = workbench
        self._ready = False

    async def ready(self) -> None:
        workbench = await asyncio.to_thread(self._find_workbench)
        if not self._ready:
            from playground.inspector import Inspector
            from playground.siblings import Siblings

            self.inspector = Inspector(workbench)
            self.siblings = Siblings(self.inspector)
            self._ready = True

    def routes(self) -> list[BaseRoute]:
        found: list[BaseRoute] = [
            Route(f"/inspect/{{name}}/{path}".rstrip("/"), self._endpoint(handler), methods=[method])
            for path, method, handler in HANDLERS
        ]
        return [*found, Route("/inspect/{name}/images", self._endpoint(None))]

    def _endpoint(self, handler: Handler | None) -> Callable[[Request], Awaitable[Response]]:
        async def handled(request: Request) -> Response:
            await self.ready()
            still = await self.inspector.still(request.path_params["name"])
            if handler is None:
                return await images(still)
            question = await asked(request) if request.method == "POST" else dict(request.query_params)
            told = await handler(self, still, request, question)
            return JSONResponse({"step": still.step, **told}, headers={"Cache-Control": "no-store"})

        async def answer(request: Request) -> Response:
            return await answered(request, handled(request), status_of)

        return answer


async def looked_at(inside: Inside, still: Still, question: dict[str, Any], key: str = "image") -> np.ndarray:
    """The image that a question is about, (1, c, h, w): {"image": 3} or {"image": a data address, "centre": bool}."""
    raw = question.get(key, 0)
    if isinstance(raw, str):
        data = picture_bytes(raw)
        return await asyncio.to_thread(inside.inspector.picture, still, data, 0, bool(question.get("centre")))
    index = whole({"image": raw}, "image", 0, len(still.resident.held_out) - 1)
    return await asyncio.to_thread(inside.inspector.picture, still, None, index)


def noise_kind(still: Still, question: dict[str, Any]) -> str:
    from playground.corruption import CORRUPTIONS

    kind = str(question.get("kind") or getattr(still.experiment.variant, "kind", "gaussian"))
    if kind not in CORRUPTIONS:
        raise Trouble(f"kind is one of {', '.join(CORRUPTIONS)}.")
    return kind


async def images(still: Still) -> Response:
    """The strip's held-out images, small, on one sheet."""
    from playground.images import thumbnails

    source = still.resident.source
    small = thumbnails(np.ascontiguousarray(source.images[source.held_out[:SHOWN]]), 32)
    data = await asyncio.to_thread(sheet, small, COLUMNS, 92)
    headers = {"X-Columns": str(COLUMNS), "X-Tile": ",".join(map(str, small.shape[1:])), **HOUR}
    return Response(data, media_type=picture_type(data), headers=headers)


async def overview(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    from playground.corruption import CORRUPTIONS

    snapshot = inside.inspector.workbench.snapshot(still.name)
    return {**described(still), "status": snapshot.status if snapshot else "shipped", "kinds": list(CORRUPTIONS)}


async def forward(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """One image through the network: what leaves every layer, the code, and what comes out with its PSNR."""
    from playground.metrics import psnr

    image = await looked_at(inside, still, question)
    output, values = await inside.inspector.forward(still, image)
    code = values[len(still.model.encoder.blocks) - 1]
    return {
        "input": png_url(image[0]),
        "output": png_url(output),
        "point": image[0].reshape(-1).tolist() if image.size == 2 else None,
        "made": output.reshape(-1).tolist() if image.size == 2 else None,
        "psnr": psnr(float(np.square(output - image[0]).mean())),
        "code": floats(code) if code.ndim == 1 else None,
        "layers": [layer(one) for one in values],
    }


async def filters(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    return {"filters": tiles(await inside.inspector.filters(still), most=256)}


async def columns(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """What every code entry adds to a picture: D(e_l) - D(0), or ∂D/∂s_l at the code of an image."""
    if question.get("way") == "slope":
        image = await looked_at(inside, still, question)
        return {"columns": tiles(await inside.inspector.slopes(still, image), most=512)}
    return {"columns": tiles(await inside.inspector.columns(still), most=512)}


async def excite(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """The held-out images that excite one code entry most, with its value for each and over all of them."""
    entry = whole(question, "entry", 0, still.k - 1, 0)
    index, values = await inside.inspector.strongest(still, entry, EXCITING)
    source = still.resident.source
    found = source.images[source.held_out[index]]
    every = (await inside.inspector.codes(still, 10_000))[:, entry]
    counts, edges = np.histogram(every, 32)
    return {
        "index": index.tolist(),
        "values": floats(values),
        "labels": [source.classes[label] for label in source.labels[source.held_out[index]]],
        "strip": strip_url(found),
        "tile": found.shape[1:],
        "points": found.reshape(-1, 2).tolist() if found[0].size == 2 else None,
        "looked": len(every),
        "mean": float(every.mean()),
        "histogram": counts.tolist(),
        "low": float(edges[0]),
        "high": float(edges[-1]),
    }


# Sparse -------------------------------------------------------------------------------------------------------------


async def sparsity(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """ρ̂ of every neuron over held-out images, its part of the penalty, the curve they lie on, and who is active."""
    import torch

    from playground.losses import kl_sparsity
    from playground.probes.inside import active

    codes, variant = await inside.inspector.codes(still), still.experiment.variant
    rho, beta = float(getattr(variant, "rho", 0.05)), float(getattr(variant, "beta", 1.0))
    rates, threshold = codes.mean(0), 0.1 * float(np.abs(codes).max(initial=1e-12))
    along = np.concatenate([np.geomspace(1e-4, 0.02, CURVE // 2), np.linspace(0.021, 0.999, CURVE // 2)])
    curve, own = (kl_sparsity(torch.from_numpy(values.astype(np.float64)), rho).numpy() for values in (along, rates))
    return {
        "rho": rho,
        "beta": beta,
        "rates": floats(rates),
        "penalties": floats(own),
        "penalty": float(beta * own.sum()),
        "curve": [floats(along), floats(curve)],
        "threshold": threshold,
        "shares": floats(active(codes, threshold)[:SHOWN]),
        "share": float(active(codes, threshold).mean()),
        "images": len(codes),
    }


# Contractive --------------------------------------------------------------------------------------------------------


async def jacobian(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """∂h_l/∂x at an image, J's singular values, and the steps that move the code most and least."""
    image = await looked_at(inside, still, question)
    rows, spectrum = await inside.inspector.jacobian(still, image)
    ends = np.stack([spectrum.most, spectrum.least]).reshape(2, *rows.shape[1:])
    return {
        "rows": tiles(rows, most=512),
        "values": floats(spectrum.values),
        "norm2": float(np.square(rows, dtype=np.float64).sum()),
        "ends": tiles(ends),
        "still": spectrum.still,
    }


async def displacement(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """How far noise moves codes, and those of the undercomplete twin where there is one."""
    from playground.inspector import NOISES

    found = await inside.siblings.twin(still)
    told: dict[str, Any] = {"sizes": NOISES, "moved": floats(await inside.inspector.displacement(still)), "twin": None}
    if found is not None:
        step, steps = getattr(found.event, "step", 0), getattr(found.event, "steps", 0)
        told["twin"] = {"name": found.job, "status": found.status, "at": step, "of": steps, "moved": None}
        if step or found.event is None and found.status != "opening":
            other = await inside.inspector.still(found.job)
            told["twin"]["moved"] = floats(await inside.inspector.displacement(other))
    return told


async def train_twin(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    found = await inside.siblings.twin(still)
    if found is not None and found.status in ("opening", "running"):
        return {"run": found.job}
    return {"run": inside.siblings.train(inside.siblings.twin_of(still))[0]}


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
    """On the map of codes: from where a noisy image lies to where the restored one does."""
    level = number(question, "level", getattr(still.experiment.variant, "level", 0.3))
    kind = noise_kind(still, question)
    places, start, end = await inside.inspector.code_arrows(still, kind, min(max(level, 0.0), 1.0), CODE_ARROWS)
    source = still.resident.source
    labels = source.labels[source.held_out[: len(places)]]
    return {"places": places.round(4).tolist(), "start": start.round(4).tolist(), "end": end.round(4).tolist(),
            "labels": labels.tolist(), "level": level, "kind": kind}


# Undercomplete and the chain rule -----------------------------------------------------------------------------------


async def sizes(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """Reconstruction error against code size: of undercomplete runs on these data, and of PCA."""
    found = await inside.siblings.sizes(still)
    return {
        "runs": [sized(one) for one in found],
        "pca": floats(await inside.siblings.pca(still)),
        "missing": [one.architecture.code for one in inside.siblings.short_runs(still, found)],
    }


async def train_sizes(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    wanted = inside.siblings.short_runs(still, await inside.siblings.sizes(still))
    return {"runs": inside.siblings.train(*wanted)}


async def chain(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    found = await inside.inspector.chain(still)
    return await asyncio.to_thread(chained, found)


HANDLERS: list[tuple[str, str, Handler]] = [
    ("", "GET", overview),
    ("forward", "POST", forward),
    ("filters", "GET", filters),
    ("columns", "POST", columns),
    ("excite", "GET", excite),
    ("sparsity", "GET", sparsity),
    ("jacobian", "POST", jacobian),
    ("displacement", "GET", displacement),
    ("twin", "POST", train_twin),
    ("noise", "POST", noise),
    ("field", "GET", field),
    ("arrows", "GET", code_arrows),
    ("sizes", "GET", sizes),
    ("sizes/train", "POST", train_sizes),
    ("chain", "GET", chain),
]
