"""The page Gallery: layout only."""

import streamlit as st

from playground.lab.learn import gallery_page
from playground.lab.session import Visit
from playground.server import workbench

visit = Visit(workbench())
st.html(gallery_page())
visit.write_address()
