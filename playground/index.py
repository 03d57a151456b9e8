"""Index: what is kept of many images so that they need not be encoded again: safetensors files in one bounded folder.

A file is used again only where its header says what is expected (the model's weights, the images, the version) and its
arrays are whole; where it does not, it is as good as missing, and made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

FORMAT, VERSION = "autoencoder-playground-index", "1"
MOST = 500_000_000  # bytes of all files of one folder
RECENT = 6  # results in memory

Arrays = dict[str, np.ndarray]


class Indexes:
    """The files of one folder, and beside them the galleries searched last, ready in memory.

    Where the folder has more than `most` bytes, the files not used for longest go first.
    """

    def __init__(self, folder: Path, most: int = MOST):
        self.folder, self.most = folder, most
        self._recent: dict[Any, tuple[Any, Any]] = {}

    def path(self, owner: str) -> Path:
        """The file of an owner, which any text can name."""
        return self.folder / f"{fingerprint(owner.encode())}.safetensors"

    def load(self, owner: str, expected: dict[str, str]) -> tuple[Arrays, dict[str, Any]] | None:
        """The arrays and what was said about them; None where there is no such file, another's or a damaged one."""
        path = self.path(owner)
        try:
            with safe_open(path, "np") as file:
                header = file.metadata() or {}
                if any(header.get(key) != value for key, value in _header(expected).items()):
                    return None
                arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
            if header.get("sum") != _sum(arrays):
                return None
            os.utime(path)
            return arrays, json.loads(header["about"])
        except (SafetensorError, OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, owner: str, expected: dict[str, str], arrays: Arrays, about: dict[str, Any]) -> None:
        """Keep the arrays, in place of the owner's earlier ones: written aside, then renamed.

        What cannot be written or is too large is not kept, which costs time later, and nothing else.
        """
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        if sum(array.nbytes for array in arrays.values()) > self.most:
            return
        path = self.path(owner)
        aside = path.with_suffix(f".{secrets.token_hex(4)}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(to_bytes(arrays, {**_header(expected), "sum": _sum(arrays), "about": json.dumps(about)}))
            os.replace(aside, path)
            self._sweep(path)
        except OSError as error:
            logging.getLogger(__name__).warning("an index could not be kept in %s: %s", self.folder, error)
            with contextlib.suppress(OSError):
                aside.unlink()

    def _sweep(self, newest: Path) -> None:
        """Remove what is too much, and what an interrupted write has left."""
        files = sorted(self.folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime, reverse=True)
        room = self.most - newest.stat().st_size
        for path in files:
            if path != newest and (room := room - path.stat().st_size) < 0:
                path.unlink(missing_ok=True)
        for path in self.folder.glob("*.part"):
            if newest.stat().st_mtime - path.stat().st_mtime > 3600:
                path.unlink(missing_ok=True)

    # In memory ------------------------------------------------------------------------------------------------------

    def recent(self, key: Any, state: Any) -> Any:
        """What was put there for `key` and that state of it; None where there is nothing or it is of another state."""
        its_state, value = self._recent.get(key, (None, None))
        return value if its_state == state else None

    def remember(self, key: Any, state: Any, value: Any) -> None:
        """Have it at hand for the next question; the one that was put there longest ago is let go."""
        self._recent.pop(key, None)
        self._recent[key] = state, value
        while len(self._recent) > RECENT:
            self._recent.pop(next(iter(self._recent)), None)


@cache
def indexes(folder: Path) -> Indexes:
    """The one Indexes of a folder in this process, so that all who ask share what is in memory."""
    return Indexes(folder)


def fingerprint(*parts: bytes | np.ndarray) -> str:
    """A name for bytes and arrays: equal for equal ones, 32 hexadecimal digits (BLAKE2)."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            state.update(f"{part.dtype}{part.shape}".encode())
            state.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
        else:
            state.update(part)
    return state.hexdigest()


def _sum(arrays: Arrays) -> str:
    return fingerprint(*(part for name in sorted(arrays) for part in (name.encode(), arrays[name])))


def _header(expected: dict[str, str]) -> dict[str, str]:
    return {"format": FORMAT, "version": VERSION, **expected}
