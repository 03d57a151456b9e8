"""Routes of the Paint page: pictures to paint on, masks, and what is made of them, as it comes."""

from __future__ import annotations

import asyncio
import io
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from playground import masks
from playground.caps import MEGA, caps
from playground.data import Dataset, datasets
from playground.events import Trouble
from playground.explore_answers import answered, base64_array, body, png_url, whole
from playground.images import fit, read_image, to_bytes, to_pillow, to_png
from playground.paint_desks import GONE, Desk, Desks

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.batches import Resident
    from playground.restorer import Restorer
    from playground.workbench import Workbench

Handler = Callable[["Paint", Request], Awaitable[Response]]
MOST_SIDE = 100_000
INLINE = 256 * 256  # pixels of a picture that is told with its facts
EXACT = 2_000_000  # pixels above which what is shown is a JPEG; what is saved is always exact
PATIENCE = 1.0  # seconds that images are waited for before the page is told how far their loading is
STRIP = 24  # pictures told at once
KINDS = {"upload": "The file", "drawing": "The drawing", "camera": "The photograph"}
TOO_LARGE = ("larger than", "too many")


class Paint:
    """The routes of one process; the restorer is made at the first question. `workbench` is called off the loop."""

    def __init__(self, workbench: Callable[[], Workbench]):
        self._find_workbench = workbench
        self._restorer: Restorer | None = None
        self.desks = Desks()
        self.lane = asyncio.Semaphore(2)  # slow classical fills at a time
        self._warming: asyncio.Task | None = None

    async def restorer(self) -> Restorer:
        workbench = await asyncio.to_thread(self._find_workbench)
        if self._restorer is None:
            from playground.restorer import Restorer

            self._restorer = Restorer(workbench)
            self._warming = asyncio.create_task(asyncio.to_thread(_warm))
        return self._restorer

    def desk(self, request: Request) -> Desk:
        return self.desks.find(request.path_params["desk"])

    def routes(self) -> list[BaseRoute]:
        from playground import paint_work

        handlers: list[tuple[str, str, Handler]] = [
            ("pictures", "GET", pictures),
            ("picture", "POST", bring),
            ("mask/{kind}", "GET", drawn_mask),
            ("desk/{desk}", "GET", look),
            ("desk/{desk}/picture", "GET", shown),
            ("desk/{desk}/result.png", "GET", result),
            ("desk/{desk}/mask", "POST", brought_mask),
            ("desk/{desk}/restore", "POST", paint_work.restore),
            ("desk/{desk}/stop", "POST", stop),
        ]
        return [Route(f"/paint/{path}", self._endpoint(do), methods=[method]) for path, method, do in handlers]

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await answered(request, handler(self, request), status_of)

        return answer


def status_of(trouble: Trouble) -> int:
    """404 for what is not there, 413 for what is too large, else 400."""
    words = str(trouble)
    if words.startswith((GONE, "There is no")):
        return 404
    return 413 if any(part in words for part in TOO_LARGE) else 400


def _warm() -> None:
    """Load what the first fill needs, so that nobody waits for it."""
    from playground import classical, metrics

    image, mask = np.zeros((1, 16, 16), np.uint8), np.zeros((16, 16), bool)
    mask[4:8, 4:8] = True
    for fill in classical.FILLS.values():
        fill(image, mask)
    metrics.ssim_between(image, image, mask)


# Pictures ------------------------------------------------------------------------------------------------------------


async def pictures(paint: Paint, request: Request) -> Response:
    """Held-out images of a data set: ?data=NAME&start=0&count=14&like=RUN (whose settings of that data set count)."""
    query = request.query_params
    start, count = whole(query, "start", 0, 10**9, 0), whole(query, "count", 1, STRIP, 14)
    images = await _images(paint, query)
    if isinstance(images, dict):
        return JSONResponse(images)
    source, total = images.source, len(images.held_out)
    which = (start + np.arange(min(count, total))) % total
    shown = await asyncio.to_thread(lambda: [png_url(to_bytes(source.images[source.held_out[i]])) for i in which])
    named = len(np.unique(source.labels)) > 1
    told = [
        {"index": int(i), "image": url, "label": source.classes[source.labels[source.held_out[i]]] if named else ""}
        for i, url in zip(which, shown)
    ]
    return JSONResponse({"pictures": told, "total": total, "shape": images.shape})


