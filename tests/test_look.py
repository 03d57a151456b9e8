"""The playground's colours: each written once, and what is written in them can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground import look

ROOT = Path(__file__).resolve().parent.parent


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("side", (0, 1), ids=("light", "dark"))
def test_text_and_classes_can_be_told_from_their_ground(side):
    colour = {name: pair[side] for name, pair in look.COLOURS.items()}
    for name in ("ink", "ink2", "ink3", "accent", "held", "pen", "bad"):
        assert contrast(colour[name], colour["page"]) >= 4.5, name
    assert contrast(colour["on"], colour["accent"]) >= 4.5
    for pair in look.CLASSES:
        assert contrast(pair[side], colour["panel"]) >= 3.0


def test_a_colour_is_written_in_one_place_only():
    for path in (ROOT / "playground" / "lab").rglob("*.css"):
        assert not re.search(r"#[0-9a-fA-F]{6}\b", path.read_text()), path
