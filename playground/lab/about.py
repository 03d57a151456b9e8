"""The page About as HTML: what is served here and on what, where a visitor's data goes, and how much is allowed."""

from __future__ import annotations

import html
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import playground
from playground.caps import Caps, caps, said
from playground.knobs import knobs

PACKAGES = ("PyTorch", "Streamlit", "Gradio")
LICENCE = "MIT: use it, change it and pass it on, with its notice; there is no warranty."
PRIVATE = (
    "What you bring and what you train stays on the machine that serves this page: pictures, models and runs are sent "
    "to nobody else. Nothing is counted or reported: there is no telemetry, no tracker, no script from another site.",
    "Runs, models and sets of pictures of your own are kept in one folder of that machine; what you bring to the "
    "Studio is deleted after an hour, and what you paint on is never written to disk. Data sets that are not built in "
    "are downloaded once, by the server, from the places that publish them; so is a model whose repository you name.",
    "Your runs are in your lists alone: your browser keeps a key to them in a cookie, which says nothing else. Whoever "
    "is given a run's link can look at the run.",
)


def about_page(device: str) -> str:
    """The whole page. device: what the server computes on, in words."""
    facts = [("Version", playground.__version__), ("Device", device), ("Python", platform.python_version()),
             *((name, _version(name)) for name in PACKAGES), ("Licence", LICENCE)]
    allowed = [(one.help.rstrip("."), said(one, getattr(caps(), name))) for name, one in knobs(Caps).items()]
    where = [f"<p>{html.escape(one)}</p>" for one in PRIVATE]
    return (
        '<div class="ap-learn ap-about" data-testid="about"><h1>About</h1>'
        "<p>An interactive playground for autoencoders: choose one, train it live, and look inside.</p>"
        f"{_table(facts)}<h2>Where your data goes</h2>{''.join(where)}"
        "<h2>How much is allowed</h2><p>Whoever runs this server decides it, in the file playground.toml.</p>"
        f"{_table(allowed)}</div>"
    )


def _version(package: str) -> str:
    try:
        return version(package.removeprefix("Py"))
    except PackageNotFoundError:
        return "not installed"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = [f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>' for name, value in rows]
    return f"<table>{''.join(cells)}</table>"
