"""The Label tab: what the registered tasks that give labels are; it is there when there is one."""

from __future__ import annotations

import importlib
from typing import Any

import gradio as gr

from playground.registry import Registry


class Label:
    """The tab, made from the registry of tasks."""

    def __init__(self) -> None:
        self.tasks = labelling(registered())

    def build(self) -> None:
        gr.Markdown(
            "\n".join(
                [
                    "These tasks give labels; train one, and it labels your pictures here.",
                    "",
                    *(f"- **{name.capitalize()}**: {motto}" for name, motto in self.tasks.items()),
                ]
            )
        )


def registered() -> Any:
    """The registry of tasks; an empty one where this playground has none."""
    try:
        return importlib.import_module("playground.tasks").tasks
    except ModuleNotFoundError:
        return Registry("task")


def labelling(tasks: Any) -> dict[str, str]:
    """Name -> motto of the tasks whose answer is not a picture; the others are under Restore."""
    return {name: getattr(tasks[name], "motto", "") for name in tasks if not getattr(tasks[name], "restores", False)}
