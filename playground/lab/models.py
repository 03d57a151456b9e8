"""The page Models: bring a model, fetch one by its repository's name, and take any along."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from playground import checkpoint, incoming, packing
from playground.caps import MEGA, caps, told
from playground.checkpoint import Checkpoint
from playground.events import Stepped, Trouble
from playground.experiment import Experiment, parameters
from playground.gate import gate
from playground.lab.places import link, pages, places
from playground.lab.session import Visit
from playground.server import PREVIEWS

MOST_RUNS = 40  # in the list of models
FIGURES = {"psnr": "PSNR {:.2f} dB", "ssim": "SSIM {:.3f}", "held_out": "loss {:.4g}", "accuracy": "accuracy {:.1%}"}
ABOUT = ("Bring a model that you have trained elsewhere, or take one along: as one file for another playground, "
         "or as a folder for PyTorch and model hubs.")


@dataclass(frozen=True)
class Model:
    """One model that the page can show. source: what it was brought from; preview: its picture's address."""

    name: str
    experiment: Experiment
    step: int
    metrics: dict[str, float]
    shipped: bool
    mine: bool
    source: str = ""
    preview: str = ""

    @property
    def title(self) -> str:
        """As the list says it."""
        made = f"{self.experiment.title}, {self.experiment.data.title}"
        return f"{self.name} (shipped)" if self.shipped else f"{made}, {self.source or self.name}"


def keep(visit: Visit, state: Checkpoint) -> str:
    """Make a model that was checked one of the visitor's own; its name. Trouble where there is no room for it."""
    bench, viewer = visit.bench, visit.viewer
    if gate.shared and not viewer.teacher:
        kept = sum(entry.owner == viewer.owner for entry in bench.library.saved())
        if kept >= (most := caps().models):
            raise Trouble(f"You have {kept} runs and models kept here, and {most} are the most: delete one first.")
    try:
        return bench.library.add(state, viewer.owner, bench.guests and bool(viewer.owner))
    except OSError as error:
        raise Trouble(f"The model could not be kept: {error.strerror or 'the disk does not take it'}.") from None


