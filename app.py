"""The Autoencoder Playground: `python app.py` or `streamlit run app.py` serves it on port 7860."""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from playground.look import PORT  # noqa: E402

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve the Autoencoder Playground.")
    parser.add_argument("--host", default="", help="0.0.0.0 to let others on the network in")
    parser.add_argument("--port", type=int, default=PORT)
    arguments = parser.parse_args()
    # a GPU inside Gradio's calls only, or a Gradio Space, which holds no settings of the Lab's: the Studio alone
    if os.environ.get("SPACES_ZERO_GPU") or not (ROOT / ".streamlit").is_dir():
        from playground.studio import alone

        alone.serve(arguments.host, arguments.port)
        sys.exit()

import streamlit as st  # noqa: E402

from playground import server  # noqa: E402

app = st.App("playground/lab/main.py", routes=server.routes(), middleware=server.middleware(), lifespan=server.lifespan)

if __name__ == "__main__":
    server.run(app, arguments.host, arguments.port)
