"""The Latent space page: layout only. One component draws it all and asks the explorer's routes."""

import streamlit as st

from playground.lab.explore import Exploration
from playground.lab.pieces import pieces
from playground.lab.session import Visit
from playground.server import workbench

exploration = Exploration(Visit(workbench()))


def act() -> None:
    asked = st.session_state.latent.get("act")
    if isinstance(asked, dict):
        exploration.act(asked)


with st.container(key="p_latent"):
    pieces()["latent"](key="latent", data=exploration.data(), on_act_change=act)
exploration.write_address()
