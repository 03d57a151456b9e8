"""The Train tab: choose, train, and watch the same live curve and reconstructions as in the Lab."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from playground.architectures import architectures
from playground.data import datasets
from playground.events import Trouble
from playground.experiment import Experiment, formulas
from playground.knobs import Knob, knobs, label
from playground.studio.endpoints import Actions, visitor
from playground.studio.pieces import piece
from playground.studio.training import experiment
from playground.variants import variants

UNITS = {"mse": "squared error per image", "l1": "absolute error per image", "bce": "cross-entropy per image, nats"}
ENDED = ("stopped", "failed", "done")


class Train:
    """The tab's controls and what they do."""

    def __init__(self, actions: Actions, lab: bool):
        self.actions, self.trainings, self.lab = actions, actions.trainings, lab
        self._names: list[str] = []  # dotted names of the controls, in order

    def build(self) -> gr.State:
        """The tab; returns the state that holds the visitor's job."""
        plain = Experiment()
        job = gr.State("")
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                controls = self._controls(plain)
                with gr.Row():
                    go = gr.Button("Train", variant="primary", elem_id="train-go")
                    stop = gr.Button("Stop", interactive=False, elem_id="train-stop")
                link = gr.Markdown("", elem_id="train-link")
            with gr.Column(scale=3, min_width=320):
                empty = gr.Markdown("Choose, then press **Train**: the curve and the reconstructions come here, live.")
                curves = piece("curves", "320px", elem_id="train-curves")
                pictures = piece("reconstructions", "min(420px, 100vw)", elem_id="train-reconstructions")
                status = piece("status", "64px", elem_id="train-status")
        told = [job, curves, pictures, status, empty, go, stop, link]
        quiet: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden"}
        go.click(self.train, controls, told, **quiet)
        stop.click(self.stop, job, told, **quiet)
        status.act(self.look, job, told, **quiet)
        return job

    def _controls(self, plain: Experiment) -> list[Any]:
        data = gr.Dropdown(
            [(datasets[name].title, name) for name in datasets],
            value=plain.data.name,
            label="Images",
            info="What it learns from; what is not built in is downloaded first.",
        )
        variant = gr.Radio(
            [(name.capitalize(), name) for name in variants],
            value=plain.variant.name,
            label="Variant",
            elem_id="train-variant",
        )
        architecture = gr.Radio(
            [(name.capitalize(), name) for name in architectures], value=plain.architecture.name, label="Network"
        )
        code = control("code", knobs(plain.architecture)["code"], plain.architecture.code, label="Code size")
        self._names, found = (
            ["data", "variant", "architecture", "architecture.code"],
            [data, variant, architecture, code],
        )
        groups = []
        for name in variants:
            with gr.Group(visible=name == plain.variant.name and bool(knobs(variants[name]))) as group:
                for knob_name, setting in knobs(variants[name]).items():
                    found.append(control(knob_name, setting, getattr(variants[name](), knob_name)))
                    self._names.append(f"variant/{name}.{knob_name}")
            groups.append(group)
        with gr.Accordion("More", open=False):
            for name, setting in knobs(plain.training).items():
                found.append(control(name, setting, getattr(plain.training, name)))
                self._names.append(f"training.{name}")
        shown = lambda chosen: [gr.Group(visible=name == chosen and bool(knobs(variants[name]))) for name in variants]  # noqa: E731
        variant.change(shown, variant, groups, api_visibility="private", queue=False, show_progress="hidden")
        return found

    def experiment(self, values: tuple) -> Experiment:
        """The experiment of the controls' values; knobs of variants that are not chosen are left out."""
        by_name = dict(zip(self._names, values))
        settings = {name: value for name, value in by_name.items() if "/" not in name}
        own = f"variant/{by_name['variant']}."
        settings |= {
            f"variant.{name.removeprefix(own)}": value for name, value in by_name.items() if name.startswith(own)
        }
        return experiment(settings)

    async def train(self, request: gr.Request, *values: Any) -> tuple:
        async with self.actions.turn(request):
            wanted = self.experiment(values)
            return self.shown(await self.trainings.start(visitor(request), wanted))

    async def stop(self, job: str, request: gr.Request) -> tuple:
        async with self.actions.turn(request):
            if not job:
                raise Trouble("Nothing is training in this window.")
            await self.trainings.stop(job)
            return self.shown(job)

    async def look(self, job: str) -> tuple:
        return self.shown(job)

    def shown(self, job: str) -> tuple:
        """What each part of the tab is told about a job."""
        snapshot = self.trainings.workbench.snapshot(job) if job else None
        if snapshot is None:
            return tuple(gr.skip() for _ in range(8))
        made, over = snapshot.title, snapshot.status in ENDED
        penalties = [(name, words) for name, (_, words) in list(formulas(made).items())[1:]]
        curves = {"job": job, "unit": UNITS.get(made.training.loss, ""), "penalties": penalties}
        status = {"job": job, "status": snapshot.status}
        link = (
            f"[Open this run in the Lab](/?{made.to_query()}{'&' if made.to_query() else ''}run={job})"
            if self.lab
            else ""
        )
        said = snapshot.problem or f"**{made.title}** on {made.data.title}"
        return (
            job,
            json.dumps(curves),
            json.dumps({"job": job}),
            json.dumps(status),
            gr.Markdown(said),
            gr.Button(interactive=over),
            gr.Button(interactive=not over),
            link,
        )


def control(name: str, setting: Knob, value: Any, **more: Any) -> Any:
    """A knob as a Gradio control: the same words, range and help as everywhere."""
    said = {"label": label(name, setting), "info": setting.help, **more}
    if isinstance(value, bool):
        return gr.Checkbox(value, **said)
    if setting.choices:
        return gr.Dropdown(list(setting.choices), value=value, **said)
    if setting.low is None or setting.high is None:
        return gr.Textbox(value, **said)
    low, high = (min(setting.stops), max(setting.stops)) if setting.stops else (setting.low, setting.high)
    if isinstance(value, int) and high <= 2048:
        return gr.Slider(low, high, value, step=1, **said)
    if isinstance(value, float) and low >= 0 and high <= 1 and low != 1e-4:
        return gr.Slider(low, high, value, step=0.001 if low else 0.01, **said)
    return gr.Number(
        value, minimum=setting.low, maximum=setting.high, precision=0 if isinstance(value, int) else None, **said
    )
