"""The components of the Lab's pages, registered once a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent / "components"
NAMES = ("network", "curves", "reconstructions", "codes", "objective", "status")


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@st.cache_resource(show_spinner=False)
def pieces() -> dict[str, Callable]:
    """Name -> component; each stands on base.css and bus.js, and lives in a shadow tree of its own."""
    return {
        name: st.components.v2.component(
            f"playground_{name}", html=_read(f"{name}.html"), css=_read("base.css") + _read(f"{name}.css"),
            js=_read("bus.js") + _read(f"{name}.js"),
        )
        for name in NAMES
    }
