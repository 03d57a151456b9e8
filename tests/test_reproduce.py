"""Trying papers again: the command, the measures with which it judges, what it writes, and that it resumes."""

from __future__ import annotations

import ast
import json
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.papers import NAMES, gabor, lab
from benchmarks.papers.alain2014 import compared
from benchmarks.papers.baldi1989 import angle
from benchmarks.papers.hinton2006 import orthogonal
from benchmarks.papers.pictures import arrows, filters, stacked
from benchmarks.papers.vincent2010 import standardised
from playground import foreground
from playground.__main__ import main
from playground.experiment import Experiment
from playground.trainer import Session

ROOT = Path(__file__).resolve().parent.parent
PAPERS = ROOT / "benchmarks" / "papers"


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Everything is written below a folder of the test's own."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(lab, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(lab, "FOLDER", tmp_path / "papers")
    return tmp_path


@pytest.mark.parametrize("arguments", [
    ["reproduce", "nobody1999"], ["reproduce"], ["reproduce", "baldi1989", "--fast"],
])
def test_a_wrong_name_is_one_sentence_and_two(arguments, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    if "nobody1999" in arguments:
        assert "nobody1999" in said.err and all(name in said.err for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_paper_is_one_short_file_that_names_its_source(name):
    module = import_module(f"benchmarks.papers.{name}")
    text = (PAPERS / f"{name}.py").read_text(encoding="utf-8")
    assert text.count("\n") <= 130 and name[-4:] in (ast.get_docstring(ast.parse(text)) or "")
    assert name[-4:] in module.TITLE and module.SETTING.endswith(".")


class Tiny:
    """A paper that trains for a moment."""

    TITLE, SETTING = "Nobody 2000: nothing", "A small network."
    QUERY = "data.size=8&architecture.width=16&architecture.code=4&training.epochs=3"

    @staticmethod
    def run(own: lab.Lab) -> lab.Outcome:
        session = own.fit("one", Tiny.QUERY)
        rows = [lab.Row("steps", "66", str(session.step), "66", session.step == 66)]
        return lab.Outcome(rows, np.zeros((1, 8, 8), np.uint8), "Nothing.")


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(lab, "import_module", lambda name: Tiny)
    monkeypatch.setattr(lab, "NAMES", ("tiny2000",))


def test_what_came_out_is_written_down_with_date_device_and_command(tiny, places):
    found = lab.reproduce("tiny2000", quick=True)
    assert json.loads((places / "papers" / "tiny2000-quick.json").read_text("utf-8")) == found
    page = (places / "docs" / "RESULTS.md").read_text("utf-8")
    for part in ("Nobody 2000: nothing (quick)", "| steps | 66 | 66 | 66 | yes |", found["machine"]["date"],
                 found["machine"]["device"], "`python -m playground reproduce tiny2000 --quick`", "tiny2000-quick.png"):
        assert part in page
    assert (places / "docs" / found["figure"]).read_bytes().startswith(b"\x89PNG")
    lab.reproduce("tiny2000", quick=False)
    page = (places / "docs" / "RESULTS.md").read_text("utf-8")
    assert page.index("(full)") < page.index("(quick)")
    assert not [*(places / "home" / "reproduce").iterdir()]


def test_an_interrupted_paper_goes_on_where_it_was_and_ends_with_the_same_weights(monkeypatch):
    whole = lab.Lab("tiny2000", True).fit("one", Tiny.QUERY)
    lab.Lab("tiny2000", True).forget()
    advance, taken = Session.advance, []

    def falling_over(session):
        if session.step == 40:
            raise KeyboardInterrupt
        advance(session)

    monkeypatch.setattr(foreground, "SAVE_EVERY", 0.0)
    monkeypatch.setattr(foreground, "SLICE", 1e-6)
    monkeypatch.setattr(Session, "advance", falling_over)
    with pytest.raises(KeyboardInterrupt):
        lab.Lab("tiny2000", True).fit("one", Tiny.QUERY)
    monkeypatch.setattr(Session, "advance", lambda session: (taken.append(session.step), advance(session)))
    again = lab.Lab("tiny2000", True).fit("one", Tiny.QUERY)
    assert taken[0] > 30 and again.step == whole.step
    for ours, theirs in zip(again.model.parameters(), whole.model.parameters()):
        assert torch.equal(ours, theirs)


def test_images_and_first_weights_may_be_others_and_a_resumed_run_keeps_its_own():
    def ones(model):
        for weights in model.parameters():
            torch.nn.init.constant_(weights, 0.5)

    query = "data.size=8&architecture.width=16&architecture.code=4&training.rate=0.000001&training.epochs=1"
    own = lab.Lab("tiny2000", True)
    first = own.fit("one", query, standardised, ones)
    assert first.resident.train.mean().abs() < 1e-5 and first.resident.train.std() == pytest.approx(1, abs=1e-5)
    assert first.resident is not own.resident(first.experiment.data)
    for weights in first.model.parameters():
        assert ((weights - 0.5).abs() < 1e-3).all()
    again = own.fit("one", query, standardised, lambda model: pytest.fail("the run has its weights"))
    for ours, theirs in zip(again.model.parameters(), first.model.parameters()):
        assert torch.equal(ours, theirs)


def test_orthogonal_first_weights_keep_the_size_of_a_signal_where_torchs_own_do_not():
    query = "data.size=8&architecture.width=256&architecture.depth=6&architecture.code=8&architecture.activation=relu"
    model = Experiment.from_query(query)[0].build((1, 8, 8))
    x = torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    spread = []
    for begin in (lambda model: None, orthogonal):
        begin(model)
        with torch.no_grad():
            spread.append(float(model.encode(x).std(0).mean()))
    assert spread[1] > 10 * spread[0]
    first = model.encoder.blocks[0].linear.weight
    torch.testing.assert_close(first.T @ first, 2 * torch.eye(64), atol=1e-4, rtol=0)
    code = model.encoder.blocks[-1].linear.weight
    torch.testing.assert_close(code @ code.T, torch.eye(len(code)), atol=1e-4, rtol=0)


def test_l_bfgs_resumes_and_lowers_the_objective(places, monkeypatch):
    query = "data.size=8&architecture.depth=1&architecture.code=4&architecture.output=linear"
    own = lab.Lab("tiny2000", True)
    x = own.resident(Experiment.from_query(query)[0].data).train.float() / 255
    begun = own.fit_whole("whole", query, 0).score(x)[1]
    monkeypatch.setattr(lab, "PORTION", 5)
    own.fit_whole("whole", query, 10)
    portions = []
    real = torch.optim.LBFGS.step
    monkeypatch.setattr(torch.optim.LBFGS, "step", lambda self, closure: (portions.append(1), real(self, closure))[1])
    session = lab.Lab("tiny2000", True).fit_whole("whole", query, 20)
    assert len(portions) == 2
    ended = session.score(x)[1]
    assert ended["reconstruction"].mean() < 0.5 * begun["reconstruction"].mean()


def test_the_page_in_docs_is_made_of_the_results_alone(monkeypatch):
    """No figure can be in docs/RESULTS.md that the command did not write."""
    monkeypatch.setattr(lab, "FOLDER", ROOT / "benchmarks" / "results" / "papers")
    page = (ROOT / "docs" / "RESULTS.md").read_text("utf-8")
    assert page == lab.page()
    for figure in re.findall(r"\]\((results/.*?)\)", page):
        assert (ROOT / "docs" / figure).stat().st_size > 500


# The measures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle_", [0.0, 0.6, 1.5])
@pytest.mark.parametrize("side", [8, 12])
def test_a_gabor_function_is_an_edge_and_is_fitted_in_spite_of_noise(angle_, side):
    truth = gabor.gabor(np.array([side / 2 - 0.5, side / 2, side / 6, side / 5, angle_, 1.6 / side, 0.4]), side)
    noisy = 3 * truth + np.random.default_rng(0).normal(0, 0.15, side**2)
    r2, parameters = gabor.fit(noisy, side)
    assert r2 > 0.8 and gabor.is_edge(r2, parameters, side)
    apart = (parameters[4] - angle_) % np.pi
    assert min(apart, np.pi - apart) < 0.15
    assert parameters[5] == pytest.approx(1.6 / side, rel=0.2)


@pytest.mark.slow
def test_noise_blobs_and_gratings_are_no_edges():
    rng, side = np.random.default_rng(0), 8
    y, x = np.mgrid[:side, :side].reshape(2, -1)
    blob = np.exp(-((x - 3.5) ** 2 + (y - 3.5) ** 2) / 8)
    grating = np.cos(2 * np.pi * 0.25 * x)
    assert gabor.share_of_edges(rng.normal(size=(10, side**2)), side)[0] <= 0.1
    assert gabor.share_of_edges(np.stack([blob, grating, np.zeros(side**2)]), side)[0] == 0


def test_the_angle_between_subspaces_is_in_degrees():
    a, b = np.eye(3)[:, :1], np.array([[np.cos(0.1)], [np.sin(0.1)], [0]])
    assert angle(a, b) == pytest.approx(np.degrees(0.1)) and angle(a, -2 * a) == pytest.approx(0, abs=1e-6)


def test_cosine_and_slope_of_fields():
    true = np.random.default_rng(0).normal(size=(50, 2))
    assert compared(0.9 * true, true) == pytest.approx((1, 0.9))
    assert compared(true[:, ::-1] * [1, -1], true) == pytest.approx((0, 0), abs=1e-12)


def test_pictures():
    ground = np.linspace(0, 1, 25).reshape(5, 5)
    picture = arrows(ground, np.array([[0.5, 0.5]]), np.array([[1.0, 0]]), np.array([[0, 1.0]]), 0.3)
    assert picture.shape == (3, 720, 720)
    assert tuple(picture[:, 360, 500]) == (20, 70, 160) and tuple(picture[:, 250, 360]) == (224, 122, 31)
    tiles = filters(np.array([[1.0, 0, 0, -1], [0, 0, 0, 0]]), 2, 2, 1)
    assert tiles.shape[0] == 1 and tiles.max() == 255 and tiles.min() == 0
    assert stacked(tiles, tiles, gap=3).shape[1] == 2 * tiles.shape[1] + 3
