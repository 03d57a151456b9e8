"""More of the explorer's routes: walks, groups, one's own pictures, directions, scores and export."""

from __future__ import annotations

HANDLERS: list = []