async def _images(paint: Paint, query: Any) -> Resident | dict[str, Any]:
    """The images asked for, or how far their loading is; Trouble for a data set that has no pictures."""
    bench: Any = (await paint.restorer()).workbench
    data = await asyncio.to_thread(_dataset, bench, query.get("data", ""), query.get("like", ""))
    loading = asyncio.wrap_future(bench.supply.look(data))
    done, _ = await asyncio.wait({loading}, timeout=PATIENCE)
    if not done:
        waiting = bench.supply.progress(data)
        return {"waiting": waiting.reason, "fraction": waiting.fraction}
    return loading.result()


def _dataset(bench: Any, name: str, like: str) -> Dataset:
    """The data set of that name, as a run has set it where one is named and uses it, else by its defaults."""
    if name not in datasets:
        raise Trouble("There is no data set of that name.")
    if like:
        data = bench.experiment(like).data
        if data.name == name:
            return data
    data = datasets[name]()
    if min(data.shape[1:]) < 2:
        raise Trouble("This data set has points, not pictures.")
    return data


async def bring(paint: Paint, request: Request) -> Response:
    """A picture onto a desk: ?data=NAME&index=N&like=RUN, or a file as the body with ?kind=upload, drawing or camera.

    ?desk=NAME puts it on a desk that is there. A drawing comes with ?shape=c,h,w and is fitted to it.
    """
    query = request.query_params
    if "data" in query:
        images = await _images(paint, query)
        if isinstance(images, dict):
            return JSONResponse(images)
        index = whole(query, "index", 0, len(images.held_out) - 1)
        at = images.source.held_out[index]
        picture = to_bytes(images.source.images[at])
        label = images.source.classes[images.source.labels[at]] if len(np.unique(images.source.labels)) > 1 else ""
        about = {"data": query["data"], "index": index, "like": query.get("like", ""), "label": label, "known": True,
                 "note": images.source.stand_in}
    else:
        kind = query.get("kind", "upload")
        if kind not in KINDS:
            raise Trouble(f"A picture is brought by {', '.join(KINDS)}.")
        named = query.get("name", "")[:80] or KINDS[kind]
        picture = await asyncio.to_thread(read_image, await body(request), named)
        if picture[0].size > (most := caps().pixels):
            raise Trouble(f"{named} has more than {most / MEGA:g} million pixels, which is too many.")
        if kind == "drawing":
            picture = await asyncio.to_thread(_fitted, picture, query.get("shape", ""))
        about = {"kind": kind, "label": named if kind == "upload" else "", "known": kind == "drawing"}
    name, desk = paint.desks.put(np.ascontiguousarray(picture), about, query.get("desk", ""))
    return JSONResponse(await asyncio.to_thread(facts, name, desk))


def _fitted(picture: np.ndarray, shape: str) -> np.ndarray:
    """A drawing as large as the images of a model: shape is "c,h,w"."""
    try:
        c, h, w = (int(part) for part in shape.split(","))
    except ValueError:
        raise Trouble("A drawing comes with the shape of the model's images.") from None
    if c not in (1, 3) or not 2 <= min(h, w) <= max(h, w) <= 1024:
        raise Trouble("A drawing is made for images of 2 to 1024 pixels a side.")
    return fit(picture, max(h, w), c == 3)[:, :h, :w]


def facts(name: str, desk: Desk) -> dict[str, Any]:
    """What the page needs to know of a desk: the picture's size, where it is from, and itself if it is small."""
    c, h, w = desk.picture.shape
    small = h * w <= INLINE
    return {
        **desk.about, "desk": name, "channels": c, "height": h, "width": w, "mask": bits(desk.mask),
        "image": png_url(desk.picture) if small else f"/paint/desk/{name}/picture?of={id(desk):x}",
    }  # fmt: skip


