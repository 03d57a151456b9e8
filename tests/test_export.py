"""Exported notebooks and scripts: they run without the playground, and give the trainer's own losses."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.architectures import architectures
from playground.batches import Resident
from playground.data import datasets
from playground.data.own import import_images
from playground.experiment import Experiment
from playground.exporting import file_name, notebook, script
from playground.trainer import Session
from tests.plugins import KINDS, _pictures, experiment, resident

PAIRS = [(kind, architecture) for kind in KINDS for architecture in sorted(architectures)
         if experiment(kind, architecture).settled()[1] == []]
QUERIES = (
    "training.loss=bce&training.decay=0.001&training.schedule=cosine",
    "training.loss=l1&architecture.tied=true&architecture.output=linear",
    "variant=sparse&variant.kind=l1",
    "variant=sparse&variant.kind=top-k&architecture.activation=tanh",
    "variant=denoising&variant.kind=block",
    "variant=denoising&variant.kind=salt-and-pepper&variant.units=sigmoid",
    "variant=contractive&architecture.depth=1",
    "variant=contractive&variant.method=estimate",
    "variant=contractive&data=plane&architecture.code=3",
    "architecture=convolutional&architecture.down=pooling&architecture.up=resize&data.size=28",
    "task=inpaint&task.holes=text&architecture=unet&architecture.skips=false",
    "task=upscale&task.scale=4&architecture=residual",
    "data=plane&data.curve=moons&variant=denoising",
    "data=photos&data.varied=true&data.colour=false&data.size=16",
    "data=cells&data.colour=false&data.size=32&data.count=60",
    "data=patches&data.whiten=true&data.count=300",
    "data=glyphs&data.alphabet=digits&data.background=false&data.count=200",
)
RUNNER = """
import json, sys, types
try:
    import matplotlib
    matplotlib.use("agg")
except ImportError:  # drawing is then only seen to be asked for
    class Anything:
        def __call__(self, *_, **__): return self
        def __getattr__(self, _): return self
        def __iter__(self): return iter([self] * 9)
        def __getitem__(self, _): return self
    def subplots(rows=1, columns=1, **_): return Anything(), Anything()
    pyplot = types.ModuleType("matplotlib.pyplot")
    pyplot.subplots, pyplot.show, pyplot.close = subplots, Anything(), Anything()
    sys.modules |= {"matplotlib": types.ModuleType("matplotlib"), "matplotlib.pyplot": pyplot}
    sys.modules["matplotlib"].pyplot = pyplot
import matplotlib.pyplot
told = {}
for name, text in json.load(sys.stdin).items():
    space = {"__name__": "__main__"}
    try:
        exec(compile(text, name, "exec"), space)
        told[name] = [space["curve"], space["held_out_curve"]]
    except Exception as error:
        import traceback
        told[name] = traceback.format_exc()
    matplotlib.pyplot.close("all")
print("playground" in sys.modules, file=sys.stderr)
print(json.dumps(told))
"""


def batch(data: str) -> int:
    """So many images a step that an epoch has a few."""
    return 128 if data == "digits" else 32


def small(query: str) -> Experiment:
    """An experiment of one epoch, with a small network where the query names none."""
    made, problems = Experiment.from_query(query)
    assert not problems
    architecture = made.architecture
    sizes = {"width": 32 if architecture.name == "dense" else 4, "depth": min(architecture.depth, 2)}
    made = replace(made, architecture=replace(architecture, **{"code": 8, **sizes}))
    return replace(made, training=replace(made.training, epochs=1, batch=batch(made.data.name), rate=3e-3))


def everything() -> dict[str, Experiment]:
    """Every kind with every network it takes, every data set, and knobs that lead other ways."""
    found = {f"{kind}, {network}": experiment(kind, network, epochs=1, batch=128) for kind, network in PAIRS}
    found |= {name: experiment(data=name, epochs=1, batch=batch(name)) for name in datasets if name != "own"}
    own = replace(datasets["own"](), pictures="exported", size=16)
    found["own"] = replace(experiment(epochs=2, batch=16), data=own)
    return found | {query: small(query) for query in QUERIES}


ALL = everything()


def folder(home: Path) -> Path:
    """A folder of pictures, from which a set has been imported too."""
    for name, data in _pictures(40):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(data)
    import_images(home, "exported")
    return home


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Name -> what the exported script found, each run in a space of its own where there is no playground."""
    home = folder(tmp_path_factory.mktemp("pictures"))
    texts = {}
    for name, made in ALL.items():
        try:
            images(made)
        except pytest.skip.Exception:
            continue
        texts[name] = script(made).replace('folder = "pictures"', f"folder = {str(home)!r}").replace(
            'where = "data"', f"where = {os.environ.get('PLAYGROUND_DATASETS', '')!r}")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PLAYGROUND"))}
    clean |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    ran = subprocess.run([sys.executable, "-I", "-c", RUNNER], input=json.dumps(texts), capture_output=True, text=True,
                         cwd=home.parent, env=clean, timeout=200)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stderr.strip().splitlines()[-1] == "False"
    return json.loads(ran.stdout.strip().splitlines()[-1])


def images(made: Experiment) -> Resident:
    return Resident(made.data.load(), torch.device("cpu")) if made.data.name == "own" else resident(made.data)


def stepped(session: Session) -> dict[str, float]:
    """Take a step; the terms of its very batch."""
    score, found = session._score, {}

    def listening(*given):
        for side, terms in score(*given):
            yield side, terms
            found.update({name: float(term.mean()) for name, term in terms.items()})

    session._score = listening
    session.advance()
    session._score = score
    return found


@pytest.mark.parametrize("name", ALL)
def test_a_script_gives_the_trainers_losses(told, name):
    made = ALL[name]
    session = Session(made, images(made), "CPU")
    assert not isinstance(told[name], str), told[name]
    curve, (before, *_, after) = told[name]
    assert len(curve) == session.steps
    assert before == pytest.approx(session.held_out_loss, rel=1e-4)
    for theirs in curve:
        assert theirs == pytest.approx(stepped(session), rel=1e-4, abs=1e-6)
    assert after == pytest.approx(session.evaluate(), rel=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_a_notebook_is_its_script_in_cells(name):
    made = ALL[name]
    read = json.loads(notebook(made))
    assert (read["nbformat"], read["nbformat_minor"]) == (4, 5)
    pieces = []
    for cell in read["cells"]:
        text = "".join(cell["source"])
        assert cell["id"].isalnum() and isinstance(cell["metadata"], dict)
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            pieces.append(f"# %%\n{text}")
        else:
            pieces.append("# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in text.splitlines()))
    assert len({cell["id"] for cell in read["cells"]}) == len(read["cells"])
    assert "\n\n".join(pieces) + "\n" == script(made)


@pytest.mark.parametrize("name", ALL)
def test_a_script_is_plain(name):
    """Nothing of the playground is imported, and what is defined is used."""
    text = script(ALL[name])
    tree = ast.parse(text)
    modules = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [module for module in modules if module.startswith("playground")]
    assert "knob(" not in text and "@dataclass(frozen=True)\nclass" not in text and ".register(" not in text
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert defined <= read
    assert max(map(len, text.replace("# ", "").splitlines())) < 1200
    assert not np.any([line != line.rstrip() for line in text.splitlines()])


def test_a_file_is_called_by_its_run():
    assert file_name(Experiment(), "ipynb") == "undercomplete-16.ipynb"
    assert file_name(small("task=upscale&architecture=residual"), "py") == "upscale-2.py"
