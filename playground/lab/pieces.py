"""The components of the Lab's pages, registered once a process; the Studio draws some of them too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from playground import look

HERE = Path(__file__).resolve().parent / "components"
SCRIPTS = {  # name -> the scripts that make it up, in order
    **{name: (name,) for name in ("network", "curves", "reconstructions", "codes", "objective", "status", "compare",
                                  "strip", "confusion", "label_curve", "regions", "detect", "share")},
    "drawing": ("pen", "latent_pad", "drawing"),
    "latent": (
        "map_paint", "map_hands", "map", "map_over", "latent_data", "latent_panel", "latent_walk", "latent_tabs",
        "pen", "latent_pad", "latent_live", "latent_colour", "latent",
    ),
    "inside": (
        "latent_data", "pen", "latent_pad", "inside_draw", "inside_plot", "inside_image", "inside_net", "inside_layers",
        "inside_sparse", "inside_contractive", "inside_denoising", "inside_sizes", "inside_chain", "inside",
    ),
    "paint": (
        "paint_hole", "paint_view", "paint_hands", "paint_keys", "paint_keep", "paint_ask", "paint_bring", "pen",
        "paint_pad", "paint_show", "paint",
    ),
}
STYLES = {"latent": ("latent", "latent_panel"), "inside": ("inside", "inside_panel")}  # where there is more than one


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@cache  # every run of every page begins with it
def style() -> str:
    """The Lab's own style, for all its pages."""
    own = (HERE.parent / "page.css", HERE.parent / "learn.css", HERE.parent.parent / "found.css")
    return look.css() + "".join(path.read_text(encoding="utf-8") for path in own)


@cache
def logo() -> str:
    """The SVG at the top left."""
    return (HERE.parent / "assets" / "logo.svg").read_text(encoding="utf-8")


def source(name: str) -> dict[str, Any]:
    """The html, css and js of a component; KeyError for a name that there is not."""
    scripts, styles = ("bus", *SCRIPTS[name]), ("base", *STYLES.get(name, (name,)))
    return {
        "html": _read(f"{name}.html"),
        "css": "".join(_read(f"{style}.css") for style in styles),
        "js": "".join(_read(f"{script}.js") for script in scripts),
    }


class Pieces(dict):
    """Name -> component, each registered when it is first asked for: a page waits for its own only."""

    def __missing__(self, name: str) -> Callable:
        import streamlit as st  # here: what needs the sources alone need not load it

        self[name] = st.components.v2.component(f"playground_{name}", **source(name))
        return self[name]


def _none_yet() -> Pieces:
    return Pieces()


def pieces() -> Pieces:
    """All components; each stands on base.css and bus.js, and lives in a shadow tree of its own."""
    import streamlit as st

    return st.cache_resource(show_spinner=False)(_none_yet)()
