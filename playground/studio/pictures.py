"""Pictures that visitors bring: where their files may lie, how large they may be, and what of them is a mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio as gr
import numpy as np
from gradio.utils import abspath, get_upload_folder, is_in_or_equal

from playground import masks
from playground.caps import MEGA, caps, told
from playground.events import Trouble
from playground.images import FORMATS, read_image

OWN = "/gradio_api/file="  # what the address of a file that was uploaded here has in it
GREY = 3  # levels that the channels of a grey picture may differ by: the editor's canvas rounds
SHOWN = 448  # pixels: smaller pictures are shown enlarged by a whole factor, up to about this size


def image_file(label: str, example: str, **settings: Any) -> gr.Image:
    """An endpoint's picture: it arrives as the path of an uploaded file, and nothing is unpacked before its turn."""
    component = gr.Image(label=label, type="filepath", format="png", **settings)
    component.preprocess = lambda payload: None if payload is None else payload.path  # type: ignore[method-assign]
    return with_example(_at_home(component), file(example))


def files(label: str, examples: list[str]) -> gr.File:
    """Several pictures of an endpoint, as paths."""
    component = gr.File(label=label, file_count="multiple", type="filepath")
    return with_example(_at_home(component), [file(example) for example in examples])


def one_file(label: str, example: str, **settings: Any) -> gr.File:
    """A file that is no picture, as a path."""
    return with_example(_at_home(gr.File(label=label, type="filepath", **settings)), file(example))


def with_example(component: Any, example: Any) -> Any:
    """The component with what the documentation of an endpoint shows as an example."""
    component.example_payload = lambda: example
    return component


def file(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def _at_home(component: Any) -> Any:
    """Let a component take files that were uploaded here and nothing else: the server fetches no addresses."""
    bring = component.async_move_resource_to_block_cache

    async def brought(path: Any) -> Any:
        text = str(path)
        if text.lower().startswith(("http://", "https://")):  # our own address of an upload, or none that we fetch
            text = unquote(text.partition(OWN)[2])
        if not text or not is_in_or_equal(abspath(text), get_upload_folder()):
            raise gr.Error(
                "A picture is uploaded here, or sent as a data address; nothing else is read.", print_exception=False
            )
        return await bring(text)

    component.async_move_resource_to_block_cache = brought
    return component


def bounded(component: gr.ImageEditor) -> gr.ImageEditor:
    """The editor, refusing pictures that are too large before they are unpacked, and keeping few not fetched."""
    convert, component.blob_storage = component.convert_and_format_image, _Few()

    def checked(source: Any, *options: Any, **more: Any) -> Any:
        if source is not None:
            try:
                check(Path(source.path) if hasattr(source, "path") else source)
            except Trouble as trouble:
                raise gr.Error(str(trouble), print_exception=False) from None
        return convert(source, *options, **more)

    component.convert_and_format_image = checked  # type: ignore[method-assign,assignment]
    return _at_home(component)


class _Few(dict):
    """A dict that forgets its oldest entries: strokes sent but never asked about."""

    def __setitem__(self, name: str, value: Any) -> None:
        self.pop(name, None)
        super().__setitem__(name, value)
        while len(self) > caps().all_running:
            self.pop(next(iter(self)))


def check(source: Path | bytes) -> None:
    """Trouble, naming the limit, for a file that is too large or a picture of too many pixels."""
    import io

    from PIL import Image

    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > caps().file:
        raise Trouble(f"This file is larger than {told('file')}, which is the limit here.")
    try:
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source), formats=FORMATS) as picture:
            pixels = picture.width * picture.height
    except Image.DecompressionBombError:
        pixels = caps().pixels + 1
    except Exception:  # the decoders raise nearly everything on broken files
        raise Trouble("This is not a PNG, JPEG, WebP, BMP, GIF or TIFF image, or it is damaged.") from None
    if pixels > caps().pixels:
        raise Trouble(f"This picture has more than {caps().pixels / MEGA:g} million pixels, which is the limit here.")


def read(path: str | None, what: str = "picture") -> np.ndarray:
    """The picture (c, h, w) uint8 in an uploaded file; Trouble for none, or one beyond the limits."""
    if not path:
        raise Trouble(f"A {what} is missing.")
    check(Path(path))
    return read_image(Path(path), f"The {what}")


def read_mask(path: str | None) -> np.ndarray:
    """The mask (h, w) in an uploaded file, True where it is bright."""
    return masks.pictured(read(path, "mask"))


def to_pixels(image: np.ndarray) -> np.ndarray:
    """(c, h, w) as Gradio wants it: (h, w) or (h, w, c)."""
    return image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))


# Small pictures in the editor ----------------------------------------------------------------------------------------


def enlarged(image: np.ndarray) -> np.ndarray:
    """A small picture (c, h, w) with every pixel a square, so that it can be painted on; a large one as it is."""
    factor = max(1, SHOWN // max(image.shape[1:]))
    return image.repeat(factor, 1).repeat(factor, 2)


def squares(image: np.ndarray) -> int:
    """The side of the equal squares that a picture (c, h, w) is made of; 1 for nearly every picture."""
    side = int(np.gcd(*image.shape[1:]))
    for axis in (1, 2):
        changes = np.flatnonzero((np.diff(image, axis=axis) != 0).any(axis=(0, 3 - axis)))
        side = int(np.gcd.reduce(np.append(changes + 1, side)))
    return side


def edited(value: dict[str, Any] | None) -> tuple[np.ndarray, np.ndarray, int]:
    """The picture (c, h, w), the mask (h, w) and the side of its squares, of what an ImageEditor holds.

    A picture made of squares, as `enlarged` makes them, is taken for the small one; hidden is each of its pixels of
    which at least a quarter was painted over.
    """
    if not value or value.get("background") is None:
        raise Trouble("Choose an example or bring a picture first.")
    ground = np.asarray(value["background"])[..., :3]
    image = np.ascontiguousarray(ground.transpose(2, 0, 1))
    if np.ptp(image, axis=0).max() <= GREY:
        image = image[:1]
    hidden: np.ndarray = np.zeros(image.shape[1:], bool)
    for layer in value.get("layers") or ():
        alpha = np.asarray(layer)[..., 3] > 0
        tall, wide = min(len(alpha), len(hidden)), min(alpha.shape[1], hidden.shape[1])
        hidden[:tall, :wide] |= alpha[:tall, :wide]
    side = squares(image) if image.any() else 1
    if side > 1:
        h, w = image.shape[1:]
        image = np.ascontiguousarray(image[:, ::side, ::side])
        hidden = hidden.reshape(h // side, side, w // side, side).mean((1, 3)) >= 0.25
    return image, hidden, side
