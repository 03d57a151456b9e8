"""What a search has found, as HTML that found.css dresses: an image's nearest by code and by pixels."""

from __future__ import annotations

from html import escape

import numpy as np

from playground.images import to_bytes
from playground.paint_routes import url_of
from playground.retriever import ASKED, Found, Question, Searched

HEADS = {"code": "By code", "pixels": "By pixels"}


def page(ready: Searched, question: Question, found: dict[str, Found], asked: np.ndarray, whose: str) -> str:
    """The image that is asked with and its neighbours, a row for each way, as HTML."""
    among = ready.among
    label = None
    if isinstance(question, int) and among.asking is not None and among.classes:
        label = int(among.asking.labels[question])
    known = f"<b>{escape(among.classes[label])}</b> " if label is not None else ""
    name = known + whose
    rows = "".join(_row(ready, by, one, label) for by, one in found.items())
    return (f'<div class="ap-found" data-testid="application-result"><figure class="asked"><img src="{url_of(asked)}" '
            f'alt="The image asked with"><figcaption>{name}</figcaption></figure>{rows}</div>')


def _row(ready: Searched, by: str, found: Found, label: int | None) -> str:
    among, figures = ready.among, []
    for row, distance in zip(found.rows, found.distances):
        known = among.told(int(row))
        name = escape(str(known["label"])) if known["label"] is not None else ""
        right = None if label is None else int(among.labels[row]) == label
        mark = "" if right is None else "right" if right else "wrong"
        away = f"{distance:.0f} bit{'' if distance == 1 else 's'}" if by == "code" and ready.bits else f"{distance:.2f}"
        where = escape(str(known.get("file", f"Image {known.get('index')}")))
        url = url_of(to_bytes(among.images[row]))
        figures.append(
            f'<figure class="{mark}" data-mark="{mark}" title="{where}"><img src="{url}" alt="{name or where}">'
            f'<figcaption><b>{name}</b> {away}{f"<em>{mark}</em>" * bool(mark)}</figcaption>'
            "</figure>"
        )
    return f'<section data-by="{by}"><h5>{HEADS[by]}</h5><div>{"".join(figures)}</div></section>'


def table(ready: Searched, found: dict[str, Found], precisions: dict[str, float | None] | None) -> str:
    """What each way is worth and costs, as an HTML table."""
    numbers = f"{ready.size} {'bits' if ready.bits else 'numbers'}"
    rows = ""
    for by, one in found.items():
        worth = (precisions or {}).get(by)
        text = "–" if worth is None else f"{100 * worth:.1f} %"
        what = f"code, {numbers}" if by == "code" else "pixels"
        rows += (f'<tr data-by="{by}"><th>{what}</th><td class="precision">{text}</td><td>{ready.sizes[by]:,}</td>'
                 f'<td class="took">{1000 * one.seconds:.1f} ms</td></tr>')
    asking = ready.among.asking
    of = f"{min(ASKED, len(asking.images)):,} held-out images" if asking is not None else "held-out images"
    return (f'<table class="ap-worth"><thead><tr><th></th><th>precision at 10, {of}</th><th>bytes an image</th>'
            f"<th>this search</th></tr></thead><tbody>{rows}</tbody></table>")


def caption(ready: Searched) -> str:
    """How many images there are, where their codes are from, and what the distances are, in words."""
    took = f"{ready.built:.1f} s" if ready.built > 1 else f"{1000 * ready.built:.0f} ms"
    kept = "" if ready.among.passing else ", kept for the next time"
    how = f"encoded in {took}{kept}" if ready.built else "their codes were kept"
    return (f"{len(ready.among):,} images, {how}. Distances: {ready.measures['code']}; "
            f"{ready.measures['pixels']} from 0 to 1.")
