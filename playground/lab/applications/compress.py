"""The Compress page: pictures as rounded and entropy-coded codes, beside JPEG and WebP files of the same size."""

from __future__ import annotations

import asyncio
import io
import zipfile
from typing import Any

import numpy as np
import streamlit as st

from playground.coder import Choice
from playground.compressor import Compressed, Compressor
from playground.events import Trouble
from playground.images import read_image, tile, to_png
from playground.lab.applications import Application, applications, middle
from playground.lab.own_images import PICTURES, complain
from playground.lab.pieces import pieces
from playground.paint_routes import url_of
from playground.probes import rates
from playground.probes.rates import Point, called
from playground.recipes import RECIPES

HELD_OUT, OWN = "Held-out images of its data", "Your own pictures"
COUNTS = (1, 16, 64, 256)
BITS = (2, 3, 4, 5, 6, 8, 16, 32)
CURVE = BITS
WORTH_KNOWING = (32, 16, 8, 4)  # bits that the table compares
SMALL, SHOWN, COLUMNS = 64, 24, 6  # pixels a side of what is shown as a sheet, how many there, in how many columns
TICKS = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]
MOST = 64  # pictures of one's own
LITTLE = 15.0  # dB: below it hardly anything of a picture can be recognised
SHEETS = ("JPEG, one sheet of all", "WebP, one sheet of all")
EACH = ("JPEG, its tables not counted", "WebP, a file each")


