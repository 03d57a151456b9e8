"""The components of the Lab's pages, registered once a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent / "components"
SCRIPTS = {  # name -> the scripts that make it up, in order
    **{name: (name,) for name in ("network", "curves", "reconstructions", "codes", "objective", "status")},
    "latent": (
        "map_paint", "map_hands", "map", "map_over", "latent_data", "latent_panel", "latent_walk", "latent_tabs",
        "latent_pad", "latent_live", "latent_colour", "latent",
    ),
    "paint": (
        "paint_hole", "paint_view", "paint_hands", "paint_keys", "paint_ask", "paint_bring", "paint_pad", "paint_show",
        "paint",
    ),
}
STYLES = {"latent": ("latent", "latent_panel")}  # where there is more than one


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


class Pieces(dict):
    """Name -> component, each registered when it is first asked for: a page waits for its own only."""

    def __missing__(self, name: str) -> Callable:
        styles = ("base", *STYLES.get(name, (name,)))
        self[name] = st.components.v2.component(
            f"playground_{name}", html=_read(f"{name}.html"),
            css="".join(_read(f"{style}.css") for style in styles),
            js="".join(_read(f"{script}.js") for script in ("bus", *SCRIPTS[name])),
        )
        return self[name]


@st.cache_resource(show_spinner=False)
def pieces() -> Pieces:
    """All components; each stands on base.css and bus.js, and lives in a shadow tree of its own."""
    return Pieces()
