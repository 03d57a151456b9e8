"""Routes of the latent space explorer: the points, the maps, and what lies at a place; more in explore_questions."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from playground.events import Trouble
from playground.explore_answers import answered, asked, base64_array, number, packed, png_url, sheet, vector, whole

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.explorer import Explorer, Space
    from playground.probes.maps import Map, MapKnobs
    from playground.workbench import Workbench

Handler = Callable[["Explorer", Request], Awaitable[Response]]
WARM_AFTER = 20.0  # seconds after the start: the first page comes first
COLUMNS = 100
MOST_ENTRIES = 64  # code entries in one answer
NEAREST = 8  # neighbours listed for a place, a point or a code
HOUR = {"Cache-Control": "private, max-age=3600"}


class Explore:
    """The routes of one process; the explorer is made at the first question. `workbench` is called off the loop."""

    def __init__(self, workbench: Callable[[], Workbench]):
        self._find_workbench = workbench
        self._explorer: Explorer | None = None

    async def explorer(self) -> Explorer:
        workbench = await asyncio.to_thread(self._find_workbench)
        if self._explorer is None:
            from playground.explorer import Explorer

            self._explorer = Explorer(workbench)
        return self._explorer

    def close(self) -> None:
        """Nothing is fitted any more."""
        if self._explorer is not None:
            self._explorer.close()

    async def warm_later(self, seconds: float = WARM_AFTER) -> None:
        """After a while, have what maps need compiled; to be cancelled with the server. PLAYGROUND_WARM=0: never."""
        if os.environ.get("PLAYGROUND_WARM", "1") == "0":
            return
        await asyncio.sleep(seconds)
        try:
            await (await self.explorer()).warm()
        except Exception:
            logging.getLogger(__name__).exception("umap-learn could not be warmed up")

    def routes(self) -> list[BaseRoute]:
        from playground import explore_questions as more

        handlers: list[tuple[str, str, Handler]] = [
            ("", "GET", overview),
            ("points.bin", "GET", points),
            ("entries.bin", "GET", entries),
            ("neighbours", "POST", neighbours),
            ("thumbnails", "GET", thumbnails),
            ("map", "GET", chart),
            ("map/cancel", "POST", cancel),
            ("grid", "GET", grid),
            ("decode", "POST", decode),
            *more.HANDLERS,
        ]
        return [
            Route(f"/explore/{{name}}/{path}".rstrip("/"), self._endpoint(handler), methods=[method])
            for path, method, handler in handlers
        ]

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handled(request: Request) -> Response:
            return await handler(await self.explorer(), request)

        async def answer(request: Request) -> Response:
            return await answered(request, handled(request), status_of)

        return answer


def status_of(trouble: Trouble) -> int:
    """404 for a run or model that is not there, else 400."""
    return 404 if str(trouble).startswith("There is no run") else 400


# What every question begins with -------------------------------------------------------------------------------------


async def space_and_knobs(
    explorer: Explorer, request: Request, question: dict[str, Any] | None = None, fresh: bool = False
) -> tuple[Space, MapKnobs, list[str]]:
    """The space a question is about, the knobs of its map and what was wrong with them. The name is in the path; knobs
    and the weights' digest are in the address, or in the question's "map" and "digest"."""
    from playground.probes.maps import MapKnobs

    raws = dict(request.query_params) if question is None else question.get("map") or {}
    if not isinstance(raws, dict):
        raise Trouble("map must be an object with the map's knobs.")
    knobs, problems = MapKnobs.asked(raws)
    digest = str((request.query_params if question is None else question).get("digest", "") or "")
    name = request.path_params["name"]
    return await explorer.space(name, knobs.count, digest, fresh and not digest), knobs, problems


def pointed(space: Space, index: Any) -> int:
    return whole({"index": index}, "index", 0, len(space.codes.codes) - 1)


# Handlers ------------------------------------------------------------------------------------------------------------


async def overview(explorer: Explorer, request: Request) -> Response:
    """What the page needs to know first; by default of the weights as they are now."""
    space, _, problems = await space_and_knobs(explorer, request, fresh=True)
    codes, snapshot = space.codes, explorer.workbench.snapshot(space.name)
    m, k = codes.codes.shape
    return JSONResponse({
        "name": space.name,
        "title": explorer.workbench.experiment(space.name).title,
        "digest": space.digest,
        "status": snapshot.status if snapshot else "shipped",
        "step": getattr(getattr(snapshot, "event", None), "step", None),
        "m": m,
        "k": k,
        "shape": codes.shape,
        "thumb": codes.thumbs.shape[1:],
        "columns": COLUMNS,
        "classes": codes.classes,
        "has_labels": codes.has_labels,
        "held_out": int(codes.held_out.sum()),
        "kinds": ["pca", "umap", *(["plane"] if k <= 2 else []), *(["entries"] if k > 1 else [])],
        "notes": [*problems, *filter(None, [space.resident.source.stand_in])],
    })  # fmt: skip


async def points(explorer: Explorer, request: Request) -> Response:
    space, _, _ = await space_and_knobs(explorer, request)
    codes = space.codes
    return _binary(packed(
        labels=codes.labels.astype("u1" if len(codes.classes) <= 256 else "u2"),
        errors=codes.errors.astype("<f4"),
        index=codes.index.astype("<u4"),
        held_out=codes.held_out.astype("u1"),
    ))  # fmt: skip


async def entries(explorer: Explorer, request: Request) -> Response:
    """Single code entries, for colouring: ?entries=0,3,7."""
    space, _, _ = await space_and_knobs(explorer, request)
    k = space.codes.codes.shape[1]
    raws = request.query_params.get("entries", "0").split(",")[:MOST_ENTRIES]
    which = [whole({"entries": raw}, "entries", 0, k - 1) for raw in raws]
    return _binary(packed(entries=np.array(which, "<u2"), values=space.codes.codes[:, which].T.astype("<f4")))


async def neighbours(explorer: Explorer, request: Request) -> Response:
    """The eight nearest others of a point, or of a code and the image it decodes to: by code and by pixels."""
    from playground.probes.codes import rows_of_pixels
    from playground.probes.neighbours import nearest

    question = await asked(request)
    space, _, _ = await space_and_knobs(explorer, request, question)
    codes, own = space.codes, -1
    if "index" in question:
        own = pointed(space, question["index"])
        asking = codes.codes[own, None], codes.pixels[own, None]
    else:
        code = vector(question.get("code"), codes.codes.shape[1])[None]
        asking = code, rows_of_pixels(await explorer.decode(space, code))

    def found() -> list[list[int]]:
        galleries = codes.codes, codes.pixels
        rows = [nearest(among, NEAREST + 1, query)[0][0] for among, query in zip(galleries, asking, strict=True)]
        return [row[row != own][:NEAREST].tolist() for row in rows]

    by_code, by_pixels = await asyncio.to_thread(found)
    return JSONResponse({"code": by_code, "pixels": by_pixels})


async def thumbnails(explorer: Explorer, request: Request) -> Response:
    """Every image of the map, small, on one sheet."""
    space, _, _ = await space_and_knobs(explorer, request)
    key = ("thumbnails", space.resident.source, len(space.codes.codes))
    data = await explorer.once(key, lambda: sheet(space.codes.thumbs, COLUMNS, quality=85))
    return Response(data, media_type=picture_type(data), headers={"X-Columns": str(COLUMNS), **HOUR})


async def chart(explorer: Explorer, request: Request) -> Response:
    from playground.probes.maps import Map

    space, knobs, problems = await space_and_knobs(explorer, request)
    found = await explorer.map(space, knobs)
    if not isinstance(found, Map):
        progress = found.progress
        return JSONResponse({
            "status": "fitting",
            "job": found.job,
            "fraction": progress.fraction,
            "seconds_left": progress.seconds_left,
        })  # fmt: skip
    return JSONResponse({
        "status": "ready",
        "digest": space.digest,
        "places": base64_array(found.places.astype("<f4")),
        "spread": found.spread,
        "exact": found.exact,
        "note": " ".join([*problems, *filter(None, [found.note])]),
    })  # fmt: skip


async def cancel(explorer: Explorer, request: Request) -> Response:
    question = await asked(request)
    if not explorer.cancel(str(question.get("job"))):
        raise Trouble("This map is not being fitted (any more).")
    return JSONResponse({"cancelled": True})


async def grid(explorer: Explorer, request: Request) -> Response:
    """The map decoded in side × side places; row 0 is the lowest y."""
    from playground.probes.maps import EXTENT

    space, knobs, _ = await space_and_knobs(explorer, request)
    side = whole(request.query_params, "side", 2, 96, 64)
    tiles = await explorer.grid(space, knobs, side)
    data = await explorer.once(
        ("grid sheet", space.key, knobs.relevant(), side), lambda: sheet(tiles, side, quality=85)
    )
    shape = ",".join(map(str, tiles.shape[1:]))
    headers = {"X-Extent": str(EXTENT), "X-Tile": shape, **HOUR}
    return Response(data, media_type=picture_type(data), headers=headers)


async def decode(explorer: Explorer, request: Request) -> Response:
    """What lies at a place, or what a code or a point's code decodes to, and where that image lands on the map."""
    question = await asked(request)
    space, knobs, _ = await space_and_knobs(explorer, request, question)
    found = await explorer.ready(space, knobs)
    place = None
    if "code" in question:
        code = vector(question["code"], space.codes.codes.shape[1])
    elif "index" in question:
        i = pointed(space, question["index"])
        code, place = space.codes.codes[i], found.places[i]
    else:
        place = np.array([number(question, "x"), number(question, "y")], np.float32)
        code = (await explorer.code_at(found, place[None], knobs.way))[0]
    return JSONResponse(await decoded(explorer, space, found, code, place))


async def decoded(explorer: Explorer, space: Space, found: Map, code: np.ndarray, place: Any) -> dict[str, Any]:
    """The answer about one code. distance: of `landed` from where it was asked for, as a share of the map's width."""
    from playground.probes.neighbours import nearest

    image, landed = await explorer.landing(space, found, code)
    place = found.place(code[None])[0] if place is None else place
    if found.is_line:
        landed = np.array([landed[0], place[1]])  # on a line heights mean nothing
    return {
        "image": png_url(image),
        "code": code.tolist(),
        "place": place.tolist(),
        "landed": landed.tolist(),
        "distance": float(np.hypot(*(landed - place)) / 2),
        "nearest": nearest(space.codes.codes, NEAREST, code[None])[0][0].tolist(),
    }


def picture_type(data: bytes) -> str:
    return "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"


def _binary(data: bytes) -> Response:
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})
