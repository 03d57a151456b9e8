"""A stand-in for the package of ZeroGPU hosts: calls go through pickle, as to another process, and are written down."""

from __future__ import annotations

import functools
import json
import os
import pickle
import time
from pathlib import Path


def GPU(function=None, duration=60):  # noqa: N802
    """Decorate a generator that may use the GPU for `duration` seconds."""
    if function is None:
        return functools.partial(GPU, duration=duration)
    name = pickle.dumps(function)  # by its module and name, as another process would find it

    @functools.wraps(function)
    def call(*values):
        began = time.monotonic()
        for event in pickle.loads(name)(*pickle.loads(pickle.dumps(values))):
            yield pickle.loads(pickle.dumps(event))
        with Path(os.environ["SPACES_LOG"]).open("a") as log:
            log.write(json.dumps({"seconds": time.monotonic() - began, "allowed": duration, "job": values[1]}) + "\n")

    return call
