"""The page "Does it hold?": it says what was found, folds quick forms away, and says in a sentence when nothing is."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.experiment import Experiment
from playground.lab import papers
from tests.test_lab import bench, opened  # noqa: F401  (fixture)

VIEW = Path(__file__).resolve().parent.parent / "playground" / "lab" / "views" / "papers.py"


def written(folder: Path, name="b2001", form="full", met=True, **more) -> None:
    rows = [{"what": "error <of> it", "published": "1", "obtained": "0.9", "aim": "below 1", "met": met},
            {"what": "beside", "published": "", "obtained": "2", "aim": "", "met": None}]
    told = {"name": name, "title": f"Title {name}", "setting": "S.", "form": form, "command": f"reproduce {name}",
            "figure": f"results/{name}-{form}.png", "shows": "It shows.", "rows": rows, "seconds": 1234.5,
            "machine": {"date": "2026-01-02", "device": "CPU"}, **more}
    (folder / f"{name}-{form}.json").write_text(json.dumps(told))


def test_papers_come_by_year_and_full_forms_first(tmp_path):
    for name, form in (("b2001", "quick"), ("a2010", "full"), ("b2001", "full"), ("z1990", "quick")):
        written(tmp_path, name, form)
    (tmp_path / "c2002-full.json").write_text("{")
    (tmp_path / "d2002-full.json").write_text('{"name": "d2002"}')
    found = [(one["name"], one["form"]) for one in papers.results(tmp_path)]
    assert found == [("z1990", "quick"), ("b2001", "full"), ("b2001", "quick"), ("a2010", "full")]


def test_numbers_aims_and_forms(tmp_path):
    written(tmp_path, met=False, experiments=["one: /?data=digits", "odd: javascript:alert(1)"])
    written(tmp_path, form="quick")
    written(tmp_path, "c2002", "quick")
    page = papers.page(papers.results(tmp_path), tmp_path)
    assert "1 of 2 aims are met" in page  # the quick form counts only where there is no full one
    first, second = page.split('data-testid="paper-')[1:]
    assert first.count("<details>") == 1 and papers.QUICK not in first and papers.QUICK in second
    assert "error &lt;of&gt; it" in page and ">no</td>" in first and "1,234 s" in page
    assert 'href="/?data=digits"' in page and "javascript" not in page
    assert "<img" not in page  # no picture lies there


def test_what_lies_in_the_project_is_readable_whole(tmp_path):
    if not papers.FOUND.is_dir():
        pytest.skip("the papers' results are not here")
    found = papers.results()
    assert len(found) == len(list(papers.FOUND.glob("*.json")))
    assert papers.page(found).count("<img") == len(found)
    for one in found:
        for link in one["experiments"]:
            assert not Experiment.from_query(link.partition("/?")[2])[1]


def test_without_the_results_a_sentence_says_so(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(papers.results, "__defaults__", (tmp_path / "nowhere",))
    test = opened(VIEW, {})
    (said,) = [one.proto.body for one in test.get("html")]
    assert papers.MISSING in said and "<section" not in said
