"""Routes of the Inside page: what a network makes of an image; what its variant has to show is in inside_variants."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from playground.explore_answers import answered, asked, picture_bytes, png_url, sheet, strip_url, whole
from playground.explore_routes import HOUR, picture_type, status_of
from playground.inside_answers import COLUMNS, SHOWN, chained, described, floats, layer, tiles

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.explorer import Explorer
    from playground.inspector import Inspector, Still
    from playground.siblings import Siblings
    from playground.workbench import Workbench

Handler = Callable[["Inside", "Still", Request, dict[str, Any]], Awaitable[dict[str, Any]]]
EXCITING = 9  # held-out images shown for a code entry


class Inside:
    """The routes of one process; the inspector is made at the first question. `workbench` is called off the loop.

    explorer: finds the Latent space page's, whose maps are then these too; without it the inspector makes its own.
    """

    inspector: Inspector
    siblings: Siblings

    def __init__(self, workbench: Callable[[], Workbench], explorer: Callable[[], Awaitable[Explorer]] | None = None):
        self._find_workbench, self._find_explorer = workbench, explorer
        self._ready = False

    async def ready(self) -> None:
        workbench = await asyncio.to_thread(self._find_workbench)
        explorer = await self._find_explorer() if self._find_explorer else None
        if not self._ready:
            from playground.inspector import Inspector
            from playground.siblings import Siblings

            self.inspector = Inspector(workbench, explorer)
            self.siblings = Siblings(self.inspector)
            self._ready = True

    def routes(self) -> list[BaseRoute]:
        from playground import inside_variants as more

        found: list[BaseRoute] = [
            Route(f"/inspect/{{name}}/{path}".rstrip("/"), self._endpoint(handler), methods=[method])
            for path, method, handler in (*HANDLERS, *more.HANDLERS)
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


async def images(still: Still) -> Response:
    """The strip's held-out images, small, on one sheet."""
    from playground.images import thumbnails

    source = still.resident.source

    def make() -> tuple[np.ndarray, bytes]:
        small = thumbnails(np.ascontiguousarray(source.images[source.held_out[:SHOWN]]), 32)
        return small, sheet(small, COLUMNS, 92)

    small, data = await asyncio.to_thread(make)
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

    def make() -> dict[str, Any]:
        return {
            "input": png_url(image[0]),
            "output": png_url(output),
            "point": image[0].reshape(-1).tolist() if image.size == 2 else None,
            "made": output.reshape(-1).tolist() if image.size == 2 else None,
            "psnr": psnr(float(np.square(output - image[0]).mean())),
            "code": floats(code) if code.ndim == 1 else None,
            "layers": [layer(one) for one in values],
        }

    return await asyncio.to_thread(make)


async def filters(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    return {"filters": await asyncio.to_thread(tiles, await inside.inspector.filters(still), most=256)}


async def columns(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """What every code entry adds to a picture: D(e_l) - D(0), or ∂D/∂s_l at the code of an image."""
    if question.get("way") == "slope":
        found = await inside.inspector.slopes(still, await looked_at(inside, still, question))
    else:
        found = await inside.inspector.columns(still)
    return {"columns": await asyncio.to_thread(tiles, found, most=512)}


async def excite(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    """The held-out images that excite one code entry most, with its value for each and over all of them."""
    from playground.inspector import MOST

    entry = whole(question, "entry", 0, still.k - 1, 0)
    index, values = await inside.inspector.strongest(still, entry, EXCITING)
    source = still.resident.source
    found = source.images[source.held_out[index]]
    every = (await inside.inspector.codes(still, MOST))[:, entry]
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


async def chain(inside: Inside, still: Still, request: Request, question: dict[str, Any]) -> dict[str, Any]:
    found = await inside.inspector.chain(still)
    return await asyncio.to_thread(chained, found)


HANDLERS: list[tuple[str, str, Handler]] = [
    ("", "GET", overview),
    ("forward", "POST", forward),
    ("filters", "GET", filters),
    ("columns", "POST", columns),
    ("excite", "GET", excite),
    ("chain", "GET", chain),
]
