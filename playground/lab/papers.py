"""The page "Does it hold?": what `python -m playground reproduce` has found, as the files that it wrote say it."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
FOUND = ROOT / "benchmarks" / "results" / "papers"
FIGURES = ROOT / "docs" / "results"
ADDRESS = "/papers"  # where the server shows FIGURES

ABOUT = (
    "What papers published, and what the playground’s own code gives. Each is tried again by one command, which writes "
    "these numbers; none comes from anywhere else."
)
MISSING = (
    "The papers’ results are not part of this installation: they lie in benchmarks/ beside the playground. In a "
    "checkout of the project, python -m playground reproduce NAME tries a paper again."
)
QUICK = "Only the quick form has run: less data, fewer steps. The aims are those of the full form."
MET = {True: "yes", False: "no", None: ""}
FACTS = ("name", "title", "setting", "form", "command", "figure", "shows", "rows", "seconds", "machine")


def results(folder: Path = FOUND) -> list[dict[str, Any]]:
    """What has been found, as `reproduce` wrote it: papers by year, the full form of each before the quick one.

    A file that is no such result is left out; without the folder there are none.
    """
    found = [one for path in sorted(folder.glob("*.json")) if (one := _read(path))]
    return sorted(found, key=lambda one: (one["name"][-4:], one["name"], one["form"] != "full"))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        one = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return one if isinstance(one, dict) and all(fact in one for fact in FACTS) else None


def page(found: Sequence[dict[str, Any]], figures: Path = FIGURES) -> str:
    """The page's HTML; one sentence where nothing has been found."""
    if not found:
        return f'<div class="ap-papers" data-testid="papers"><h1>Does it hold?</h1><p>{_text(MISSING)}</p></div>'
    papers = [list(forms) for _, forms in groupby(found, lambda one: one["name"])]
    best = [row for forms in papers for row in forms[0]["rows"] if row["met"] is not None]
    met = sum(row["met"] for row in best)
    told = f"{met} of {len(best)} aims are met, quick forms counted where no full one has run."
    parts = [f'<div class="ap-papers" data-testid="papers"><h1>Does it hold?</h1><p>{_text(ABOUT)} {told}</p>']
    return "".join([*parts, *(_paper(forms, figures) for forms in papers), "</div>"])


def _paper(forms: Sequence[dict[str, Any]], figures: Path) -> str:
    """A paper: its full form, and its quick one folded away below; or the quick one, where it is all there is."""
    first, rest = forms[0], forms[1:]
    aims = [row["met"] for row in first["rows"] if row["met"] is not None]
    said = f'<span class="ap-aims">{sum(aims)} of {len(aims)} aims met</span>' if aims else ""
    parts = [
        f'<section data-testid="paper-{_text(first["name"])}"><h2>{_text(first["title"])}</h2>{said}',
        f'<p>{_text(first["setting"])}</p>', f'<p class="ap-form">{QUICK}</p>' if first["form"] == "quick" else "",
        _form(first, figures),
    ]  # fmt: skip
    parts += [f'<details><summary>The {_text(one["form"])} form</summary>{_form(one, figures)}</details>'
              for one in rest]
    return "".join([*parts, "</section>"])


def _form(one: dict[str, Any], figures: Path) -> str:
    heads = ("", "published", "obtained", "aim", "met")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, one['rows']))}</tbody></table>"
    note = f'<p>{_text(one["note"])}</p>' if one.get("note") else ""
    return f'<div class="ap-form-{_text(one["form"])}"><div>{table}{note}{_how(one)}</div>{_figure(one, figures)}</div>'


def _row(row: dict[str, Any]) -> str:
    met = MET[row["met"]]
    cells = "".join(f'<td data-head="{name}">{_text(row[name])}</td>' for name in ("published", "obtained", "aim"))
    return f'<tr><th scope="row">{_text(row["what"])}</th>{cells}<td data-head="met" class="ap-{met}">{met}</td></tr>'


def _how(one: dict[str, Any]) -> str:
    """The command, where and how long it ran, and its experiments as links into the Train page."""
    where = one["machine"]
    ran = f"{where.get('date', '')}, {where.get('device', '')}, {one['seconds']:,.0f} s"
    links = ", ".join(
        f'<a href="{_text(address)}">{_text(name)}</a>'
        for name, _, address in (text.partition(": ") for text in one.get("experiments", ()))
        if address.startswith("/?")
    )
    tried = f"<p>Experiments: {links}</p>" if links else ""
    return f'<p><code>{_text(one["command"])}</code> <span class="ap-ran">{_text(ran)}</span></p>{tried}'


def _figure(one: dict[str, Any], figures: Path) -> str:
    path, shows = figures / Path(one["figure"]).name, _text(one["shows"])
    try:
        head = path.read_bytes()[:24]
    except OSError:
        return ""
    wide, high = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))  # of a PNG
    kind = ' class="ap-wide"' if wide > 2 * high else ""
    size = f'width="{wide}" height="{high}" loading="lazy"'
    return (f'<figure{kind}><img src="{ADDRESS}/{_text(path.name)}" alt="{shows}" {size}>'
            f"<figcaption>{shows}</figcaption></figure>")


def _text(raw: Any) -> str:
    return html.escape(str(raw))
