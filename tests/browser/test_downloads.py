"""The Train page's notebook and script in a real Chromium: what is saved is the experiment on the page."""

from __future__ import annotations

import json

import pytest

from playground.experiment import Experiment
from playground.exporting import script
from tests.browser.test_train_page import SMALL, ready

pytestmark = pytest.mark.browser


def test_the_experiment_is_taken_along(visit, tmp_path):
    page = ready(visit(f"{SMALL}&variant=sparse&variant.rho=0.2"))
    page.get_by_text("More", exact=True).click()
    page.wait_for_timeout(500)  # what opens moves what is below
    for name, ending in (("Notebook", "ipynb"), ("Script", "py")):
        button = page.get_by_role("button", name=name, exact=True)
        button.scroll_into_view_if_needed()
        with page.expect_download() as saved:
            button.click()
        assert saved.value.suggested_filename == f"sparse-4.{ending}"
        saved.value.save_as(tmp_path / f"it.{ending}")
    made, problems = Experiment.from_query(f"{SMALL}&variant=sparse&variant.rho=0.2".lstrip("/?"))
    assert not problems and "rho = 0.2" in script(made)
    assert (tmp_path / "it.py").read_text("utf-8") == script(made)
    cells = json.loads((tmp_path / "it.ipynb").read_text("utf-8"))["cells"]
    assert "".join(cells[-1]["source"]) in script(made)
    assert page.url.count("variant.rho=0.2") == 1  # the page stays as it was


def test_a_link_leaves_them_out(visit):
    page = ready(visit(f"{SMALL}&hide=notebook"))
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Script", exact=True).wait_for()
    assert page.get_by_role("button", name="Notebook", exact=True).count() == 0
