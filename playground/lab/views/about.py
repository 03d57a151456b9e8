"""The page About: layout only."""

import streamlit as st

from playground.gate import gate
from playground.lab.about import about_page
from playground.lab.session import Visit
from playground.server import workbench


def teach() -> None:
    st.session_state.taught = gate.teach(visit.viewer, st.session_state.pop("teacher_password", ""))


visit = Visit(workbench())
st.html(about_page(visit.bench.device))
if gate.taught:
    with st.container(key="teacher"):
        st.html("<h2>For teachers</h2>")
        if visit.viewer.teacher:
            st.caption("All runs of this server are in your lists, and do what you say.")
            st.button("See your own runs only", on_click=gate.leave, args=(visit.viewer,))
        else:
            with st.form("teaching", border=False):
                st.text_input("Teacher's password", type="password", key="teacher_password", autocomplete="off")
                st.form_submit_button("See all runs", on_click=teach)
            if problem := st.session_state.get("taught"):
                st.html(f'<p role="alert" class="ap-said">{problem}</p>')
visit.write_address()
