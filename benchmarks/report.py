"""Reports: a table in Markdown for people, its figures as JSON, and on what machine they were measured."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def machine(device: str) -> dict[str, Any]:
    """What the figures depend on besides the code."""
    import torch

    return {
        "device": device,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.system(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is words, the others are figures."""
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


Rows = Sequence[Sequence[str]]


def publish(name: str, device: str, head: Sequence[str], rows: Rows, figures: dict[str, Any]) -> None:
    """Print the table and write results/`name`.json with the figures behind it."""
    where = machine(device)
    print(f"\n{where['device']}; {where['processor']}, {where['cores']} cores; Python {where['python']}, "
          f"torch {where['torch']}; {where['date']}\n")
    print(markdown(head, rows), flush=True)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": where, **figures}, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
