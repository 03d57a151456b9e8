"""The page Teach: layout only. Choose at the left, the link and its QR code at the right."""

import streamlit as st

from playground.lab.session import Visit
from playground.lab.teach import Teaching, share
from playground.server import workbench

visit = Visit(workbench())
teaching = Teaching(visit)

with st.container(key="application", horizontal=True, gap="large"):
    with st.container(key="asked", gap="small"):
        st.markdown("#### Teach\n\nA link for your class: what it opens, with only the controls that you leave in.")
        asked = teaching.asked()
    with st.container(key="answered", gap="small"):
        if asked is None:
            st.info("Choose at the left what the link is to open, and it is here at once, with its QR code.")
        else:
            share(*asked)
visit.write_address()