async def look(paint: Paint, request: Request) -> Response:
    """What lies on a desk, after a reload."""
    return JSONResponse(await asyncio.to_thread(facts, request.path_params["desk"], paint.desk(request)))


async def shown(paint: Paint, request: Request) -> Response:
    """The picture as a file: PNG, or a JPEG where it is large."""
    data, kind = await asyncio.to_thread(file_of, paint.desk(request).picture)
    return Response(data, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})


def file_of(image: np.ndarray) -> tuple[bytes, str]:
    """An image as a file to be shown, and its media type."""
    if image[0].size <= EXACT:
        return to_png(image), "image/png"
    file = io.BytesIO()
    to_pillow(image).save(file, "JPEG", quality=95)
    return file.getvalue(), "image/jpeg"


def url_of(image: np.ndarray) -> str:
    data, kind = file_of(image)
    return f"data:{kind};base64,{b64encode(data).decode()}"


async def result(paint: Paint, request: Request) -> Response:
    """What was made last, exactly: ?of=model, telea, biharmonic or noisy."""
    desk, of = paint.desk(request), request.query_params.get("of", "model")
    if of not in desk.made:
        raise Trouble("There is no such result yet.")
    data = await asyncio.to_thread(lambda: to_png(desk.made[of].whole()))
    return Response(data, media_type="image/png", headers={"Content-Disposition": f'attachment; filename="{of}.png"'})


async def stop(paint: Paint, request: Request) -> Response:
    return JSONResponse({"stopped": paint.desk(request).stop()})


# Masks ---------------------------------------------------------------------------------------------------------------


def bits(mask: np.ndarray) -> str:
    """A mask (h, w) as base 64 of its bits, row by row, the first pixel in the highest bit."""
    return base64_array(np.packbits(mask))


def unbits(text: Any, height: int, width: int) -> np.ndarray:
    """The mask (height, width) that `bits` wrote; Trouble where it is none."""
    try:
        packed = np.frombuffer(b64decode(text if isinstance(text, str) else "?", validate=True), np.uint8)
    except (NotBase64, ValueError):
        raise Trouble("The mask could not be read.") from None
    if len(packed) != -(-height * width // 8):
        raise Trouble(f"The mask is not of {width} × {height} pixels.")
    return np.unpackbits(packed, count=height * width).reshape(height, width).astype(bool)


async def drawn_mask(paint: Paint, request: Request) -> Response:
    """A random mask: /mask/box?width=28&height=28&seed=3."""
    query, kind = request.query_params, request.path_params["kind"]
    height, width = whole(query, "height", 1, MOST_SIDE), whole(query, "width", 1, MOST_SIDE)
    if kind not in masks.KINDS:
        raise Trouble(f"There is no mask called {kind[:40]!r}; there are {', '.join(masks.KINDS)}.")
    if height * width > (most := caps().pixels):
        raise Trouble(f"That is more than {most / MEGA:g} million pixels, which is too many.")
    make = partial(masks.draw, kind, height, width, whole(query, "seed", 0, 2**31 - 1, 0))
    return JSONResponse({"mask": bits(await asyncio.to_thread(make))})


async def brought_mask(paint: Paint, request: Request) -> Response:
    """A mask from a picture, the body: what is bright is hidden; one of another size is scaled, which `note` says."""
    desk = paint.desk(request)
    named = request.query_params.get("name", "")[:80] or KINDS["upload"]
    picture = await asyncio.to_thread(read_image, await body(request), named)
    hidden, (h, w) = masks.pictured(picture), desk.mask.shape
    its = f"{hidden.shape[1]} × {hidden.shape[0]}"
    note = "" if hidden.shape == (h, w) else f"The mask was scaled from {its} to {w} × {h} pixels."
    return JSONResponse({"mask": bits(await asyncio.to_thread(masks.scaled, hidden, h, w)), "note": note})
