"""The Studio's page: its tabs, its endpoints, and how Gradio serves both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported: it asks the network otherwise

import gradio as gr  # noqa: E402

from playground.caps import caps, told  # noqa: E402
from playground.home import FOLDERS, home  # noqa: E402
from playground.labelling import labellers  # noqa: E402
from playground.studio.endpoints import Actions, expose  # noqa: E402
from playground.studio.explore_tab import Explore  # noqa: E402
from playground.studio.label_tab import Label  # noqa: E402
from playground.studio.restore_tab import Restore  # noqa: E402
from playground.studio.theme import page_css, theme  # noqa: E402
from playground.studio.train_tab import Train  # noqa: E402
from playground.studio.training import Trainings  # noqa: E402

if TYPE_CHECKING:
    from fastapi import FastAPI

    from playground.workbench import Workbench

HERE = Path(__file__).resolve().parent
STYLES = (HERE / "page.css", HERE.parent / "found.css")
LOGO = HERE.parent / "lab" / "assets" / "logo.svg"
HOUR = 3600  # seconds that uploads and results are kept
OFTEN = 300  # seconds between two looks for what is older
REST = 0.02  # seconds between two looks of Gradio's queue while nothing waits; its own are a thousand a second


def build(workbench: Workbench, trainings: Trainings | None = None, lab: bool = True) -> gr.Blocks:
    """The whole Studio as Blocks. lab: whether the Lab is served beside it, at the root."""
    actions = Actions(workbench, trainings or Trainings(workbench))
    with gr.Blocks(
        title="Studio · Autoencoder Playground", delete_cache=(OFTEN, HOUR), analytics_enabled=False, fill_width=True
    ) as demo:
        expose(actions)  # first: theirs are the plain names
        gr.HTML(_head(lab), apply_default_css=False, js_on_load=None)
        with gr.Tabs():
            with gr.Tab("Restore", id="restore"):
                Restore(actions).build(demo)
            if labellers:
                with gr.Tab("Label", id="label"):
                    Label(actions).build()
            with gr.Tab("Explore", id="explore") as tab:
                Explore(actions).build(tab, demo)
            with gr.Tab("Train", id="train"):
                Train(actions, lab).build()
    most = caps().all_waiting
    demo.queue(max_size=most, default_concurrency_limit=None)
    demo.max_threads = demo._queue.max_thread_count = most  # Turns decides who works, not the count
    demo._queue.sleep_when_free = REST
    return demo


def served(**more: Any) -> dict[str, Any]:
    """What every way to serve the Studio tells Gradio."""
    return {
        "theme": theme(), "css": page_css() + "".join(path.read_text(encoding="utf-8") for path in STYLES),
        "mcp_server": True, "max_file_size": caps().file, "allowed_paths": [], "blocked_paths": _kept(),
        "show_error": False, "ssr_mode": False, "pwa": False, "run_history": False, "enable_monitoring": False,
        "footer_links": ["api", "settings"], **more,
    }  # fmt: skip


def _kept() -> list[str]:
    """What of the playground's folder is nobody's to fetch as a file: all but what passes through Gradio."""
    return [str(home() / folder) for folder in (*FOLDERS, "indexes")]


def mounted(host: FastAPI, workbench: Workbench, path: str) -> FastAPI:
    """The Studio under a path of a FastAPI app; the app's lifespan runs the queue and the MCP server."""
    demo = build(workbench)
    gr.mount_gradio_app(host, demo, path=path, **served())
    demo.has_launched = True  # else Gradio takes any path of this machine for an uploaded file
    return host


def _head(lab: bool) -> str:
    links = '<a href="/" target="_self">Lab</a>' if lab else ""
    limits = f"Up to {told('pixels')}, {told('file')}"
    return (
        f'<header class="ap-head">{LOGO.read_text(encoding="utf-8")}<h1>Studio</h1>'
        f"<nav>{links}</nav><span>{limits}</span></header>"
    )
