"""The page Gallery: layout only."""

import streamlit as st

from playground.lab.learn import gallery_page, gallery_title, images_of
from playground.lab.session import Visit
from playground.recipes import RECIPES
from playground.server import workbench

visit = Visit(workbench())
recipes = tuple(RECIPES.values())
titles = images_of(recipes)
with st.container(key="gallery"):
    st.html(gallery_title())
    chosen = st.pills("Trained on", [*titles], format_func=titles.__getitem__, key="gallery.data")
    st.html(gallery_page(one for one in recipes if chosen in (None, one.experiment.data.name)))
visit.write_address()
