"""The page Models: layout only. Bring one at the left, look at one and take it at the right."""

import html

import streamlit as st

from playground.caps import MEGA, caps
from playground.lab.models import ABOUT, Models, limits, refused, shown
from playground.lab.session import Visit
from playground.server import workbench

visit = Visit(workbench())
models = Models(visit)

with st.container(key="application", horizontal=True, gap="large"):
    with st.container(key="asked", gap="small"):
        st.markdown(f"#### Models\n\n{ABOUT}")
        key = f"models.file.{st.session_state.get('models_files', 0)}"
        st.file_uploader("Bring a model", ["safetensors"], key=key, on_change=models.bring, args=(key,),
                         help=limits(), max_upload_size=max(1, caps().model // MEGA))
        st.html(f'<p role="alert" class="ap-said ap-refused" data-testid="models-refused">{html.escape(refused())}</p>')
        with st.form("models_hub", border=False):
            st.text_input("Or fetch it from a hub", key="models_repository", placeholder="user/name", max_chars=200,
                          help="The name of a repository that holds a playground's model.safetensors.")
            st.form_submit_button("Fetch", on_click=models.fetch, width="stretch")
        role, sentence = st.session_state.get("models_said", ("", ""))
        if sentence:
            st.html(f'<p role="{"alert" if role == "alert" else "status"}" class="ap-said ap-{role}" '
                    f'data-testid="models-said">{html.escape(sentence)}</p>')
    with st.container(key="answered", gap="small"):
        model = models.chosen()
        if model is None:
            st.info("There is no model here yet: train one, or bring one.")
        else:
            st.html(shown(model))
            models.take(model)
            if model.mine:
                with st.popover("Delete", help="Delete this model and its curve from this server."):
                    st.button("Delete it for good", key=f"models.delete.{model.name}", on_click=models.delete,
                              args=(model.name,))
visit.write_address(**({"model": model.name} if model else {}))
