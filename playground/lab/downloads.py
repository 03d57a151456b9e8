"""What the Train page gives to take home: the experiment as a notebook or a script of plain PyTorch."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.experiment import Experiment
from playground.exporting import KINDS, exported, file_name

HELP = "This experiment in plain PyTorch: it needs nothing of the playground, and gives the same losses."


def downloads(experiment: Experiment, hidden: frozenset[str]) -> None:
    """Two buttons, each of which makes its file when it is pressed. The link may leave either of them out."""
    names = [("ipynb", "Notebook"), ("py", "Script")]
    shown = [(kind, name) for kind, name in names if name.lower() not in hidden]
    if not shown:
        return
    st.markdown("**Take it with you**")
    for column, (kind, name) in zip(st.columns(2, gap="small"), shown):
        with column:
            st.download_button(
                name, partial(_bytes, experiment, kind), file_name(experiment, kind), KINDS[kind], key=f"take.{kind}",
                help=HELP, on_click="ignore", width="stretch",
            )


def _bytes(experiment: Experiment, kind: str) -> bytes:
    return exported(experiment, kind).encode()
