"""Answers of the explorer's routes: packed arrays, sprite sheets and data addresses; and the reading of questions."""

from __future__ import annotations

import io
import json
import logging
import math
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import numpy as np
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from playground.events import Trouble
from playground.images import tile, to_bytes, to_pillow, to_png

MOST_BYTES = 30_000_000  # of a question: a large photograph
ALIGNED = 8  # bytes: browsers look at an array where it lies only if it begins at a multiple of its entry's size
LONGEST = {"WEBP": 16_383, "JPEG": 65_535, "PNG": 65_535}  # pixels a side: the formats' own limits
TINY = 4  # pixels


async def answered(request: Request, work: Awaitable[Response], status: Callable[[Trouble], int]) -> Response:
    """What `work` answers; {"problem": one sentence} where it cannot, with the status of its Trouble, or 500."""
    try:
        return await work
    except Trouble as trouble:
        return JSONResponse({"problem": str(trouble)}, status(trouble))
    except ClientDisconnect:  # nobody hears the answer
        return Response(status_code=400)
    except Exception:
        logging.getLogger(__name__).exception("a question failed at %s", request.url.path)
        return JSONResponse({"problem": "This failed by an error of the playground's own."}, 500)


def packed(**arrays: np.ndarray) -> bytes:
    """Arrays in one body: the header's length (uint32, little-endian), the header (JSON, {"fields": [{name, dtype,
    shape, offset}]}), then the arrays, each at its `offset` in the body, a multiple of 8."""
    fields: list[dict[str, Any]] = []
    blobs, at = [], 0
    for name, array in arrays.items():
        blob = np.ascontiguousarray(array).tobytes()
        fields.append({"name": name, "dtype": str(array.dtype), "shape": list(array.shape), "offset": at})
        blobs.append(blob + b"\0" * (-len(blob) % ALIGNED))
        at += len(blobs[-1])
    start = 0
    while True:  # the header holds offsets that depend on its own length
        head = json.dumps({"fields": [{**field, "offset": start + field["offset"]} for field in fields]}).encode()
        head += b" " * (-(4 + len(head)) % ALIGNED)
        if start == 4 + len(head):
            return len(head).to_bytes(4, "little") + head + b"".join(blobs)
        start = 4 + len(head)


def base64_array(array: np.ndarray) -> str:
    """The array's bytes, little-endian, in base 64."""
    return b64encode(np.ascontiguousarray(array).tobytes()).decode()


def png_url(image: np.ndarray) -> str:
    """An image (c, h, w) as a data address that an <img> shows."""
    return "data:image/png;base64," + b64encode(to_png(image)).decode()


def strip_url(images: np.ndarray) -> str:
    """Images (m, c, h, w) side by side, without gaps, as a PNG's data address."""
    return png_url(tile(to_bytes(images), len(images), gap=0))


def sheet(images: np.ndarray, columns: int, quality: int, kind: str = "JPEG") -> bytes:
    """Images (m, c, h, w) in rows of `columns`, without gaps, as a file: WEBP is smaller, JPEG made 15 times as fast.

    Points of the plane are images of a few pixels whose values are what they say: they come as PNG, without loss.
    """
    if min(images.shape[2:]) < TINY:
        kind = "PNG"
    most = max(1, LONGEST[kind] // max(images.shape[2:]))
    file, picture = io.BytesIO(), to_pillow(tile(to_bytes(images), min(columns, most), gap=0))
    picture.save(file, kind, **{"WEBP": {"quality": quality, "method": 0}, "PNG": {"compress_level": 1},
                                "JPEG": {"quality": quality, "subsampling": 0}}[kind])  # fmt: skip
    return file.getvalue()


# Questions -----------------------------------------------------------------------------------------------------------


async def body(request: Request) -> bytes:
    """The question's bytes; Trouble where there are too many."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise Trouble(f"This is larger than {MOST_BYTES // 1_000_000} MB.")
    return bytes(data)


async def asked(request: Request) -> dict[str, Any]:
    """The question's JSON object; Trouble where it is none."""
    try:
        question = json.loads(await body(request) or b"{}")
    except ValueError:
        raise Trouble("The question is not JSON.") from None
    if not isinstance(question, dict):
        raise Trouble("The question must be a JSON object.")
    return question


def number(question: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """A finite number of the question; Trouble where it is none."""
    raw = question.get(name, default)
    try:
        value = float(raw)
    except (TypeError, ValueError):
        raise Trouble(f"{name} must be a number.") from None
    if not math.isfinite(value) or isinstance(raw, bool):
        raise Trouble(f"{name} must be a number.")
    return value


def whole(question: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    """A whole number from low to high; Trouble where it is none."""
    value = number(question, name, default)
    if value != int(value) or not low <= value <= high:
        raise Trouble(f"{name} must be a whole number from {low} to {high}.")
    return int(value)


def indices(question: Mapping[str, Any], count: int) -> np.ndarray:
    """Indices of points, each once, in the order given; Trouble for none or for others than 0 to count - 1."""
    raw = question.get("indices")
    if not isinstance(raw, list) or not raw:
        raise Trouble("Select at least one point.")
    if not all(isinstance(i, int) and not isinstance(i, bool) and 0 <= i < count for i in raw):
        raise Trouble(f"indices must be whole numbers from 0 to {count - 1}.")
    return np.array(list(dict.fromkeys(raw)), np.int64)


def vector(raw: Any, k: int) -> np.ndarray:
    """A code (k,) float32 from a list of numbers; Trouble where it is none."""
    try:
        code = np.asarray(raw, np.float32)
    except (TypeError, ValueError):
        raise Trouble("A code is a list of numbers.") from None
    if code.shape != (k,) or not np.isfinite(code).all():
        raise Trouble(f"A code of this model is a list of {k} finite numbers.")
    return code


def picture_bytes(raw: Any) -> bytes:
    """The file in a data address or a base 64 text."""
    if not isinstance(raw, str):
        raise Trouble("An image comes as a data address.")
    try:
        return b64decode(raw.partition(",")[2] if raw.startswith("data:") else raw, validate=True)
    except (NotBase64, ValueError):
        raise Trouble("This data address holds no image.") from None
