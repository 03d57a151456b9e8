"""The page "Does it hold?": layout only. All of it is text and pictures that `reproduce` has written."""

from pathlib import Path

import streamlit as st

from playground.lab.papers import page, results
from playground.lab.session import Visit
from playground.server import workbench

style = (Path(__file__).resolve().parent.parent / "papers.css").read_text(encoding="utf-8")
visit = Visit(workbench())
with st.container(key="p_papers"):
    st.html(f"<style>{style}</style>{page(results())}")
visit.write_address()
