"""The ways to start the server, and how it stops while a run is going on."""

from __future__ import annotations

import pytest

from playground.library import Library
from tests.browser.conftest import ROOT, Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
APP = str(ROOT / "app.py")


@pytest.mark.parametrize("command", [(APP, "--port"), ("-m", "streamlit", "run", APP, "--server.port")],
                         ids=["python app.py", "streamlit run app.py"])
def test_ctrl_c_in_mid_run_ends_cleanly_and_keeps_the_run(command, browser, tmp_path):
    server = Server(tmp_path, command).wait()
    page = browser.new_page()
    page.goto(f"{server.address}/?training.epochs=10000")
    page.wait_for_selector("[data-testid=live-curves][data-status=ready]", state="attached", timeout=60_000)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("[data-testid=live-curves][data-status=running]", state="attached", timeout=20_000)
    page.wait_for_timeout(500)
    code, seconds, printed = server.interrupt()
    page.close()
    assert code in (0, 130) and "Traceback" not in printed, printed
    assert f"http://localhost:{server.port}" in printed
    assert seconds < 3
    (run,) = Library(tmp_path / "runs").saved()
    assert run.step > 0 and run.status == "running"
