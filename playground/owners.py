"""Owners: to whom a run belongs, and who may find it in a list and steer it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

NOBODY = "-"  # owns what is started by someone who cannot be told from others; it is in nobody's list


def owner_of(key: str) -> str:
    """The owner whose browser holds this key: what is written down is its hash, never the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Viewer:
    """Who asks. owner: whose runs are theirs. teacher: all are. local: what belongs to this machine is, too.

    Runs without an owner belong to the machine: those started by its command line, or before runs had owners.
    """

    owner: str = ""
    teacher: bool = False
    local: bool = True

    def owns(self, owner: str) -> bool:
        """Whether a run of this owner is in this viewer's lists and does what they say."""
        if self.teacher:
            return True
        return owner == self.owner != NOBODY if owner else self.local


MACHINE = Viewer()  # whoever sits at the machine itself, and has no browser's key
