"""What all tests share: the browser, and the rule that on a build machine nothing of it may be missing."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

# before torch: one thread a process, since small networks gain nothing from two and suites share their machine
os.environ.setdefault("OMP_NUM_THREADS", "1")
# nothing of the person who runs the tests is read or touched
os.environ["PLAYGROUND_HOME"] = tempfile.mkdtemp(prefix="playground-tests-")
# what numba has compiled serves all servers of the tests, each of which has a home of its own
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "numba"))
REAL = Path(os.environ.get("PLAYGROUND_DATASETS", Path(__file__).resolve().parents[2] / "shared" / "datasets"))
if REAL.is_dir():
    os.environ["PLAYGROUND_DATASETS"] = str(REAL)

pytest_plugins = ["tests.studio"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
STUDIO = {f"tests/test_{name}.py" for name in (  # they ask a whole server with the Studio
    "classify_faces", "compress", "detect", "retrieve_faces", "studio", "studio_segment", "studio_tasks")}
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


@pytest.fixture
def bench(tmp_path):
    from playground.workbench import Workbench  # here: the process that hands out the tests needs no torch

    bench = Workbench(tmp_path, "cpu")
    yield bench
    bench.close()


@pytest.hookimpl(tryfirst=True)  # before the marks choose
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole files, those with a browser spread among the others: a browser test waits, the others compute, and two
    browsers at once would starve each other on two cores. What asks a whole server with the Studio is slow."""
    for item in items:
        if "served" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    files: dict[bool, dict[Path, list[pytest.Item]]] = {True: {}, False: {}}
    for item in items:
        files[item.get_closest_marker("browser") is not None].setdefault(item.path, []).append(item)
    place = [((i + 0.5) / len(found), tests) for found in files.values() for i, tests in enumerate(found.values())]
    items[:] = [test for _, tests in sorted(place, key=lambda one: one[0]) for test in tests]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Whole files to a process, and all that ask the Studio to one, which starts it once."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "studio" if file in STUDIO else file

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish():
    """What was imported and collected stays: no later garbage collection looks through it again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish():
    gc.unfreeze()  # some libraries look at the end for what was never freed


def _without_the_browsers_loop(item: pytest.Item):
    """The browser's driver leaves its event loop marked as running on this thread until the session ends, so that
    nobody else could run one; tests that have nothing to do with the browser are spared that mark."""
    if item.get_closest_marker("browser"):
        return (yield)
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(loop)


pytest_runtest_setup = pytest.hookimpl(wrapper=True)(_without_the_browsers_loop)
pytest_runtest_call = pytest.hookimpl(wrapper=True)(_without_the_browsers_loop)


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
