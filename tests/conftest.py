"""What all tests share: the browser, and the rule that on a build machine nothing of it may be missing."""

from __future__ import annotations

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = ("chromium", "browser", "shared/datasets")  # a skip that names one of these is a failure there


def _must_run_all() -> bool:
    return bool(os.environ.get("PLAYGROUND_REQUIRE_ALL"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive; PLAYGROUND_CHROMIUM names another one than the system's."""
    found = os.environ.get("PLAYGROUND_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed here (Debian: apt install chromium)")
    return found


def _required(report: pytest.TestReport | pytest.CollectReport) -> bool:
    return report.skipped and any(word in str(report.longrepr).lower() for word in REQUIRED)


def _fail(report) -> None:
    if _must_run_all() and _required(report):
        report.outcome, report.longrepr = "failed", f"PLAYGROUND_REQUIRE_ALL is set, yet: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    _fail(report)
    return report
