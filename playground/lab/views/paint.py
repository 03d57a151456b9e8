"""The Paint page: layout only. One component draws it all and asks the routes of the page."""

import streamlit as st

from playground.lab.painting import Painting
from playground.lab.pieces import pieces
from playground.lab.session import Visit
from playground.server import workbench

painting = Painting(Visit(workbench()))


def act() -> None:
    asked = st.session_state.paint.get("act")
    if isinstance(asked, dict):
        painting.act(asked)


with st.container(key="p_paint"):
    pieces()["paint"](key="paint", data=painting.data(), on_act_change=act)
painting.write_address()
