"""The Inside page: layout only. One component draws it all and asks the routes of the page."""

import streamlit as st

from playground.lab.inside import Inspection
from playground.lab.pieces import pieces
from playground.lab.session import Visit
from playground.server import workbench

inspection = Inspection(Visit(workbench()))


def act() -> None:
    asked = st.session_state.inside.get("act")
    if isinstance(asked, dict):
        inspection.act(asked)


with st.container(key="p_inside"):
    pieces()["inside"](key="inside", data=inspection.data(), on_act_change=act)
inspection.write_address()
