"""Export: codes and places as CSV, NumPy arrays, or one HTML page that needs nothing else."""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from html import escape
from pathlib import Path

import numpy as np

from playground.probes.codes import Codes

PAGE = Path(__file__).resolve().parent / "map_page.html"
PNG = b"\x89PNG"
DIGITS = 7  # significant: what float32 holds


def to_csv(codes: Codes, places: np.ndarray, which: np.ndarray | None = None) -> str:
    """A line per point: position in the data set, part, class, error, place, code. which: points, else all."""
    k = codes.codes.shape[1]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["index", "part", "label", "class", "error", "x", "y", *(f"code_{i}" for i in range(k))])
    for i in np.arange(len(codes.codes)) if which is None else which:
        label = int(codes.labels[i])
        numbers = [codes.errors[i], *places[i], *codes.codes[i]]
        table.writerow([
            int(codes.index[i]), "held out" if codes.held_out[i] else "train", label,
            _safe(codes.classes[label]) if label < len(codes.classes) else "",
            *(f"{value:.{DIGITS + 2}g}" for value in numbers),
        ])  # fmt: skip
    return text.getvalue()


def to_npz(codes: Codes, places: np.ndarray) -> bytes:
    """The same as arrays, with the thumbnails; loads with allow_pickle=False."""
    file = io.BytesIO()
    np.savez_compressed(
        file, codes=codes.codes, places=places, index=codes.index, held_out=codes.held_out, labels=codes.labels,
        errors=codes.errors, thumbnails=codes.thumbs, classes=np.array(codes.classes, dtype=np.str_),
    )  # fmt: skip
    return file.getvalue()


def to_html(codes: Codes, places: np.ndarray, title: str, note: str, sheet: bytes, columns: int, look: str = "") -> str:
    """One page with the map, its colours and the thumbnail under the pointer or the keyboard's cursor.

    sheet: the thumbnails in rows of `columns`, WebP or PNG. look: the style sheet with the page's colours.
    """
    data = {
        "places": b64encode(places.astype("<f4").tobytes()).decode(),
        "labels": codes.labels.tolist(),
        "classes": list(codes.classes),
        "errors": [float(f"{error:.4g}") for error in codes.errors],
        "sheet": f"data:image/{'png' if sheet.startswith(PNG) else 'webp'};base64," + b64encode(sheet).decode(),
        "columns": columns,
        "tile": list(codes.thumbs.shape[2:]),
    }
    # "</" would end the script, and class names may be anything
    text = json.dumps(data, ensure_ascii=True).replace("</", "<\\/").replace("<!--", "<\\!--")
    page = PAGE.read_text(encoding="utf-8")
    page = page.replace("{{look}}", look).replace("{{title}}", escape(title)).replace("{{note}}", escape(note))
    return page.replace("{{data}}", text)


def _safe(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return "'" + name if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name
