"""The Studio's endpoints: every action with a name, typed inputs and examples, over HTTP and as an MCP tool."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import gradio as gr
import numpy as np

from playground.events import Trouble
from playground.explorer import Explorer
from playground.images import tile
from playground.restorer import Restored, Restorer
from playground.studio import pictures
from playground.studio.applications import expose_all
from playground.studio.saying import facts, models, viewer, visitor
from playground.studio.training import Trainings, experiment, report
from playground.studio.turns import Turns
from playground.workbench import Workbench

NOBODY: Any = None  # in the place of the request, which Gradio fills in


class Actions:
    """What the endpoints do; one for all visitors. Each takes a turn, and says what went wrong in one sentence."""

    def __init__(self, workbench: Workbench, trainings: Trainings):
        self.workbench, self.trainings = workbench, trainings
        self.restorer, self.explorer = Restorer(workbench), Explorer(workbench)
        self.turns = Turns(trainings.limits)

    @asynccontextmanager
    async def turn(self, request: gr.Request | None) -> AsyncIterator[None]:
        """A turn for the visitor who asks; Trouble inside becomes the sentence that the visitor reads."""
        try:
            async with self.turns.turn(visitor(request)):
                yield
        except Trouble as trouble:
            raise gr.Error(str(trouble), print_exception=False) from None
        except KeyError as error:  # a registry's sentence about a name that there is not
            raise gr.Error(str(error.args[0] if error.args else error), print_exception=False) from None

    async def inpaint(
        self, model: str, image: str, mask: str, truth: str | None = None, request: gr.Request = NOBODY
    ) -> tuple[np.ndarray, dict]:
        """Fill the hidden part of a picture; the known pixels stay exactly as they are.

        Args:
            model: a name that `models` lists, or "telea" or "biharmonic" for the classical fills
            image: the picture, of any size up to 12 megapixels
            mask: a picture that is bright where the picture is hidden
            truth: the whole picture, where it is known, to measure PSNR and SSIM inside the hole
        """
        async with self.turn(request):
            given = await asyncio.to_thread(pictures.read, image)
            hidden = await asyncio.to_thread(pictures.read_mask, mask)
            return self._told(await self.restorer.inpaint(model, given, hidden, await self._truth(truth, given)))

    async def denoise(
        self, model: str, image: str, truth: str | None = None, sigma: float | None = None,
        request: gr.Request = NOBODY,
    ) -> tuple[np.ndarray, dict]:
        """Take the noise out of a picture.

        Args:
            model: a name that `models` lists with the way "denoise"
            image: the noisy picture
            truth: the clean picture, where it is known, to measure PSNR and SSIM
            sigma: the noise's standard deviation in grey levels of 255, for models told it; empty: it is estimated
        """
        async with self.turn(request):
            given = await asyncio.to_thread(pictures.read, image)
            truths = await self._truth(truth, given)
            return self._told(await self.restorer.denoise(model, given, truths, sigma=sigma))

    async def upscale(
        self, model: str, image: str, truth: str | None = None, finest: bool = False, request: gr.Request = NOBODY
    ) -> tuple[np.ndarray, dict]:
        """Make a picture two or four times as large, with the detail that a small one lacks.

        Args:
            model: a name that `models` lists with the way "upscale"
            image: the picture; the result has 12 megapixels at most
            truth: the large picture, where it is known, to measure PSNR and SSIM
            finest: the mean over the picture's eight ways to be turned and mirrored, for up to eight times the work
        """
        async with self.turn(request):
            given = await asyncio.to_thread(pictures.read, image)
            truths = await self._truth(truth, given)
            return self._told(await self.restorer.upscale(model, given, truths, finest=finest))

    async def reconstruct(self, model: str, image: str, request: gr.Request = NOBODY) -> tuple[np.ndarray, dict]:
        """Show what an autoencoder makes of a picture: encoded, then decoded.

        Args:
            model: a name that `models` lists
            image: the picture; PSNR and SSIM are measured against it
        """
        async with self.turn(request):
            given = await asyncio.to_thread(pictures.read, image)
            return self._told(await self.restorer.reconstruct(model, given, given))

    async def encode(self, model: str, images: list[str], request: gr.Request = NOBODY) -> dict:
        """Give the codes of pictures, each fitted to the model's own size first.

        Args:
            model: a name that `models` lists
            images: the pictures, at most 64
        """
        async with self.turn(request):
            most = self.turns.limits.pictures
            if len(images or ()) > most:
                raise Trouble(f"At most {most} pictures are encoded at once here.")
            given = [await asyncio.to_thread(pictures.read, path) for path in images or ()]
            codes = await self.restorer.encode(model, given)
            return {"codes": codes.tolist()}

    async def decode(
        self, model: str, codes: list[list[float]], request: gr.Request = NOBODY
    ) -> tuple[np.ndarray, list]:
        """Give the pictures of codes, side by side and one by one.

        Args:
            model: a name that `models` lists
            codes: a list of codes, each a list of as many numbers as the model's code has; at most 64
        """
        async with self.turn(request):
            return self._row(await self.restorer.decode(model, self._codes(codes)))

    async def interpolate(
        self, model: str, first: str, last: str, steps: int = 9, way: str = "straight", request: gr.Request = NOBODY
    ) -> tuple[np.ndarray, list]:
        """Walk from one picture to another through the space of codes; the pictures on the way, side by side.

        Args:
            model: a name that `models` lists
            first: the picture that the walk begins with
            last: the picture that it ends with
            steps: how many pictures, 2 to 64
            way: "straight", or "spherical" for the arc seen from the origin
        """
        async with self.turn(request):
            if not 2 <= (steps := int(steps)) <= self.turns.limits.pictures:
                raise Trouble(f"steps is a whole number from 2 to {self.turns.limits.pictures}.")
            ends = [await asyncio.to_thread(pictures.read, path) for path in (first, last)]
            return self._row(await self.restorer.interpolate(model, ends[0], ends[1], steps, way))

    async def models(self, way: str = "", request: gr.Request = NOBODY) -> list[dict]:
        """List what you can use: shipped models and your own runs, of here or of the Lab, and what each is good for.

        "code" is the size of a model's code, 0 where it has none, so that there is nothing to encode or decode.

        Args:
            way: a use of models, such as "inpaint", "denoise", "upscale", "compress" or "retrieve"; empty: all
        """
        async with self.turn(request):
            return models(self.restorer, way, viewer(request))

    async def train(
        self,
        variant: str = "undercomplete",
        data: str = "digits",
        code: int | None = None,
        rho: float | None = None,
        noise: float | None = None,
        epochs: int = 20,
        more: str = "",
        task: str = "reconstruct",
        architecture: str = "dense",
        request: gr.Request = NOBODY,
    ) -> AsyncIterator[dict]:
        """Train a network; its progress comes as a stream of reports, of which the last has the held-out figures.

        Args:
            variant: undercomplete, contractive, sparse or denoising; it has a say where the task is to reconstruct
            data: the data set's name, such as digits, shapes, photos or mnist
            code: how many numbers an image is squeezed into, or the maps in the middle of a U-Net; empty for the usual
            rho: the average activation wanted, for the sparse variant
            noise: how strong the noise is, 0 to 1, for the denoising variant
            epochs: passes over the data
            more: any other setting in a link's words, such as "architecture.width=128&training.rate=0.003"
            task: "reconstruct", "inpaint" for a network that fills what is hidden, "upscale", "denoise", "restyle" or
                "compress"
            architecture: "dense" or "convolutional"; "unet" to inpaint; "residual" to upscale, denoise and restyle
        """
        settings = {"variant": variant, "data": data, "architecture.code": code, "variant.rho": rho,
                    "variant.level": noise, "training.epochs": epochs, "task": task, "architecture": architecture}
        async with self.turn(request):
            job = await self.trainings.start(visitor(request), experiment(settings, more), viewer(request).owner)
        async for told in self.trainings.follow(job):
            yield told

    async def resume(self, job: str, request: gr.Request = NOBODY) -> AsyncIterator[dict]:
        """Let a run go on that was stopped, or saved by an earlier server; reports come as from `train`.

        Args:
            job: the run's name, as `train` or `models` tells it
        """
        async with self.turn(request):
            await self.trainings.resume(visitor(request), job)
        async for told in self.trainings.follow(job):
            yield told

    async def stop(self, job: str, request: gr.Request = NOBODY) -> dict:
        """End a run that is learning, and keep what it has learnt.

        Args:
            job: the run's name, as `train` reports it
        """
        async with self.turn(request):
            await self.trainings.stop(job)
            snapshot = self.workbench.snapshot(job)
            return report(snapshot) if snapshot else {}

    async def _truth(self, path: str | None, given: np.ndarray) -> np.ndarray | None:
        if not path:
            return None
        truth = await asyncio.to_thread(pictures.read, path, "true picture")
        return truth.repeat(3, 0) if len(truth) < len(given) else truth

    @staticmethod
    def _told(result: Restored) -> tuple[np.ndarray, dict]:
        return pictures.to_pixels(result.image), facts(result)

    def _codes(self, codes: Any) -> np.ndarray:
        try:
            array = np.asarray(codes, np.float32)
        except (TypeError, ValueError):
            raise Trouble("Codes are a list of lists of numbers, all of one length.") from None
        if array.ndim != 2 or not 1 <= len(array) <= self.turns.limits.pictures:
            raise Trouble(f"Codes are a list of 1 to {self.turns.limits.pictures} lists of numbers.")
        return array

    @staticmethod
    def _row(images: np.ndarray) -> tuple[np.ndarray, list]:
        return pictures.to_pixels(tile(images, len(images), gap=0)), [pictures.to_pixels(image) for image in images]


def expose(actions: Actions) -> None:
    """Declare the endpoints inside the Blocks that are being made; none of their components is shown."""
    with gr.Group(visible=False):
        said = pictures.with_example
        model = said(gr.Textbox(label="model"), "telea")
        image, mask = pictures.image_file("image", "picture.png"), pictures.image_file("mask", "mask.png")
        other = pictures.image_file("other", "other.png")
        sigma = said(gr.Number(None, label="sigma"), 25)
        finest = said(gr.Checkbox(False, label="finest"), False)
        out, told = gr.Image(label="restored", format="png"), gr.JSON(label="facts")
        row, several = gr.Image(label="side by side", format="png"), gr.Gallery(label="one by one", format="png")
        codes = said(gr.JSON(label="codes"), [[0.0, 1.0, -0.5]])
        steps, way = (
            said(gr.Number(9, label="steps", precision=0), 9),
            said(gr.Textbox("straight", label="way"), "straight"),
        )
        good_for = said(gr.Textbox("", label="way"), "inpaint")
        settings = [
            said(gr.Textbox("undercomplete", label="variant"), "sparse"),
            said(gr.Textbox("digits", label="data"), "digits"),
            said(gr.Number(None, label="code", precision=0), 16), said(gr.Number(None, label="rho"), 0.05),
            said(gr.Number(None, label="noise"), 0.3), said(gr.Number(20, label="epochs", precision=0), 20),
            said(gr.Textbox("", label="more"), "architecture.width=128"),
            said(gr.Textbox("reconstruct", label="task"), "inpaint"),
            said(gr.Textbox("dense", label="architecture"), "unet"),
        ]  # fmt: skip
        job = said(gr.Textbox(label="job"), "the job that train reports")
        several_in = pictures.files("images", ["first.png", "second.png"])
        endpoint(actions.inpaint, [model, image, mask, other], [out, told])
        endpoint(actions.denoise, [model, image, other, sigma], [out, told])
        endpoint(actions.upscale, [model, image, other, finest], [out, told])
        endpoint(actions.reconstruct, [model, image], [out, told])
        endpoint(actions.encode, [model, several_in], told)
        endpoint(actions.decode, [model, codes], [row, several])
        endpoint(actions.interpolate, [model, image, other, steps, way], [row, several])
        endpoint(actions.models, [good_for], told)
        endpoint(actions.train, settings, told)
        endpoint(actions.resume, [job], told)
        endpoint(actions.stop, [job], told)
    expose_all(actions)


def endpoint(do: Callable, inputs: Any, outputs: Any) -> None:
    """What streams needs Gradio's queue; all else has its own, `Turns`, and so MCP tools answer with real images."""
    gr.Button(visible=False).click(
        do,
        inputs,
        outputs,
        api_name=do.__name__,
        concurrency_limit=None,
        show_progress="hidden",
        queue=inspect.isasyncgenfunction(do),
    )
