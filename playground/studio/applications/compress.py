"""Two endpoints: pictures into one .aec file, and such a file into pictures."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from playground.caps import MEGA, caps
from playground.compressor import Compressor
from playground.events import Trouble
from playground.studio import pictures
from playground.studio.endpoints import NOBODY, Actions, endpoint


def expose(actions: Actions) -> None:
    """Declare them inside the Blocks that are being made."""
    with gr.Group(visible=False):
        said = pictures.with_example
        model = said(gr.Textbox(label="model"), "compress-mnist")
        images = pictures.files("images", ["first.png", "second.png"])
        bits = said(gr.Number(None, label="bits", precision=0), 4)
        other = said(gr.Textbox("", label="model"), "")
        packed = pictures.one_file("file", "pictures.aec")
        out, several = gr.File(label="file"), gr.Gallery(label="one by one", format="png")
        told = gr.JSON(label="facts")
        for do, inputs, outputs in zip(_asked(actions), ([model, images, bits], [packed, other]),
                                       ([out, told], [several, told])):
            endpoint(do, inputs, outputs)


def _asked(actions: Actions) -> tuple[Callable, Callable]:
    compressor = Compressor(actions.workbench)

    async def compress(
        model: str, images: list[str], bits: int | None = None, request: gr.Request = NOBODY
    ) -> tuple[str, dict[str, Any]]:
        """Make pictures into one small file: their codes, rounded to a few bits and entropy coded.

        Args:
            model: a name that `models` lists with the way "compress"
            images: the pictures, of any size, at most 64
            bits: of each number of a code, 1 to 8, 16 or 32; empty: as the model was trained, else 8
        """
        async with actions.turn(request):
            if len(images or ()) > (most := actions.turns.limits.pictures):
                raise Trouble(f"At most {most} pictures are compressed at once here.")
            given = [await asyncio.to_thread(pictures.read, path) for path in images or ()]
            done = await compressor.compress(model, given, int(bits or 0))
            return await packed(done.data), {
                "bytes": len(done.data), "pictures": len(given), "bytes_each": round(done.bytes_each, 1),
                "bits": done.bits, "psnr": done.psnr, "seconds": round(done.seconds, 3), "note": done.note,
            }  # fmt: skip

    async def decompress(
        file: str, model: str = "", request: gr.Request = NOBODY
    ) -> tuple[list[np.ndarray], dict[str, Any]]:
        """Give the pictures of a file that `compress` made; the model that it names must be here.

        Args:
            file: the .aec file
            model: the model to decode with, where it is not called here as the file says; empty: the one it names
        """
        async with actions.turn(request):
            images, size = await unpacked(compressor, file, model=model or "")
            return [pictures.to_pixels(image) for image in images], {"pictures": len(images), "bytes": size}

    return compress, decompress


async def packed(data: bytes) -> str:
    """The path of a file to be handed out."""
    path = Path(await asyncio.to_thread(tempfile.mkdtemp)) / "pictures.aec"
    await asyncio.to_thread(path.write_bytes, data)
    return str(path)


async def unpacked(
    compressor: Compressor, path: str | None, name: str = "The file", model: str = ""
) -> tuple[list[np.ndarray], int]:
    """The pictures (c, h, w) uint8 of an uploaded file and its size in bytes; Trouble, calling it `name`, for others.

    model: the one to decode with; "": the one that the file names.
    """
    if not path:
        raise Trouble("A file is missing.")
    if (size := Path(path).stat().st_size) > (most := caps().file):
        raise Trouble(f"This file has {size / MEGA:,.0f} MB, and at most {most // MEGA} MB are read here.")
    data = await asyncio.to_thread(Path(path).read_bytes)
    return await compressor.decompress(data, name, model), size
