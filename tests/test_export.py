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

from playground.__main__ import main
from playground.architectures import architectures
from playground.batches import Resident
from playground.data import datasets
from playground.data.own import import_images
from playground.experiment import Experiment
from playground.exporting import file_name, notebook, script
from playground.images import to_png
from playground.trainer import Session
from tests.plugins import KINDS, _pictures, experiment, few, first_data, resident

pytestmark = pytest.mark.timeout(900)  # all scripts run in one go: half a minute's work, more where others work

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
    "architecture=convolutional&architecture.down=pooling&architecture.up=resize",
    "task=inpaint&task.holes=text&architecture=unet&architecture.skips=false",
    "task=upscale&task.scale=4&architecture=residual",
    "task=classify&task.way=fine-tuned&task.labels=5&variant=sparse",
    "task=classify&task.way=pixels&task.labels=0&task.shift=2&architecture=convolutional",
    "task=segment&architecture=unet&data=cells&data.size=32&data.count=60",
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


def small(query: str) -> Experiment:
    """An experiment of one epoch of five steps, with a small network."""
    made, problems = Experiment.from_query(query)
    assert not problems
    architecture = made.architecture
    sizes = {"width": 32 if architecture.name == "dense" else 4, "depth": min(architecture.depth, 2)}
    made = replace(made, architecture=replace(architecture, **{"code": 8, **sizes}))
    data = few(made.data.name) if made.data.name == "digits" else made.data
    return replace(made, data=data, training=replace(made.training, epochs=1, batch=32, rate=3e-3))


def everything() -> dict[str, Experiment]:
    """Every kind with every network it takes, every data set, and knobs that lead other ways."""
    found = {f"{kind}, {network}": replace(experiment(kind, network, epochs=1), data=few(first_data(kind)))
             for kind, network in PAIRS}
    found |= {name: experiment(data=name, epochs=1, batch=128 if name == "digits" else 32)
              for name in datasets if name != "own"}
    own = replace(datasets["own"](), pictures="exported", size=16)
    found["own"] = replace(experiment(epochs=2, batch=16), data=own)
    masked = replace(datasets["own"](), pictures="masked", size=16, colour=False)
    found["own, with masks"] = replace(experiment("segment", "unet", epochs=2, batch=16), data=masked)
    return found | {query: small(query) for query in QUERIES}


ALL = everything()


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory) -> Path:
    """A folder of pictures, and inside it one of pictures and masks; a set has been imported from each."""
    home = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for kind, high in (("images", 256), ("masks", 2)):
        (home / "masked" / kind).mkdir(parents=True)
        for i in range(40):
            picture = rng.integers(0, high, (1, 20, 24)).astype(np.uint8) * (1 if high > 2 else 255)
            (home / "masked" / kind / f"{i}.png").write_bytes(to_png(picture))
    import_images(home / "masked", "masked")
    home = home / "plain"
    for name, data in _pictures(40):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(data)
    import_images(home, "exported")
    return home.parent


@pytest.fixture(scope="module")
def told(home):
    """Name -> what the exported script found, each run in a space of its own where there is no playground."""
    texts = {}
    for name, made in ALL.items():
        try:
            images(made)
        except pytest.skip.Exception:
            continue
        folder = home / ("masked" if "masks" in name else "plain")
        texts[name] = script(made).replace('folder = "pictures"', f"folder = {str(folder)!r}").replace(
            'where = "data"', f"where = {os.environ.get('PLAYGROUND_DATASETS', '')!r}")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PLAYGROUND"))}
    clean |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    ran = subprocess.run([sys.executable, "-I", "-c", RUNNER], input=json.dumps(texts), capture_output=True, text=True,
                         cwd=home, env=clean)
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_script_gives_the_trainers_losses(told, name):
    made = ALL[name]
    session = Session(made, images(made), "CPU")
    assert not isinstance(told[name], str), told[name]
    curve, (before, *_, after) = told[name]
    assert len(curve) == session.steps
    assert before == pytest.approx(session.held_out_loss, rel=1e-5)
    for theirs in curve:
        assert theirs == pytest.approx(stepped(session), rel=1e-5, abs=1e-6)
    assert after == pytest.approx(session.evaluate(), rel=1e-5)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.slow
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


class TestCommand:
    def test_writes_what_the_ending_says(self, tmp_path, capsys):
        for ending, made in (("py", script), ("ipynb", notebook)):
            assert main(["export", "variant=sparse", "--out", str(tmp_path / f"it.{ending}")]) == 0
            assert (tmp_path / f"it.{ending}").read_text("utf-8") == made(Experiment.from_query("variant=sparse")[0])
            assert capsys.readouterr().out.strip() == str(tmp_path / f"it.{ending}")

    def test_takes_a_shipped_model_by_its_name(self, tmp_path):
        assert main(["export", "inpaint-digits", "--out", str(tmp_path / "it.py")]) == 0
        assert "class Inpaint" in (tmp_path / "it.py").read_text("utf-8")

    @pytest.mark.parametrize(("arguments", "said"), [
        (["nobody"], "There is no file and no model called 'nobody'"),
        (["variant=nothing"], "no variant is called 'nothing'"),
        (["variant=sparse", "--out", "it.txt"], "it.txt is neither a notebook, which ends in .ipynb, nor a script"),
    ])
    def test_what_is_wrong_is_one_sentence(self, arguments, said, capsys):
        assert main(["export", *arguments]) == 2
        found = capsys.readouterr().err
        assert said in found and found.count("\n") == 1


def test_a_file_is_called_by_its_run():
    assert file_name(Experiment(), "ipynb") == "undercomplete-16.ipynb"
    assert file_name(small("task=upscale&architecture=residual"), "py") == "upscale-2.py"
