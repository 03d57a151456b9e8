"""The page Lessons: layout only."""

import streamlit as st

from playground.lab.learn import lessons_page
from playground.lab.session import Visit
from playground.server import workbench

visit = Visit(workbench())
st.html(lessons_page())
visit.write_address()
