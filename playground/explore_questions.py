"""More of the explorer's routes: walks, groups, one's own pictures, directions, scores, history and export."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from playground.events import Trouble
from playground.explore_answers import (
    asked,
    base64_array,
    body,
    indices,
    packed,
    picture_bytes,
    png_url,
    sheet,
    strip_url,
    vector,
    whole,
)
from playground.explore_routes import COLUMNS, Handler, pointed, space_and_knobs
from playground.images import read_image

if TYPE_CHECKING:  # the port opens before torch is imported
    from playground.explorer import Explorer, Space

WALK, MOST_STEPS = 13, 64
DIRECTIONS = 16
FOUND = 10  # neighbours listed for a picture
WORST = 8


async def walk(explorer: Explorer, request: Request) -> Response:
    """From one code to another: the images on the way, the cross-fade in pixels, and the codes' places on the map."""
    from playground.probes.paths import HOWS, fade, path

    question = await asked(request)
    space, knobs, _ = await space_and_knobs(explorer, request, question)
    chart = await explorer.ready(space, knobs)
    steps, how = whole(question, "steps", 2, MOST_STEPS, WALK), str(question.get("how", "straight"))
    if how not in HOWS:
        raise Trouble(f"how is one of {', '.join(HOWS)}.")
    start, first = await _end(explorer, space, question.get("from"))
    end, last = await _end(explorer, space, question.get("to"))
    codes = path(start, end, steps, how)
    images = await explorer.decode(space, codes)
    places = chart.place(codes)
    if chart.is_line:  # from one end's own height to the other's
        low, high = (chart.places[e["index"], 1] if "index" in e else 0.0 for e in (question["from"], question["to"]))
        places[:, 1] = np.linspace(low, high, steps)
    return JSONResponse({
        "by_code": strip_url(images),
        "by_pixels": strip_url(fade(first, last, steps)),
        "tile": images.shape[1:],
        "steps": steps,
        "places": places.tolist(),
        "codes": base64_array(codes),
    })  # fmt: skip


async def _end(explorer: Explorer, space: Space, end: Any) -> tuple[np.ndarray, np.ndarray]:
    """The code (k,) and the picture (c, h, w) in [0, 1] that a walk's end names: a point, a code or a picture."""
    if not isinstance(end, dict):
        raise Trouble("A walk needs two ends, each with an index, a code or an image.")
    if "index" in end:
        i = pointed(space, end["index"])
        return space.codes.codes[i], _original(space, i)
    if "code" in end:
        code = vector(end["code"], space.codes.codes.shape[1])
        return code, (await explorer.decode(space, code[None]))[0]
    picture, _ = await _own(space, picture_bytes(end.get("image")), bool(end.get("centre")))
    return (await explorer.see(space, picture[None]))[0][0], picture


def _original(space: Space, i: int) -> np.ndarray:
    image = space.resident.source.images[space.codes.index[i]]
    return image.astype(np.float32) / 255 if image.dtype == np.uint8 else image


async def _own(space: Space, data: bytes, centre: bool) -> tuple[np.ndarray, bool]:
    """A picture that somebody brought, as the model's input; and whether it was made a negative."""
    from playground.probes.pictures import fitted, ground

    def make() -> tuple[np.ndarray, bool]:
        picture = read_image(data, "This picture")
        return fitted(picture, space.codes.shape, ground(space.codes.thumbs[:500]), centre)

    return await asyncio.to_thread(make)


async def group(explorer: Explorer, request: Request) -> Response:
    """What a selection of points has in common."""
    from playground.probes.neighbours import nearest
    from playground.probes.paths import through

    question = await asked(request)
    space, knobs, _ = await space_and_knobs(explorer, request, question)
    which = indices(question, len(space.codes.codes))
    codes = space.codes.codes[which]
    mean = codes.mean(0)
    steps = which[through(codes, whole(question, "steps", 2, MOST_STEPS, WALK))]
    image = (await explorer.decode(space, mean[None]))[0]
    strip = await explorer.decode(space, space.codes.codes[steps])
    errors = space.codes.errors[which]
    return JSONResponse({
        "count": len(which),
        "held_out": int(space.codes.held_out[which].sum()),
        "classes": np.bincount(space.codes.labels[which], minlength=len(space.codes.classes)).tolist(),
        "error": float(errors.mean()),
        "mean": png_url(image),
        "mean_code": mean.tolist(),
        "mean_place": (await explorer.ready(space, knobs)).place(mean[None])[0].tolist(),
        "nearest": nearest(space.codes.codes, FOUND, mean[None])[0][0].tolist(),
        "walk": strip_url(strip),
        "walk_indices": steps.tolist(),
        "tile": strip.shape[1:],
        "worst": which[np.argsort(-errors, kind="stable")[:WORST]].tolist(),
    })  # fmt: skip


async def selection(explorer: Explorer, request: Request) -> Response:
    from playground.probes.export import to_csv

    question = await asked(request)
    space, knobs, _ = await space_and_knobs(explorer, request, question)
    which = indices(question, len(space.codes.codes))
    chart = await explorer.ready(space, knobs)
    text = await asyncio.to_thread(to_csv, space.codes, chart.places, which)
    return _download(text, "text/csv", "selection.csv")


