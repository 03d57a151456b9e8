"""Accuracy by the number of labels, a line for each way of learning, as a picture that needs no script."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from playground.labelling.curve import Point
from playground.tasks.classify import WAYS

FOUND = Path(__file__).resolve().parent.parent.parent / "benchmarks" / "results" / "labels.json"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560, 250, 46, 92, 12, 38
COLOURS = {"probe": "accent", "fine-tuned": "pen", "pixels": "held"}
DASHES = {"probe": "", "fine-tuned": "7 3", "pixels": "2 3"}
WORDS = {"probe": "probe", "fine-tuned": "fine-tuned", "pixels": "pixels"}


def shipped(path: Path = FOUND) -> list[Point]:
    """What `python -m benchmarks.labels` has measured on MNIST; nothing where that file is missing."""
    try:
        return [Point(str(way), int(labels), float(accuracy))
                for way, labels, accuracy in json.loads(path.read_text(encoding="utf-8"))["points"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def means(points: Sequence[Point], way: str) -> list[tuple[int, float, int]]:
    """(labels, mean accuracy, runs) of one way, few labels first and all of them (0) last."""
    counts = sorted({one.labels for one in points if one.way == way}, key=lambda n: n or math.inf)
    found = [[one.accuracy for one in points if (one.way, one.labels) == (way, n)] for n in counts]
    return [(n, mean(values), len(values)) for n, values in zip(counts, found)]


def picture(points: Sequence[Point], about: str) -> str:
    """The curve as HTML: an SVG with each point's value as its title, and the same as a table; about: its caption."""
    stops = sorted({one.labels for one in points}, key=lambda n: n or math.inf)
    floor = max(0.0, math.floor(20 * min((one.accuracy for one in points), default=0)) / 20)
    lines = {way: means(points, way) for way in WAYS}

    def x(labels: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * stops.index(labels) / max(1, len(stops) - 1)

    def y(accuracy: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (accuracy - floor) / max(1e-9, 1 - floor))

    parts = []
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (1 - floor) / step < 6.5)
    for i in range(round((1 - floor) / step) + 1):
        share = 1 - i * step
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}" class="ap-rule"/>'
                     f'<text x="{LEFT - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{100 * share:.4g} %</text>')
    parts += [f'<text x="{x(n):.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{f"{n:,}" if n else "all"}</text>'
              for n in stops]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">labels per class</text>')
    ends = _apart([(y(line[-1][1]), way) for way, line in lines.items() if line])
    for way, line in lines.items():
        if not line:
            continue
        path = " ".join(f"{x(n):.1f},{y(share):.1f}" for n, share, _ in line)
        colour = f"var(--ap-{COLOURS[way]})"
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
                     f'stroke-dasharray="{DASHES[way]}"/>')
        parts += [f'<circle cx="{x(n):.1f}" cy="{y(share):.1f}" r="3.5" fill="{colour}">'
                  f"<title>{WORDS[way]}, {_named(n)}: {100 * share:.1f} %</title></circle>" for n, share, _ in line]
        parts.append(f'<text x="{x(line[-1][0]) + 9:.1f}" y="{ends[way] + 4:.1f}" style="fill:{colour}">'
                     f"{WORDS[way]}</text>")
    drawing = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_text(about)}">{"".join(parts)}</svg>'
    return f'<figure class="ap-labels" data-testid="label-curve">{drawing}{_table(stops, lines)}' \
           f"<figcaption>{_text(about)}</figcaption></figure>"


def _apart(ends: list[tuple[float, str]], gap: float = 14) -> dict[str, float]:
    """Where the lines' names stand, none over another."""
    placed: dict[str, float] = {}
    last = -math.inf
    for at, way in sorted(ends):
        last = placed[way] = max(at, last + gap)
    return placed


def _table(stops: list[int], lines: dict[str, list[tuple[int, float, int]]]) -> str:
    head = "".join(f'<th scope="col">{f"{n:,}" if n else "all"}</th>' for n in stops)
    rows = []
    for way, line in lines.items():
        if line:
            share = {n: accuracy for n, accuracy, _ in line}
            cells = "".join(f"<td>{f'{100 * share[n]:.1f}' if n in share else ''}</td>" for n in stops)
            rows.append(f'<tr><th scope="row">{WORDS[way]}, %</th>{cells}</tr>')
    return f'<table><thead><tr><th scope="col">labels per class</th>{head}</tr></thead>' \
           f"<tbody>{''.join(rows)}</tbody></table>"


def _named(labels: int) -> str:
    return f"{labels:,} labels per class" if labels else "all labels"


def _text(raw: str) -> str:
    return html.escape(raw)
