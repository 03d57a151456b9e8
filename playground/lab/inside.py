"""The Inside page: which model is shown, which of its tabs is open, and what the page adds to the address."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.lab.explore import Exploration
from playground.lab.session import Visit

TABS = ("layers", "code", "undercomplete", "contractive", "sparse", "denoising", "chain")


class Choice(Exploration):
    """The choice of a model that is looked into: any, with a code or without."""

    needs_code = False


class Inspection:
    """One visitor's look inside a network: the model is the one on the Latent space page, and chosen as there."""

    def __init__(self, visit: Visit):
        self._exploration = Choice(visit)
        if "inside_tab" not in st.session_state:
            asked = st.query_params.get("inside", "")
            st.session_state.inside_tab = asked if asked in TABS else ""

    def data(self) -> dict[str, Any]:
        """What the component is told; everything else it asks of the routes."""
        told = self._exploration.data()
        return {name: told[name] for name in ("name", "own", "live", "choices")} | {"tab": st.session_state.inside_tab}

    def write_address(self) -> None:
        """As the Latent space page's, and the tab that is open."""
        tab = st.session_state.inside_tab
        self._exploration.write_address(**({"inside": tab} if tab else {}))

    def act(self, asked: dict[str, Any]) -> None:
        """What somebody did on the page: opened a tab, chose a model, pressed Train or Pause."""
        if asked.get("do") == "tab":
            st.session_state.inside_tab = asked["name"] if asked.get("name") in TABS else ""
        else:
            self._exploration.act(asked)
