"""Finding the files that other packages ship, without importing those packages (scikit-learn alone costs a second)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from playground.events import Trouble

DISTRIBUTIONS = {"sklearn": "scikit-learn", "skimage": "scikit-image"}


def installed_file(package: str, path: str) -> Path:
    """The file `path` inside an installed package; Trouble that names the package if it is not there."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / path).is_file():
            return Path(folder) / path
    raise Trouble(f"This data set lies inside {DISTRIBUTIONS[package]}, where {path} is missing: install it again.")
