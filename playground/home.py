"""Where the playground keeps what it makes and downloads: one folder, with `runs`, `data` and `images` in it."""

from __future__ import annotations

import os
from pathlib import Path

from playground.events import Trouble

FOLDERS = ("runs", "data", "images")


def home() -> Path:
    """The folder named by the environment variable PLAYGROUND_HOME, or ~/.autoencoder-playground; made if missing.

    Its sub-folders `runs`, `data` and `images` exist when this returns; `indexes` comes when there are some.
    Trouble if they cannot be made.
    """
    root = Path(os.environ.get("PLAYGROUND_HOME") or Path.home() / ".autoencoder-playground").expanduser()
    try:
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Trouble(f"The folder {root} cannot be made: {error.strerror}; PLAYGROUND_HOME names another.") from None
    return root