async def place(explorer: Explorer, request: Request) -> Response:
    """Where a picture of one's own lies: its code, reconstruction and nearest images, by code and by pixels."""
    from playground.metrics import psnr
    from playground.probes.codes import rows_of_pixels
    from playground.probes.neighbours import nearest

    if request.headers.get("content-type", "").startswith("application/json"):
        question = await asked(request)
        data = picture_bytes(question.get("image"))
        space, knobs, _ = await space_and_knobs(explorer, request, question)
    else:
        question, data = dict(request.query_params), await body(request)
        space, knobs, _ = await space_and_knobs(explorer, request)
    picture, negative = await _own(space, data, str(question.get("centre", "")).lower() in ("true", "1"))
    code, output = await explorer.see(space, picture[None])
    chart = await explorer.ready(space, knobs)

    def found() -> tuple[np.ndarray, np.ndarray]:
        by_pixels = nearest(space.codes.pixels, FOUND, rows_of_pixels(picture[None]))[0]
        return nearest(space.codes.codes, FOUND, code)[0], by_pixels

    by_code, by_pixels = await asyncio.to_thread(found)
    x, y = chart.place(code)[0].tolist()
    return JSONResponse({
        "x": x,
        "y": y,
        "code": code[0].tolist(),
        "input": png_url(picture),
        "reconstruction": png_url(output[0]),
        "psnr": psnr(float(np.square(output[0] - picture).mean())),
        "neighbours_code": by_code[0].tolist(),
        "neighbours_pixels": by_pixels[0].tolist(),
        "negative": negative,
    })  # fmt: skip


async def directions(explorer: Explorer, request: Request) -> Response:
    """The codes' principal directions and entries, with the ranges that sliders need (1st and 99th percentiles)."""
    from playground.probes.maps import check, principal

    space, _, _ = await space_and_knobs(explorer, request)
    codes = space.codes.codes
    check(codes)

    def make() -> dict[str, Any]:
        mean, axes, variances = principal(codes)
        axes, spread = axes[:DIRECTIONS], np.sqrt(variances[:DIRECTIONS])
        low, high = np.percentile((codes - mean) @ axes.T, [1, 99], 0)
        least, most = np.percentile(codes, [1, 99], 0)
        return {
            "mean": mean.tolist(),
            "directions": base64_array(axes),
            "count": len(axes),
            "sd": spread.tolist(),
            "share": (variances[:DIRECTIONS] / max(variances.sum(), 1e-30)).tolist(),
            "low": low.tolist(),
            "high": high.tolist(),
            "entry_low": least.tolist(),
            "entry_high": most.tolist(),
        }

    return JSONResponse(await explorer.once(("directions", space.key), make))


async def scores(explorer: Explorer, request: Request) -> Response:
    """How well code, map, PCA of the same size and pixels keep neighbourhoods and classes; takes seconds."""
    space, knobs, _ = await space_and_knobs(explorer, request)
    return JSONResponse(await explorer.scores(space, knobs))


async def history(explorer: Explorer, request: Request) -> Response:
    """The steps at which the codes of the first held-out images were kept while the run learnt."""
    space, _, _ = await space_and_knobs(explorer, request)
    steps, places = await explorer.film(space)
    return JSONResponse({"steps": steps, "m": places.shape[1]})


async def history_places(explorer: Explorer, request: Request) -> Response:
    """All of them at once: steps (n,) and places (n, m, 2); point i is point i of points.bin."""
    space, _, _ = await space_and_knobs(explorer, request)
    steps, places = await explorer.film(space)
    data = packed(steps=np.array(steps, "<u4"), places=places.astype("<f4"))
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


async def export(explorer: Explorer, request: Request) -> Response:
    from playground import look
    from playground.probes.export import to_csv, to_html, to_npz

    space, knobs, _ = await space_and_knobs(explorer, request)
    chart = await explorer.ready(space, knobs)
    experiment = explorer.workbench.experiment(space.name)
    title = f"{experiment.title}, {experiment.data.title}"
    kind = request.path_params["kind"]
    if kind == "csv":
        return _download(await asyncio.to_thread(to_csv, space.codes, chart.places), "text/csv", "codes.csv")
    if kind == "npz":
        data = await asyncio.to_thread(to_npz, space.codes, chart.places)
        return _download(data, "application/octet-stream", "codes.npz")
    if kind != "html":
        raise Trouble("A map is exported as csv, npz or html.")

    def page() -> str:
        note = f"{len(chart.places):,} codes in {chart_names[knobs.kind]}. {chart.note}".strip()
        tiles = sheet(space.codes.thumbs, COLUMNS, 90, "WEBP")
        return to_html(space.codes, chart.places, title, note, tiles, COLUMNS, look.css())

    chart_names = {
        "pca": "their principal plane", "umap": f"their UMAP with {knobs.neighbours} neighbours",
        "plane": "their own plane", "entries": f"their entries {knobs.first + 1} and {knobs.second + 1}",
    }  # fmt: skip
    return _download(await asyncio.to_thread(page), "text/html", "map.html")


def _download(data: str | bytes, kind: str, name: str) -> Response:
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


HANDLERS: list[tuple[str, str, Handler]] = [
    ("walk", "POST", walk),
    ("group", "POST", group),
    ("selection.csv", "POST", selection),
    ("place", "POST", place),
    ("directions", "GET", directions),
    ("scores", "GET", scores),
    ("history", "GET", history),
    ("history.bin", "GET", history_places),
    ("export.{kind}", "GET", export),
]
