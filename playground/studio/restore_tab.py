"""The Restore tab: fill what is painted, take noise out, enlarge, paint, compress: the result beside the picture."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr
import numpy as np

from playground.corruption import CORRUPTIONS
from playground.events import Trouble
from playground.gate import gate
from playground.masks import KINDS, draw
from playground.owners import MACHINE, Viewer
from playground.probes.sizes import enlarged
from playground.restorer import Restored
from playground.studio import examples, pictures
from playground.studio.compressing import Compressing
from playground.studio.endpoints import Actions
from playground.studio.saying import learnt_on, offered, viewer

WAYS = {
    "Fill the painted part": "inpaint", "Take noise out": "denoise", "Make it larger": "upscale",
    "Paint it": "restyle", "Reconstruct": "reconstruct", "Compress it": Compressing.name,
}  # fmt: skip
TITLES = {
    "inpaint": "Picture: paint over what shall be filled", "denoise": "Picture to take the noise out of",
    "upscale": "Picture to make larger", "restyle": "Photograph to paint as a painter would",
    "reconstruct": "Picture to encode and decode", Compressing.name: "Picture to compress",
}  # fmt: skip
CLASSICAL = [("Telea's classical fill", "telea"), ("Biharmonic classical fill", "biharmonic")]
PEN = "#e0218a"  # seen on handwriting and on photographs
CANVAS = (448, 448)


class Restore:
    """The tab's controls and what they do."""

    def __init__(self, actions: Actions):
        self.actions, self.restorer, self.compressing = actions, actions.restorer, Compressing(actions)

    def build(self, demo: gr.Blocks) -> None:
        self._examples = examples.examples(self.restorer)
        with gr.Row():
            with gr.Column(scale=5, min_width=320):
                with gr.Row():
                    way = gr.Radio(list(WAYS.items()), value="inpaint", label="What to do", min_width=300, scale=2)
                    model = gr.Dropdown(
                        **self._offered("inpaint", gate.viewer({})),
                        label="Model",
                        allow_custom_value=True,
                        scale=1,
                        min_width=200,
                        elem_id="restore-model",
                        info="Yours are listed as they learn.",
                    )
                editor = pictures.bounded(gr.ImageEditor(
                    examples.editor_value(self._examples[0].image, self._examples[0].hidden),
                    label=TITLES["inpaint"], type="numpy", image_mode="RGBA", format="png",
                    brush=gr.Brush(default_size=36, colors=[PEN], color_mode="fixed"),
                    eraser=gr.Eraser(default_size=36),
                    layers=False, transforms=(), canvas_size=CANVAS, elem_id="restore-editor",
                    sources=("upload", "webcam", "clipboard"), buttons=[],
                ))  # fmt: skip
                with gr.Row(visible=False) as noise_row:
                    kind = gr.Dropdown(list(CORRUPTIONS), value="gaussian", label="Noise to add first")
                    level = gr.Slider(0, 1, 0.3, step=0.05, label="How strong", info="0: the picture is noisy already.")
                bits_row, bits = self.compressing.settings()
                with gr.Row() as mask_row:
                    mask = gr.Radio(list(KINDS), label="Or hide a part by a click", value=None, elem_id="restore-masks")
            with gr.Column(scale=4, min_width=320):
                compared = gr.ImageSlider(
                    label="Before and after: drag the line",
                    type="numpy",
                    format="png",
                    interactive=False,
                    elem_id="restore-result",
                    buttons=["download"],
                )
                said = gr.Markdown(
                    "Click an example, or bring a picture and paint over a part of it.", elem_id="restore-facts"
                )
                file = self.compressing.file()
        back = self.compressing.back()
        inputs, outputs = [way, model, editor, kind, level, bits], [compared, said, file]
        quiet: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}
        shown = {"show_progress": "minimal", **quiet}
        gr.on([editor.change], self.run, inputs, outputs, trigger_mode="always_last", **shown)
        settled = [model.input, kind.input, level.release, bits.input]
        gr.on(settled, self.run, inputs, outputs, trigger_mode="always_last", **shown)
        demo.load(self.first, None, model, show_progress="hidden", **quiet).then(self.run, inputs, outputs, **shown)
        parts = [model, editor, file, noise_row, mask_row, bits_row, back]
        way.change(self.switch, [way, model], parts, show_progress="hidden", **quiet).then(
            self.run, inputs, outputs, **shown
        )
        mask.input(self.hide, [mask, editor], [editor], show_progress="hidden", **quiet)
        model.focus(self.refresh, way, model, show_progress="hidden", **quiet)
        titles = {name: title for title, name in WAYS.items()}
        pictured = [
            (examples.editor_value(one.image, one.hidden)["composite"], f"{titles[one.way]}: {one.title}")
            for one in self._examples
        ]
        gallery = gr.Gallery(
            pictured,
            label="Examples: click one",
            columns=max(3, len(pictured)),
            height=204,
            format="png",
            allow_preview=False,
            interactive=False,
            object_fit="contain",
            elem_id="restore-examples",
            buttons=[],
        )
        gallery.select(self.example, None, [way, model, editor], show_progress="hidden", **quiet).then(
            self.run, inputs, outputs, show_progress="minimal", **quiet
        )

    def choices(self, way: str, who: Viewer = MACHINE) -> list[tuple[str, str]]:
        """(title, name) of what one can choose for a way; painted holes are filled by projection or classically too."""
        return self._offered(way, who)["choices"]

    def _offered(self, way: str, who: Viewer, data: str = "") -> dict[str, Any]:
        found = (one for its in examples.ways(way) for one in self.restorer.choices(its, who))
        return offered(found, CLASSICAL if way == "inpaint" else (), data)

    def refresh(self, way: str, request: gr.Request) -> Any:
        return gr.Dropdown(choices=self.choices(way, viewer(request)))

    def first(self, request: gr.Request) -> Any:
        """The models there are when the page is opened, beginning with the one that suits the picture shown."""
        return self._suited(self._examples[0], viewer(request))

    def _suited(self, one: examples.Example, who: Viewer) -> Any:
        value = examples.suited(self.restorer, one.way, one.data, who)
        return gr.Dropdown(choices=self.choices(one.way, who), value=value)

    def switch(self, way: str, model: str | None, request: gr.Request) -> tuple:
        """The models for another way, beginning with one that learnt on the same images as the one before; and what is
        to be seen for it: the picture's title, no file yet, the rows of noise, masks and bits, and the way back.
        """
        who = viewer(request)
        chosen = gr.Dropdown(**self._offered(way, who, learnt_on(self.restorer, model, who)))
        rows = (gr.Row(visible=way == its) for its in ("denoise", "inpaint", Compressing.name, Compressing.name))
        return chosen, gr.ImageEditor(label=TITLES[way]), gr.DownloadButton(value=None, visible=False), *rows

    async def hide(self, kind: str, value: dict | None) -> dict:
        """The editor with a mask of some kind painted, another one at each click."""
        try:
            image, _, side = pictures.edited(value)
        except Trouble as trouble:
            raise gr.Error(str(trouble), print_exception=False) from None
        hidden = draw(kind, image.shape[1], image.shape[2], int(np.random.default_rng().integers(2**31)))
        return examples.editor_value(image.repeat(side, 1).repeat(side, 2), hidden.repeat(side, 0).repeat(side, 1))

    def example(self, chosen: gr.SelectData, request: gr.Request) -> tuple:
        one = self._examples[chosen.index]
        return (
            one.way,
            self._suited(one, viewer(request)),
            examples.editor_value(one.image, one.hidden),
        )

    async def run(
        self, way: str, model: str | None, value: dict | None, kind: str, level: float, bits: int, request: gr.Request
    ) -> tuple:
        """(before, after), what is to be said of it, and its file; nothing changes where there is no picture yet."""
        if not value or value.get("background") is None:
            return gr.skip(), gr.skip(), gr.skip()
        file: Any = gr.skip()
        async with self.actions.turn(request):
            if not model:
                raise Trouble("There is no model for this yet: train one under Train.")
            image, hidden, side = await asyncio.to_thread(pictures.edited, value)
            if way == Compressing.name:
                before, (result, said, path) = image, await self.compressing.made(model, image, bits)
                file = gr.DownloadButton(value=path, visible=True)
            else:
                before, result = await self._restored(way, model, image, hidden, kind, level)
                said = words(way, result, hidden)
        big = [pictures.to_pixels(one.repeat(side, 1).repeat(side, 2)) for one in (before, result.image)]
        return tuple(big), said, file

    async def _restored(
        self, way: str, model: str, image: np.ndarray, hidden: np.ndarray, kind: str, level: float
    ) -> tuple[np.ndarray, Restored]:
        if way == "inpaint":
            grey = np.where(hidden, np.uint8(128), image)
            return grey, await self.restorer.inpaint(model, image, hidden)
        if way == "upscale":
            larger = await self.restorer.upscale(model, image)
            scale = larger.image.shape[1] // image.shape[1]
            return await asyncio.to_thread(lambda: enlarged(image[None], scale)[0]), larger
        if way == "restyle":
            return image, await self.restorer.restyle(model, image)
        if way == "reconstruct":
            return image, await self.restorer.reconstruct(model, image, image)
        noisy = await asyncio.to_thread(spoilt, image, kind, level) if level else image
        return noisy, await self.restorer.denoise(model, noisy, image if level else None)


def spoilt(image: np.ndarray, kind: str, level: float) -> np.ndarray:
    """The picture (c, h, w) uint8 with noise, the same at every call."""
    import torch

    x = torch.from_numpy(image.astype(np.float32) / 255)[None]
    noisy = CORRUPTIONS[kind](x, level, torch.Generator().manual_seed(0)).clamp(0, 1)[0]
    return (noisy * 255).round().byte().numpy()


def words(way: str, result: Restored, hidden: np.ndarray) -> str:
    """One line on the result."""
    said = [f"{hidden.mean():.0%} of the picture was hidden" if way == "inpaint" else ""]
    if result.psnr is not None and np.isfinite(result.psnr):
        said.append(f"PSNR {result.psnr:.1f} dB")
    if result.ssim is not None:
        said.append(f"SSIM {result.ssim:.2f}")
    said.append(f"{result.seconds * 1000:.0f} ms")
    return " · ".join(filter(None, said)) + (f"\n\n{result.note}" if result.note else "")
