"""The Train tab: choose, train, and watch the same live curve and reconstructions as in the Lab."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from playground.events import Snapshot, Stepped, Trouble
from playground.experiment import formulas
from playground.owners import Viewer
from playground.studio.controls import Controls
from playground.studio.endpoints import Actions
from playground.studio.pieces import piece
from playground.studio.saying import viewer, visitor

NEW = "A new run"
MOST_RUNS = 40  # in the list


class Train:
    """The tab's buttons and what they do."""

    def __init__(self, actions: Actions, lab: bool):
        self.actions, self.trainings, self.lab = actions, actions.trainings, lab

    def build(self) -> None:
        job = gr.State("")
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                with gr.Row():
                    go = gr.Button("Train", variant="primary", elem_id="train-go", min_width=80)
                    stop = gr.Button("Stop", interactive=False, elem_id="train-stop", min_width=80)
                    resume = gr.Button("Resume", interactive=False, elem_id="train-resume", min_width=80)
                self._controls = Controls()
                run = gr.Dropdown(
                    [(NEW, "")], value="", label="Run", elem_id="train-run", allow_custom_value=True,
                    info="Choose one to see how it went, and to resume it where it has steps left.",
                )  # fmt: skip
                link = gr.Markdown("", elem_id="train-link")
            with gr.Column(scale=3, min_width=320):
                empty = gr.Markdown("Choose, then press **Train**: the curve and the reconstructions come here, live.")
                curves = piece("curves", "320px", elem_id="train-curves")
                pictures = piece("reconstructions", "min(420px, 100vw)", elem_id="train-reconstructions")
                status = piece("status", "64px", elem_id="train-status")
        told = [job, curves, pictures, status, empty, go, stop, resume, run, link]
        quiet: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden"}
        go.click(self.train, self._controls.inputs, told, **quiet)
        stop.click(self.stop, job, told, **quiet)
        resume.click(self.resume, job, told, **quiet)
        run.focus(self.refresh, None, run, **quiet)
        run.input(self.look, run, told, **quiet)
        status.act(self.look, job, told, **quiet)

    def runs(self, who: Viewer, shown: str = "") -> list[tuple[str, str]]:
        """(title, name) of somebody's runs, newest first, those that earlier servers saved included, and of one shown.
        """
        mine = [one for one in self.trainings.workbench.jobs() if one.steps_taken and who.owns(one.owner)]
        found = [one for one in self.trainings.workbench.jobs() if one.job == shown or one in mine][:MOST_RUNS]
        return [(NEW, ""), *((_titled(one), one.job) for one in found)]

    def refresh(self, request: gr.Request) -> Any:
        return gr.Dropdown(choices=self.runs(viewer(request)))

    async def train(self, request: gr.Request, *values: Any) -> tuple:
        async with self.actions.turn(request):
            wanted = self._controls.experiment(values)
            who = viewer(request)
            return self.shown(await self.trainings.start(visitor(request), wanted, who.owner), who)

    async def stop(self, job: str, request: gr.Request) -> tuple:
        async with self.actions.turn(request):
            if not job:
                raise Trouble("Nothing is training in this window.")
            await self.trainings.stop(job)
            return self.shown(job, viewer(request))

    async def resume(self, job: str, request: gr.Request) -> tuple:
        async with self.actions.turn(request):
            await self.trainings.resume(visitor(request), job)
            return self.shown(job, viewer(request))

    async def look(self, job: str, request: gr.Request) -> tuple:
        return self.shown(job, viewer(request))

    def shown(self, job: str, who: Viewer) -> tuple:
        """What each part of the tab is told about a job."""
        snapshot = self.trainings.workbench.snapshot(job) if job else None
        if snapshot is None:
            words = "Choose, then press **Train**." if not job else "This run is not here any more."
            idle = gr.Button(interactive=False)
            return "", "", "", "", gr.Markdown(words), gr.Button(interactive=True), idle, idle, "", ""
        made, going = snapshot.title, snapshot.status in ("opening", "running")
        penalties = [(name, words) for name, (_, words) in list(formulas(made).items())[1:]]
        curves = {"job": job, "unit": made.task.curve_unit(made.training.loss), "penalties": penalties}
        query = made.to_query()
        link = f"[Open this run in the Lab](/?{query}{'&' if query else ''}run={job})" if self.lab else ""
        return (
            job,
            json.dumps(curves),
            json.dumps({"job": job}),
            json.dumps({"job": job, "status": snapshot.status, "measured": made.task.measured}),
            gr.Markdown(snapshot.problem or f"**{made.title}** on {made.data.title}"),
            gr.Button(interactive=not going),
            gr.Button(interactive=going or snapshot.status == "paused"),
            gr.Button(interactive=resumable(snapshot)),
            gr.Dropdown(choices=self.runs(who, job), value=job),
            link,
        )


def resumable(snapshot: Snapshot) -> bool:
    """Whether a run that rests has steps left."""
    event = snapshot.event
    if isinstance(event, Stepped) and event.step >= event.steps:
        return False
    return snapshot.status in ("paused", "stopped", "failed", "ready")


def _titled(snapshot: Snapshot) -> str:
    return f"{snapshot.title.title}, {snapshot.title.data.title} ({snapshot.status}, {snapshot.job[:6]})"