@applications.register("compress")
class Compressing(Application):
    rank = 6
    title = "Compress"
    motto = "Pictures as the numbers of their codes, rounded to a few bits, in a real file."
    notice = (
        "Rounding a code to 8 bits costs nothing to be seen. At 4 bits the picture pays, least for each byte saved "
        "where the model was trained for it: with noise as wide as a step of rounding, and a price on each bit. The "
        "model knows what its pictures look like, so it needs fewer bytes than JPEG for those, and fails on all "
        "others. JPEG's header weighs on tiny pictures: so it is shown without its tables too, and as one sheet of all "
        "pictures. Entropy coding pays where many pictures share a file."
    )
    train = "task=compress&task.price=0.01&architecture.code=24&training.schedule=cosine&training.epochs=400"

    def __init__(self, visit: Any):
        super().__init__(visit)
        self.compressor = Compressor(visit.bench)

    def draw(self) -> None:
        super().draw()
        with st.container(key="decode"):
            self._decode()

    # What is asked ---------------------------------------------------------------------------------------------------

    def picture(self, choice: Choice) -> Any:
        """Pictures (c, h, w) uint8: held-out images of the model's data, or those that the visitor brings."""
        source = st.selectbox("Pictures", [HELD_OUT, OWN], key="compress.source")
        if source == OWN:
            return self._own_pictures()
        count = st.select_slider("How many", COUNTS, 64, key="compress.count",
                                 help="More in one file: the header is shared, and entropy coding has more to go by.")
        images = self.images(choice)
        return [images.images[i] for i in images.held_out[:count]]

    def _own_pictures(self) -> list[np.ndarray] | None:
        files = st.file_uploader("Your own pictures", PICTURES, accept_multiple_files=True, key="compress.file",
                                 label_visibility="collapsed")
        st.caption(f"At most {MOST} pictures; of large ones the middle is taken.")
        images = []
        for file in files[:MOST]:
            try:
                images.append(middle(read_image(file.getvalue(), file.name)))
            except Trouble as trouble:
                complain(str(trouble))
        return images or None

    def settings(self) -> dict[str, Any]:
        chosen = st.session_state.get("compress.model")
        usual = self.compressor.bits(chosen) if chosen else 8
        bits = st.select_slider("Each number of a code", BITS, usual, called, key=f"compress.bits.{chosen}",
                                help="To how many bits it is rounded. Fewer: a smaller file, a coarser code.")
        return {"bits": bits}

    # What comes of it ------------------------------------------------------------------------------------------------

    def show(self, choice: Choice, picture: Any, settings: dict[str, Any]) -> None:
        images: list[np.ndarray] = picture
        with st.spinner("At work …", show_time=False):
            done, curve = asyncio.run(self._answer(choice.name, images, settings["bits"]))
            classical = _classical(images)
        shown = [("Model", Point(done.bytes_each, done.psnr, called(done.bits)), done.images)]
        shown += [(way, *_nearest(images, way, done.bytes_each)) for way in _beside(classical)]
        pieces()["compare"](key="compare-compress", data={"pictures": (
            _told("Original", images), *(_told(name, pictures, point) for name, point, pictures in shown),
        )})  # fmt: skip
        raw = sum(image.size for image in images) / len(images)
        st.markdown(
            f"**{done.bytes_each:,.1f} bytes a picture**, {raw / done.bytes_each:,.1f} times fewer than its pixels: "
            f"{len(done.data):,} bytes in one file. PSNR {done.psnr:.2f} dB. {self._strange(choice, done, classical)} "
            f"{done.note} {partly(images)}"
        )
        st.download_button("Save the file", done.data, "pictures.aec", "application/octet-stream", key="compress.save")
        st.plotly_chart(figure({"Model, one file of all": curve, **classical}, done), width="stretch",
                        key="compress.chart", config={"displayModeBar": False})
        st.markdown("Bytes a picture that the codes take, and that JPEG and WebP take at the same PSNR (in brackets: "
                    "at their lowest quality, where that is better):")
        st.markdown(table(curve, classical))

    async def _answer(self, name: str, images: list[np.ndarray], bits: int) -> tuple[Compressed, list[Point]]:
        return await self.compressor.compress(name, images, bits), await self.compressor.rates(name, images, CURVE)

    def _strange(self, choice: Choice, done: Compressed, classical: dict[str, list[Point]]) -> str:
        """Why one's own pictures come back badly, in a sentence; "" where they do not."""
        if st.session_state.get("compress.source") != OWN:
            return ""
        known = RECIPES[choice.name].limits if choice.name in RECIPES else ""
        title = self.visit.bench.experiment(choice.name).data.title
        return strange(done, classical[_beside(classical)[0]], known or f"It knows no pictures but those of {title!r}.")

    def _decode(self) -> None:
        """The way back: a file that the visitor brings, as pictures."""
        st.markdown("##### Decode a file")
        file = st.file_uploader("A file of compressed codes, .aec", key="compress.packed",
                                help="The model that it names must be here.")
        if file is None:
            return
        try:
            images = asyncio.run(self.compressor.decompress(file.getvalue(), file.name))
        except Trouble as trouble:
            complain(str(trouble))
            return
        pieces()["compare"](key="compare-decoded", data={"pictures": (_told("Decoded", images),)})
        many = f"{len(images):,} picture{'s' * (len(images) > 1)} of {len(file.getvalue()):,} bytes."
        st.caption(f"{many} {partly(images)}")
        one = len(images) == 1
        st.download_button("Save the pictures", to_png(images[0]) if one else zipped(images),
                           "decoded.png" if one else "decoded.zip", key="compress.decoded")


@st.cache_data(max_entries=16, show_spinner=False)
def _classical(images: list[np.ndarray]) -> dict[str, list[Point]]:
    return {way: rates.points(images, way) for way in rates.ways(images)}


@st.cache_data(max_entries=16, show_spinner=False)
def _nearest(images: list[np.ndarray], way: str, size: float) -> tuple[Point, list[np.ndarray]]:
    return rates.nearest(images, way, size)


def _told(name: str, images: list[np.ndarray], point: Point | None = None) -> dict[str, Any]:
    """What the component is told of pictures: small ones as a sheet, else the first of them."""
    numbers: tuple = ()
    if point is not None:
        numbers = (("", f"{point.setting}, {point.bytes:,.1f} bytes", False), ("PSNR", f"{point.psnr:.2f} dB", False))
    return {"name": name, "url": url_of(sheet(images)), "numbers": numbers}


def _beside(classical: dict[str, list[Point]]) -> tuple[str, ...]:
    """The classical ways whose pictures are shown."""
    return SHEETS if SHEETS[0] in classical else EACH


