"""The buttons of the Train page: which there are depends on what the run is doing."""

from __future__ import annotations

import streamlit as st

from playground.lab.session import Visit


def actions(visit: Visit, status: str) -> None:
    """Train, Pause or Resume first; then Step, Stop, Reset and Reseed. The link may leave any of them out.

    `status` is the run's at the moment that the whole page shows, for it may be another one already.
    """
    hidden = visit.hidden
    begun = status not in ("opening", "ready")
    name, icon, do = _main(visit, status)
    if not hidden.intersection(("train", name.lower())):
        st.button(name, key="main", type="primary", icon=icon, on_click=do, width="stretch")
    for name, do, off, help in (
        ("Step", visit.step, status == "done" and not visit.steps_left, "One batch: forward, backward, update."),
        ("Stop", visit.stop, not visit.mine or status not in ("running", "paused"), "End this run and keep it."),
        ("Reset", visit.reset, not begun, "Back to the same first weights; this run stays as a thin line."),
        ("Reseed", visit.reseed, False, "Other first weights: the next seed."),
    ):
        if name.lower() not in hidden:
            st.button(name, key=name.lower(), on_click=do, disabled=off, help=help, width="stretch")


def _main(visit: Visit, status: str):
    """The first button: its name, its icon and what it does."""
    if not visit.mine:
        return "Train", ":material/play_arrow:", visit.train
    if status == "running":
        return "Pause", ":material/pause:", visit.pause
    if status in ("paused", "stopped", "failed") or (status == "done" and visit.steps_left):
        return "Resume", ":material/play_arrow:", visit.train
    return "Train", ":material/play_arrow:", visit.train
