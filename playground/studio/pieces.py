"""The project's own components inside the Studio's page: their sources by route, and their place in the page."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from playground.lab.pieces import SCRIPTS, source

HOST = Path(__file__).resolve().parent / "host.js"


def routes() -> list[BaseRoute]:
    """/pieces/<name>.js, a module with a component's html and css beside its script; and the icons that it may use."""
    return [Route("/pieces/icons.woff2", icons), Route("/pieces/{name}.js", module)]


async def module(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in SCRIPTS:
        return JSONResponse({"problem": "There is no component of that name."}, 404)
    return Response(_module(name), media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@cache
def _module(name: str) -> str:
    parts = source(name)
    page = f"const pieceHtml = {json.dumps(parts['html'])}, pieceCss = {json.dumps(parts['css'])};"
    return f"{parts['js']}\n{page}\nexport {{ pieceHtml as html, pieceCss as css }};\n"


async def icons(request: Request) -> Response:
    """The icon font that Streamlit ships, which the components' buttons use in the Lab."""
    if (path := _icons()) is None:
        return JSONResponse({"problem": "There are no icons here."}, 404)
    return FileResponse(path, media_type="font/woff2", headers={"Cache-Control": "max-age=86400"})


@cache
def _icons() -> Path | None:
    found = find_spec("streamlit")
    folder = Path(found.origin).parent if found and found.origin else Path()
    return next(folder.glob("static/static/media/MaterialSymbols-Rounded*.woff2"), None)


def piece(name: str, height: str, value: str = "", **settings: Any) -> Any:
    """A component of the project as a gr.HTML of a height in CSS; its value is what it is told, as JSON."""
    import gradio as gr

    template = f'<div class="ap-piece" data-piece="{name}" style="height:{height}" hidden></div>'
    return gr.HTML(
        value, html_template=template, js_on_load=HOST.read_text(encoding="utf-8"), apply_default_css=False, **settings
    )