def strange(done: Compressed, rival: list[Point], limits: str) -> str:
    """That pictures are worse than JPEG's at as many bytes, or hardly to be recognised, and why; "" where they are not.

    rival: JPEG's points. limits: a sentence on what the model knows.
    """
    better = rates.worth_at(rival, done.bytes_each)
    if better is not None and done.psnr < better:
        found = f"That is less than JPEG gives at as many bytes, {better:.2f} dB"
    elif done.psnr < LITTLE:
        found = f"That is little, below {LITTLE:g} dB"
    else:
        return ""
    known = f"the model {limits[3:]}" if limits.startswith("It ") else f"{limits[:1].lower()}{limits[1:]}"
    return f"{found}: {known}"


def sheet(images: list[np.ndarray]) -> np.ndarray:
    """Small pictures of one size side by side, at most SHOWN; of others the first."""
    return images[0] if _seen(images) == 1 else tile(np.stack(images[:SHOWN]), COLUMNS)


def partly(images: list[np.ndarray]) -> str:
    """How many of the pictures are shown, in a sentence; "" where all are."""
    seen, many = _seen(images), len(images)
    if seen == many:
        return ""
    return f"Shown is the first of {many:,}." if seen == 1 else f"Shown are the first {seen:,} of {many:,}."


def _seen(images: list[np.ndarray]) -> int:
    """How many of the pictures a sheet shows."""
    alone = max(images[0].shape[1:]) > SMALL or len({image.shape for image in images}) > 1
    return 1 if alone else min(len(images), SHOWN)


def table(curve: list[Point], classical: dict[str, list[Point]]) -> str:
    """What the codes take at some numbers of bits, beside JPEG and WebP at the same PSNR, in Markdown."""
    found = {point.setting: point for point in curve}
    chosen = [found[called(bits)] for bits in WORTH_KNOWING]
    rows = [("PSNR, dB", *(f"{point.psnr:.2f}" for point in chosen)),
            ("Codes", *(f"{point.bytes:,.1f}" for point in chosen))]
    for way, points in classical.items():
        rows.append((way, *(_at(points, point.psnr) for point in chosen)))
    head = ("", *(point.setting for point in chosen))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) + ("---:",) * len(chosen), *rows))


def _at(points: list[Point], worth: float) -> str:
    """The bytes of a curve at a PSNR, in brackets those of its lowest quality where that is better; else nothing."""
    if (size := rates.bytes_at(points, worth)) is not None:
        return f"{size:,.0f}"
    lowest = min(points, key=lambda one: one.psnr)
    return f"({lowest.bytes:,.0f} at {lowest.psnr:.1f} dB)" if lowest.psnr > worth else ""


def figure(curves: dict[str, list[Point]], done: Compressed) -> Any:
    """Rate and distortion: bytes a picture (log scale) against PSNR; the colours are the page's, light and dark."""
    import plotly.graph_objects as go

    styles = {"Model": ("solid", "circle"), "JPEG": ("dash", "square"), "WebP": ("dot", "diamond")}
    plot = go.Figure()
    for name, points in curves.items():
        dash, symbol = styles[name.partition(",")[0]]
        plot.add_scatter(
            x=[point.bytes for point in points], y=[point.psnr for point in points], name=name, mode="lines+markers",
            line={"dash": dash, "width": 3 if name.startswith("Model") else 1.5},
            marker={"symbol": symbol if "sheet" not in name else f"{symbol}-open", "size": 7},
            text=[point.setting for point in points],
            hovertemplate="%{text}: %{x:,.1f} bytes, %{y:.2f} dB<extra>%{fullData.name}</extra>",
        )
    plot.add_scatter(x=[done.bytes_each], y=[done.psnr], mode="markers", showlegend=False, hoverinfo="skip",
                     marker={"symbol": "circle-open", "size": 16, "line": {"width": 2}})
    plot.update_xaxes(type="log", title="Bytes a picture", tickvals=TICKS, ticktext=[f"{tick:,}" for tick in TICKS])
    plot.update_yaxes(title="PSNR, dB")
    plot.update_layout(height=420, margin={"l": 56, "r": 8, "t": 8, "b": 48},
                       legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0})
    return plot


def zipped(images: list[np.ndarray]) -> bytes:
    """Pictures as PNG files in a zip, numbered from 1."""
    file, digits = io.BytesIO(), len(str(len(images)))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for i, image in enumerate(images, 1):
            archive.writestr(f"{i:0{digits}}.png", to_png(image))
    return file.getvalue()