class Models:
    """One visitor's page. What was said of the last file stays until the next one."""

    def __init__(self, visit: Visit):
        self.visit = visit

    # Bringing -------------------------------------------------------------------------------------------------------

    def bring(self, key: str) -> None:
        """Check the file that was just uploaded and keep it; what is wrong with it is told below."""
        file = st.session_state.get(key)
        if file is None:
            return
        try:
            if problem := incoming.too_large(file.size, file.name):
                raise Trouble(problem)
            self._came(incoming.named(incoming.read(file.getvalue(), file.name), file.name))
        except Trouble as trouble:
            self._say("alert", str(trouble))

    def fetch(self) -> None:
        """Fetch the repository that is named; the server's own token is never used for it."""
        from playground import hub  # here: it takes a second to load, and most visitors never need it

        try:
            self._came(hub.pull(st.session_state.get("models_repository", ""), token=False))
        except Trouble as trouble:
            self._say("alert", str(trouble))

    def _came(self, state: Checkpoint) -> None:
        name = keep(self.visit, state)
        st.session_state.models_chosen = name
        count = parameters(state.experiment)
        self._say("note", f"{state.about['source']} is here: {state.experiment.title} on "
                          f"{state.experiment.data.title}, {count:,} parameters, {state.step:,} steps. It is one of "
                          "your runs now.")

    @staticmethod
    def _say(role: str, sentence: str) -> None:
        """Say what came of the last thing done, and that alone: the place for files begins anew, without what it said.

        What that place refuses by itself never comes here: the styles put `refused` in the sentence's place then.
        """
        st.session_state.models_said = (role, sentence)
        st.session_state.models_files = st.session_state.get("models_files", 0) + 1

    # Choosing -------------------------------------------------------------------------------------------------------

    def models(self) -> dict[str, Model]:
        """Name -> model: the visitor's runs that learnt something, newest first, then the shipped ones."""
        bench, viewer = self.visit.bench, self.visit.viewer
        known = st.session_state.get("models_chosen") or st.query_params.get("model", "")
        runs = [one for one in bench.jobs() if one.steps_taken and (viewer.owns(one.owner) or one.job == known)]
        found = {}
        for run in runs[:MOST_RUNS]:
            entry, event = bench.library.entry(run.job), run.event
            step, metrics = (event.step, event.metrics) if isinstance(event, Stepped) else (0, {})
            if entry is not None and not isinstance(event, Stepped):
                step, metrics = entry.step, entry.metrics
            found[run.job] = Model(run.job, run.title, step, metrics, False, viewer.owns(run.owner),
                                   entry.source if entry else "")
        for entry in bench.library.shipped_models():
            preview = f"{PREVIEWS}/{entry.name}/preview.png" if (entry.path.parent / "preview.png").exists() else ""
            found[entry.name] = Model(entry.name, entry.experiment, entry.step, entry.metrics, True, False,
                                      preview=preview)
        return found

    def chosen(self) -> Model | None:
        """The model that the list shows, drawn; the one that came last, or that the link names, to begin with."""
        found = self.models()
        if not found:
            return None
        asked = st.session_state.get("models_chosen") or st.query_params.get("model", "")
        names = [*found]
        index = names.index(asked) if asked in found else 0
        name = st.selectbox("Model", names, index, format_func=lambda name: found[name].title,
                            key=f"models.chosen.{asked}")
        return found[name]

    # Taking ---------------------------------------------------------------------------------------------------------

    def file(self, name: str) -> bytes:
        """The model as one safetensors file; a shipped one as it is shipped."""
        if self.visit.bench.library.is_shipped(name):
            return packing.folder_of(self.visit.bench, name)[packing.WEIGHTS]
        return checkpoint.to_bytes(packing.taken(self.visit.bench, name))

    def folder(self, name: str) -> bytes:
        """The model in the hub's layout, as a zip."""
        return packing.zipped(packing.folder_of(self.visit.bench, name), name)

    def take(self, model: Model) -> None:
        """The two buttons, each of which makes its file when it is pressed."""
        left, right = st.columns(2, gap="small")
        settings: dict[str, Any] = {"on_click": "ignore", "width": "stretch"}
        with left:
            st.download_button("Download the file (.safetensors)", partial(self.file, model.name),
                               f"{model.name}.safetensors", "application/octet-stream", type="primary",
                               key=f"models.file.{model.name}",
                               help="Weights, experiment and curve: bring it to any playground.", **settings)
        with right:
            st.download_button("Download for a hub (.zip)", partial(self.folder, model.name), f"{model.name}.zip",
                               "application/zip", key=f"models.folder.{model.name}", help="model.safetensors, "
                               "config.json and a card, as PyTorchModelHubMixin lays them out.", **settings)

    def delete(self, name: str) -> None:
        """Delete one of the visitor's own runs for good."""
        snapshot = self.visit.bench.snapshot(name)
        if snapshot is not None and self.visit.viewer.owns(snapshot.owner):
            self.visit.bench.delete(name).result(10)
            st.session_state.models_chosen = ""
            self._say("note", "The model is deleted.")


def shown(model: Model) -> str:
    """What is known of a model, and the pages on which it can be tried, as HTML."""
    made = model.experiment
    figures = [words.format(model.metrics[key]) for key, words in FIGURES.items() if key in model.metrics]
    facts = [
        ("Model", f"{made.title}, {made.architecture.name}"), ("Data", made.data.title),
        ("Size", f"{parameters(made):,} parameters, images of {' × '.join(map(str, made.data.shape))}"),
        ("Learnt", f"{model.step:,} steps"), ("Held out", ", ".join(figures) or "not measured yet"),
        *([("Brought from", model.source)] if model.source else []), ("Name", model.name),
    ]  # fmt: skip
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{html.escape(value)}</td></tr>' for name, value in facts)
    links = "".join(f'<a href="{html.escape(link(page, holds))}">{html.escape(pages()[page])}</a>'
                    for page, holds in places(made, model.name, not model.shipped).items())
    picture = f'<img src="{model.preview}" alt="What it makes of held-out images">' if model.preview else ""
    return (f'<div class="ap-learn ap-about ap-model" data-testid="model" data-model="{html.escape(model.name)}">'
            f"{picture}<table>{rows}</table><nav aria-label=\"Try it on\"><span>Try it on</span>{links}</nav></div>")


def limits() -> str:
    """What a file may be, in a sentence."""
    return (f"A .safetensors file of at most {told('model')} that a playground wrote, for a network of at most "
            f"{caps().parameters / MEGA:g} million parameters. Every number of it is checked.")


def refused() -> str:
    """What is said where the place for files refuses one by itself, by its kind or its size."""
    return f"This file was not taken: it has to be a{limits()[1:]}"
