"""The Lab: the frame around its pages, and which pages there are."""

import html
from functools import partial
from pathlib import Path

import streamlit as st

from playground.lab.applications import applications
from playground.lab.learn import strip
from playground.lab.pieces import logo, style
from playground.lab.places import foreign, refusal
from playground.lab.session import Visit
from playground.lab.teaching import meant
from playground.lessons import lesson
from playground.server import workbench

HERE = Path(__file__).resolve().parent


def page(name: str) -> None:
    """One of the pages under Applications."""
    applications[name](Visit(workbench())).draw()


st.set_page_config(
    page_title="Autoencoder Playground", page_icon=str(HERE / "assets" / "favicon.png"), layout="wide",
    initial_sidebar_state="collapsed",
)
st.html(f"<style>{style()}</style>")
st.html('<a class="ap-studio" href="/studio/">Studio</a>')
st.logo(logo(), size="small")
pages = [
    st.Page(HERE / "views" / "train.py", title="Train", url_path="train", default=True),
    st.Page(HERE / "views" / "latent.py", title="Latent space", url_path="latent-space"),
    st.Page(HERE / "views" / "inside.py", title="Inside", url_path="inside"),
    st.Page(HERE / "views" / "paint.py", title="Paint", url_path="paint"),
    st.Page(HERE / "views" / "papers.py", title="Does it hold?", url_path="does-it-hold"),
]
under = [
    st.Page(partial(page, name), title=applications[name].title, url_path=name) for name in applications
]
learn = [
    st.Page(HERE / "views" / f"{name}.py", title=name.capitalize(), url_path=name)
    for name in ("lessons", "gallery", "models", "teach", "about")
]
chosen = st.navigation({"": pages, "Applications": under, "Learn": learn}, position="top")
bare = "experiment" not in st.session_state and chosen not in learn and meant(st.query_params.to_dict())
if bare:  # a new session at a lesson's number alone: its page, with its own experiment
    goal = next(one for one in (*pages, *under) if one.url_path == bare[0])
    if goal != chosen:
        st.switch_page(goal, query_params=bare[1])
    st.query_params.from_dict(bare[1])
if asked := foreign(st.query_params.to_dict()):
    st.session_state.foreign = chosen.title, refusal(asked)
    for key in asked:
        del st.query_params[key]
if (problem := st.session_state.get("foreign")) and problem[0] == chosen.title:
    st.html(f'<p role="alert" class="ap-foreign">{html.escape(problem[1])}</p>')
if (told := lesson(st.query_params.get("lesson") or st.session_state.get("lesson", ""))) and chosen not in learn:
    st.html(strip(told))
chosen.run()
