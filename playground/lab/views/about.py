"""The page About: layout only."""

import streamlit as st

from playground.lab.about import about_page
from playground.lab.session import Visit
from playground.server import workbench

visit = Visit(workbench())
st.html(about_page(visit.bench.device))
visit.write_address()
