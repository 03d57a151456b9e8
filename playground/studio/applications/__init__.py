"""Endpoints of the applications, one module each with `expose(actions)`; this folder is their list."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.studio.endpoints import Actions


def expose_all(actions: Actions) -> None:
    """Declare the endpoints of every module here, inside the Blocks that are being made."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda one: one.name):
        importlib.import_module(f"{__name__}.{module.name}").expose(actions)
