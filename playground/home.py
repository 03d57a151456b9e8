"""Where the playground keeps what it makes and downloads: one folder, with `runs`, `data` and `images` in it."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from playground.events import Trouble

FOLDERS = ("runs", "data", "images")
PASSING = "passing"  # what libraries keep for a while: uploads, results, what they have compiled
HOUR = 3600  # seconds that it is kept at least
CACHES = ("XDG_CACHE_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR")  # where libraries would otherwise choose for themselves


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


def settle() -> None:
    """Have the libraries of this process keep what they write beneath `home()` as well; called before it uses them.

    Caches stay where the environment names folders for them. What an earlier process left behind is removed.
    """
    caches, files = home() / PASSING / "caches", home() / PASSING / "files"
    for folder in (caches, files):
        folder.mkdir(parents=True, exist_ok=True)
    for name in CACHES:
        os.environ.setdefault(name, str(caches))
    tempfile.tempdir = str(files)
    for path in sorted(files.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path.lstat().st_mtime < time.time() - HOUR:
            _remove(path)


def _remove(path: Path) -> None:
    try:
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    except OSError:
        pass  # it has younger files in it, or was somebody else's
