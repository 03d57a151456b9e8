"""Exporting: any experiment as a notebook, or a script, of plain PyTorch that needs nothing of the playground.

How: the skeleton (settings, loop, curves, pictures) is written here as text; whatever a plug-in decides (its data, its
network, its objective) is taken from the plug-in's own source, made to stand alone: see `gathering` and `reading`. So a
new plug-in can be exported from the day it is there, nothing is written twice, and the program gives the very losses
that the trainer gives: same seed, same first weights, same batches.
"""

from __future__ import annotations

import json
import uuid

from playground.experiment import Experiment
from playground.exporting.cells import Cell, cells

KINDS = {"ipynb": "application/x-ipynb+json", "py": "text/x-python"}


def script(experiment: Experiment) -> str:
    """The experiment as one Python program, its cells marked as editors know them (`# %%`)."""
    return "\n\n".join(_marked(cell) for cell in cells(experiment)) + "\n"


def notebook(experiment: Experiment) -> str:
    """The experiment as a notebook, the JSON of nbformat 4.5; its cells joined are the script."""
    return json.dumps({
        "cells": [_noted(cell, i) for i, cell in enumerate(cells(experiment))],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }, ensure_ascii=False, indent=1) + "\n"


def exported(experiment: Experiment, kind: str) -> str:
    """The text of a file of one of KINDS."""
    return notebook(experiment) if kind == "ipynb" else script(experiment)


def file_name(experiment: Experiment, kind: str) -> str:
    """What a file of one of KINDS is called: "sparse-64.ipynb"."""
    words = "".join(letter if letter.isalnum() else " " for letter in experiment.title.lower()).split()
    return f"{'-'.join(words)}.{kind}"


def _marked(cell: Cell) -> str:
    if cell.is_code:
        return f"# %%\n{cell.text}"
    return "# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in cell.text.splitlines())


def _noted(cell: Cell, number: int) -> dict:
    name = uuid.uuid5(uuid.NAMESPACE_OID, f"{number} {cell.text}").hex[:8]
    metadata = {"jupyter": {"source_hidden": True}} if cell.is_long else {}
    noted = {"id": name, "metadata": metadata, "source": cell.text.splitlines(keepends=True)}
    if cell.is_code:
        return {"cell_type": "code", "execution_count": None, "outputs": [], **noted}
    return {"cell_type": "markdown", **noted}
