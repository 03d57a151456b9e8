"""The Train page: layout only. Choose at the left, watch at the right; the pictures come by the live stream."""

import html
from typing import Any

import streamlit as st

from playground.experiment import plan
from playground.lab.actions import actions
from playground.lab.controls import controls
from playground.lab.formulas import terms
from playground.lab.own_images import own_images
from playground.lab.pieces import pieces
from playground.lab.session import Visit
from playground.server import workbench


def layers(experiment) -> list[dict]:
    """What the drawing of the network needs of each layer."""
    return [
        {"part": one.part, "kind": one.kind, "shape": one.shape, "units": one.units, "parameters": one.parameters}
        for one in plan(experiment)
    ]


visit = Visit(workbench())
piece = pieces()

with st.container(key="shell", horizontal=True, gap=None):
    with st.container(key="controls", gap=None):
        buttons = st.container(key="actions", horizontal=True, gap="small")
        visit.change(controls(visit))
        if st.session_state.pop("stale", False):
            st.rerun()
        if not visit.hidden.intersection(("own", "data")):
            with st.expander("Your own images", key="own"):
                own_images(visit)
        experiment, snapshot = visit.experiment, visit.snapshot  # one look: buttons, notices and status agree
        status = snapshot.status if snapshot else "opening"
        with buttons:  # filled last: a change may have made a new run, and only then is it known what can be done
            actions(visit, status)

    job: dict[str, Any] = {"job": visit.job}
    parts = terms(experiment)
    with st.container(key="stage", gap=None):
        with st.container(key="p_network"):
            # what components are given stands in tuples: in lists and dicts Streamlit looks for tables, with pandas
            drawn = {**job, "shape": experiment.data.shape, "layers": tuple(layers(experiment))}
            piece["network"](key="network", data=drawn, height="stretch")
        with st.container(key="p_curves"):
            penalties = tuple((one["name"], one["words"]) for one in parts[1:])
            drawn = {**job, "unit": experiment.task.curve_unit(experiment.training.loss), "penalties": penalties}
            piece["curves"](key="curves", data=drawn, height="stretch")
        with st.container(key="p_objective"):
            piece["objective"](key="objective", data={**job, "terms": tuple(parts)}, height="stretch")
        with st.container(key="p_reconstructions"):
            piece["reconstructions"](key="reconstructions", data=job, height="stretch")
        with st.container(key="p_codes"):
            piece["codes"](key="codes", data={**job, "code": experiment.architecture.code}, height="stretch")
        with st.container(key="p_status"):
            drawn = {**job, "status": status, "measured": experiment.task.measured}
            piece["status"](key="status", data=drawn, on_changed_change=lambda: None)
        problems = (snapshot.problem if snapshot else "", visit.refused, visit.barred)
        said = [(sentence, "alert") for sentence in problems if sentence]
        if visit.problems:
            unread = "; ".join(visit.problems)
            said.append(("Not everything in this link could be taken as it is, and stays at its default where nothing "
                         f"else is said: {unread}.", "note"))
        if visit.stand_in:
            said.append((visit.stand_in, "note"))
        if not visit.mine:
            said.append(("This run is somebody else's, to look at: Train, or a knob, begins one of your own.", "note"))
        if said:  # last, so that its coming and going moves no component in the page's tree; the grid shows it first
            with st.container(key="p_notices"):
                for sentence, role in said:
                    st.html(f'<p role="{role}" class="ap-{role}">{html.escape(sentence)}</p>')

visit.write_address()
