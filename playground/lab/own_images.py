"""One's own images: upload pictures or a zip, and train on them."""

from __future__ import annotations

import html
from dataclasses import asdict, replace

import streamlit as st

from playground.data import datasets
from playground.events import Trouble
from playground.lab.session import Visit, renew_widgets

PICTURES = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]


def own_images(visit: Visit) -> None:
    """The expander: drop pictures, name them, use them. Problems name the file; the good ones are kept."""
    from playground.data.own import imported

    files = st.file_uploader(
        "Pictures or a zip", [*PICTURES, "zip"], accept_multiple_files=True, key="own_files",
        help="PNG, JPEG, WebP, BMP, GIF, TIFF, or a zip of them: the folder a picture lies in is its class. "
             "With masks to learn from (x_mask.png beside x.png, or folders images and masks) it can learn to segment.",
    )
    name = st.text_input("Name", "mine", key="own_name", help="The set is kept under this name on this machine.")
    st.button("Use these pictures", key="own_use", width="stretch", disabled=not files, on_click=_use,
              args=(visit, files, name))
    kept = imported()
    if kept:
        st.caption("Kept here: " + ", ".join(kept))
    for sentence in st.session_state.get("own_said", ()):
        complain(sentence)


def _use(visit: Visit, files: list, name: str) -> None:
    """Import the files and make them the page's data; what went wrong is said below the button."""
    from playground.data.own import import_images, imported, safe_name

    wanted_name, kept, number = safe_name(name), imported(), 2
    while (own_name := wanted_name if number == 2 else f"{wanted_name[:60]}-{number - 1}") in kept:
        number += 1  # a set in use is never replaced: runs and other visitors' pages stand on it
    try:
        done = import_images([(file.name, file.getvalue()) for file in files], own_name)
    except Trouble as trouble:
        st.session_state.own_said = [str(trouble)]
        return
    st.session_state.own_said = done.problems[:6]
    own = datasets["own"]
    now = visit.experiment.data
    wanted = own(**{**asdict(now), "pictures": done.name}) if isinstance(now, own) else own(pictures=done.name)
    visit.change(replace(visit.experiment, data=wanted))
    renew_widgets("data")


def complain(sentence: str) -> None:
    """What is wrong with what somebody brought, as plain text: it may name their file."""
    st.html(f'<p role="alert" class="ap-said">{html.escape(sentence)}</p>')
