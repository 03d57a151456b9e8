"""The audit's verdict: what was found fails, and what nobody could tell is never called clean."""

from __future__ import annotations

import json

import pytest

from benchmarks.audit import said

CLEAN = {"name": "torch", "version": "2", "vulns": []}
BAD = {"name": "pillow", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "numpy", "skip_reason": "Dependency not found"}
PIP = {"name": "pip", "version": "1", "vulns": [{"id": "CVE-2", "fix_versions": []}]}


@pytest.mark.parametrize(("packages", "status", "words"), [
    ([CLEAN], 0, ["0 known vulnerabilities in 1 packages."]),
    ([CLEAN, BAD], 1, ["pillow 1: CVE-1, mended in 1.1", "1 known vulnerabilities in 2 packages."]),
    ([CLEAN, UNKNOWN], 0, ["0 known vulnerabilities in 1 packages; nothing is known of numpy."]),
    ([UNKNOWN, PIP], 0, ["NOT AUDITED: the package index here knows nothing of vulnerabilities."]),
])  # fmt: skip
def test_the_verdict(packages, status, words):
    assert said(json.dumps({"dependencies": packages, "fixes": []})) == (status, words)


@pytest.mark.parametrize("told", ["", "{}", "[]", "Traceback"])
def test_no_answer_is_no_clean_bill(told):
    status, (line,) = said(told)
    assert status == 0 and line.startswith("NOT AUDITED")
