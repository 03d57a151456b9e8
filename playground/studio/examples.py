"""Example pictures of the Restore tab: held-out images of built-in data sets, with a part hidden."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from gradio.utils import get_upload_folder

from playground.data import datasets
from playground.images import to_png
from playground.masks import draw
from playground.restorer import Restorer
from playground.studio.pictures import enlarged, to_pixels

PEN = (224, 33, 138, 255)
SHOWN = (  # way, data set, which held-out image, mask
    ("inpaint", "digits", 7, "box"), ("inpaint", "shapes", 3, "scratches"), ("inpaint", "photos", 5, "text"),
    ("denoise", "digits", 12, None), ("reconstruct", "shapes", 8, None),
)  # fmt: skip


def rows(restorer: Restorer) -> list[list[Any]]:
    """[way, model, editor's value] of each example that can be run: with the model of its data, or a classical fill."""
    return [row for example in SHOWN if (row := _row(restorer, *example)) is not None]


def _row(restorer: Restorer, way: str, data: str, which: int, mask: str | None) -> list[Any] | None:
    ways = ("inpaint", "project") if way == "inpaint" else (way,)
    fitting = [one.name for its in ways for one in restorer.choices(its) if one.data == data and one.shipped]
    model = fitting[0] if fitting else "telea" if way == "inpaint" else None
    if model is None:
        return None
    loaded = datasets[data]().load()
    image = loaded.images[loaded.held_out[which]]
    hidden = np.zeros(image.shape[1:], bool) if mask is None else draw(mask, *image.shape[1:], seed=which)
    big = enlarged(image)
    factor = big.shape[1] // image.shape[1]
    return [way, model, _files(big, hidden.repeat(factor, 0).repeat(factor, 1))]


def _files(image: np.ndarray, hidden: np.ndarray) -> dict[str, Any]:
    """The editor's value as files among the uploads, named by what they hold."""
    layer = painted(hidden)
    seen = np.where(hidden, np.array(PEN[:3], np.uint8)[:, None, None], image.repeat(3 // len(image), 0))
    return {"background": _saved(image), "layers": [_saved(layer)], "composite": _saved(seen)}


def _saved(image: np.ndarray) -> str:
    data = _rgba_png(image) if len(image) == 4 else to_png(image)
    path = Path(get_upload_folder()) / "examples" / f"{hashlib.sha256(data).hexdigest()[:24]}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def _rgba_png(image: np.ndarray) -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)), "RGBA").save(stream, "PNG")
    return stream.getvalue()


def painted(hidden: np.ndarray) -> np.ndarray:
    """A layer (4, h, w) of paint where the mask hides, transparent elsewhere."""
    return np.where(hidden, np.array(PEN, np.uint8)[:, None, None], np.uint8(0))


def editor_value(image: np.ndarray, hidden: np.ndarray) -> dict[str, Any]:
    """What an ImageEditor is given to show a picture (c, h, w) under a mask."""
    layer = to_pixels(painted(hidden))
    seen = np.where(hidden, np.array(PEN[:3], np.uint8)[:, None, None], image.repeat(3 // len(image), 0))
    return {"background": to_pixels(image.repeat(3 // len(image), 0)), "layers": [layer], "composite": to_pixels(seen)}
