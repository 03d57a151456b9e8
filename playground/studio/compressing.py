"""One way of the Restore tab: a picture into an .aec file, beside JPEG and WebP, and such a file back to pictures."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from playground.caps import MEGA
from playground.compressor import Compressed, Compressor
from playground.probes import rates
from playground.probes.rates import Point, called
from playground.restorer import Restored
from playground.studio import pictures
from playground.studio.applications.compress import packed, unpacked
from playground.studio.endpoints import Actions

BITS = (4, 8)
CLASSICAL = 2 * MEGA  # pixels up to which JPEG and WebP are measured beside: it takes twenty files of each


class Compressing:
    """The way's own controls and what they do; the picture, the model and the result are the tab's."""

    name = "compress"

    def __init__(self, actions: Actions):
        self.actions, self.compressor = actions, Compressor(actions.workbench)

    def settings(self) -> tuple[gr.Row, gr.Radio]:
        """How many bits, under the picture."""
        with gr.Row(visible=False) as row:
            bits = gr.Radio([(called(bits), bits) for bits in BITS], value=BITS[0], label="Each number of the code",
                            info="Fewer bits: a smaller file, a coarser picture.", elem_id="restore-bits")
        return row, bits

    def file(self) -> gr.DownloadButton:
        """The file to take along, under the result."""
        return gr.DownloadButton("Save the .aec file", visible=False, elem_id="restore-packed")

    def back(self) -> gr.Row:
        """The way back, from a file to its pictures."""
        with gr.Row(visible=False) as row:
            with gr.Column(scale=5, min_width=320):
                brought = pictures.one_file("A file of compressed codes, .aec, to decode", "pictures.aec", height=160,
                                            elem_id="restore-unpack")
            with gr.Column(scale=4, min_width=320):
                shown = gr.Gallery(label="Pictures of the file", format="png", height=160, interactive=False,
                                   object_fit="contain", visible=False, elem_id="restore-unpacked",
                                   buttons=["download", "fullscreen"])
                said = gr.Markdown("", elem_id="restore-unpacked-facts")
        quiet: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}
        brought.upload(self.unpack, brought, [shown, said], show_progress="minimal", **quiet).failure(
            lambda: (None, gr.Gallery(visible=False), ""), None, [brought, shown, said], show_progress="hidden", **quiet
        )
        return row

    async def made(self, model: str, image: np.ndarray, bits: int) -> tuple[Restored, str, str]:
        """What comes back of a picture (c, h, w) uint8, what is to be said of its file, and where that lies."""
        done = await self.compressor.compress(model, [image], int(bits))
        beside = await asyncio.to_thread(_beside, image, len(done.data))
        result = Restored(done.images[0], done.psnr, None, done.seconds, done.note)
        return result, _words(image, done, beside), await packed(done.data)

    async def unpack(self, path: str | None, request: gr.Request) -> tuple:
        """The pictures of a file, and how many they are."""
        async with self.actions.turn(request):
            images, size = await unpacked(self.compressor, path, Path(path or "").name)
        most = self.actions.turns.limits.pictures
        said = f"{len(images):,} picture{'s' * (len(images) > 1)} of {size:,} bytes"
        said += f", of which the first {most} are shown." if len(images) > most else "."
        shown = [pictures.to_pixels(image) for image in images[:most]]
        return gr.Gallery(shown, format="png", visible=True), said  # PNG: as they are


def _beside(image: np.ndarray, size: int) -> dict[str, Point]:
    """What the classical ways make of a picture at what comes nearest to so many bytes; nothing of large ones."""
    if image[0].size > CLASSICAL:
        return {}
    found = ((way, rates.nearest([image], way, size)[0]) for way in rates.ways([image]))
    return {f"{way.removesuffix(', a file each')}, {point.setting}": point for way, point in found}


def _words(image: np.ndarray, done: Compressed, beside: dict[str, Point]) -> str:
    """The file's bytes, bits a pixel and PSNR, in a table with the classical ways."""
    rows = {f"Model, {called(done.bits)}": Point(len(done.data), done.psnr, ""), **beside}
    lines = ["| | bytes of the file | bits a pixel | PSNR, dB |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {way} | {one.bytes:,.0f} | {8 * one.bytes / image[0].size:.2f} | {_worth(one.psnr)} |"
              for way, one in rows.items()]
    times = image.size / len(done.data)
    than = f"{times:,.1f} times fewer" if times > 1 else f"{1 / times:,.1f} times more"
    said = f"{len(done.data):,} bytes, {than} than its pixels have · {1000 * done.seconds:.0f} ms"
    return "\n\n".join(filter(None, (said, "\n".join(lines), done.note)))


def _worth(psnr: float) -> str:
    return f"{psnr:.1f}" if np.isfinite(psnr) else "exact"
