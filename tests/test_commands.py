"""The command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from playground import checkpoint, commands, foreground
from playground.__main__ import main
from playground.architectures import architectures
from playground.data import datasets
from playground.events import Trouble
from playground.experiment import Experiment
from playground.knobs import knobs
from playground.library import Library
from playground.progress import Progress
from playground.trainer import Session
from playground.variants import variants

ROOT = Path(__file__).resolve().parent.parent
SMALL = "variant=sparse&variant.rho=0.1&data=digits&data.size=8&architecture.width=32&architecture.code=8"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One real run by the real module: the finished process and the file that it wrote."""
    folder = tmp_path_factory.mktemp("run")
    environment = os.environ | {"PLAYGROUND_HOME": str(folder / "home")}
    done = subprocess.run(
        [sys.executable, "-m", "playground", "train", SMALL, "--epochs", "6", "--out", str(folder / "run.safetensors")],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )
    return done, folder / "run.safetensors"


@pytest.mark.slow
class TestTrain:
    def test_last_line_is_one_json_object_with_the_result(self, trained):
        done, path = trained
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout.splitlines()[-1])
        assert result["file"] == str(path) and not result["interrupted"]
        assert result["step"] == result["steps"] == 6 * (1438 // 64)
        assert set(result["losses"]) == {"reconstruction", "sparsity"}
        assert 8 < result["psnr"] < 40
        assert result["images_per_second"] > 0 and result["seconds"] > 0 and result["device"]
        assert result["images_per_second"] == pytest.approx(result["step"] * 64 / result["seconds"], rel=0.01)

    def test_progress_is_told_in_lines_where_there_is_no_terminal(self, trained):
        done, _ = trained
        assert "\r" not in done.stderr and "100%" in done.stderr and "held out" in done.stderr

    def test_it_learnt(self, trained):
        history = checkpoint.load(trained[1], weights=False).about["history"]
        assert history[-1][1] < 0.8 * history[0][1]

    def test_the_file_holds_the_experiment(self, trained):
        saved = checkpoint.load(trained[1])
        expected, problems = Experiment.from_query(f"{SMALL}&training.epochs=6")
        assert not problems and saved.experiment == expected and saved.about["status"] == "done"
        assert saved.model()

    def test_same_query_same_numbers(self, tmp_path, trained, capsys):
        """In this process or another, by a link or its query."""
        link = f"https://example.org/?{SMALL}"
        assert main(["train", link, "--epochs", "6", "--out", str(tmp_path / "again.safetensors")]) == 0
        again, first = (json.loads(text.splitlines()[-1]) for text in (capsys.readouterr().out, trained[0].stdout))
        assert again["losses"] == first["losses"] and again["psnr"] == first["psnr"]

    def test_its_losses_do_not_depend_on_how_many_steps_a_slice_holds(self, tmp_path, trained, capsys, monkeypatch):
        monkeypatch.setattr(foreground, "SLICE", 0.0)  # one step each
        assert main(["train", f"{SMALL}&training.epochs=6", "--out", str(tmp_path / "again.safetensors")]) == 0
        again, first = (json.loads(text.splitlines()[-1]) for text in (capsys.readouterr().out, trained[0].stdout))
        assert again["losses"] == first["losses"]

    def test_without_a_file_the_run_lies_among_the_saved_ones(self, home, capsys):
        assert main(["train", SMALL, "--epochs", "1"]) == 0
        written = Path(json.loads(capsys.readouterr().out.splitlines()[-1])["file"])
        assert written.parent == home / "runs"
        assert main(["models"]) == 0
        listed = capsys.readouterr().out
        assert written.stem in listed and "Sparse 8" in listed and "dB" in listed
        assert main(["show", written.stem]) == 0

    def test_a_run_in_trouble_says_so_and_keeps_its_weights(self, tmp_path, capsys, monkeypatch):
        def advance(session, take_a_step=Session.advance):
            if session.step == 5:
                raise Trouble("The loss stopped being a number: lower the learning rate.")
            take_a_step(session)

        monkeypatch.setattr(Session, "advance", advance)
        path = tmp_path / "run.safetensors"
        assert main(["train", SMALL, "--out", str(path)]) == 1
        assert capsys.readouterr().err.splitlines()[-1] == "The loss stopped being a number: lower the learning rate."
        saved = checkpoint.load(path)
        assert saved.model() and saved.step == 5 and saved.about["status"] == "failed"

    @pytest.mark.slow
    @pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently there")
    def test_ctrl_c_saves_what_there_is(self, tmp_path):
        path = tmp_path / "run.safetensors"
        run = subprocess.Popen(
            [sys.executable, "-m", "playground", "train", SMALL, "--epochs", "10000", "--out", str(path)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        try:
            for line in run.stderr:
                if " step " in line:
                    break
            time.sleep(0.5)
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=60)
        finally:
            run.kill()
        assert run.returncode == 130 and "Traceback" not in err
        result = json.loads(out.splitlines()[-1])
        saved = checkpoint.load(path)
        assert result["interrupted"] and 0 < result["step"] == saved.step < result["steps"]
        assert saved.about["status"] == "stopped" and saved.about["metrics"]["psnr"] == result["psnr"]


class TestWrongArguments:
    @pytest.mark.parametrize(("arguments", "word"), [
        (["train", "variant=sprse"], "sprse"),
        (["train", "variant=sparse&variant.rho=7"], "0.5"),
        (["train", "variant.sigma=1"], "sigma"),
        (["train", "colour=red"], "colour"),
        (["train", "sparse"], "variant="),
        (["train", "", "--epochs", "0"], "--epochs"),
        (["train", "", "--epochs", "many"], "many"),
        (["train", "", "--out", "no/such/folder/run.safetensors"], "run.safetensors"),
        (["train", "", "--out", "."], "written"),
        (["train", "--rate", "1"], "--rate"),
        (["show", "nothing.safetensors"], "nothing.safetensors"),
        (["show"], "model"),
        (["serve", "--port", "99999"], "99999"),
        (["tain"], "tain"),
        ([], "command"),
    ])
    def test_is_one_sentence_and_two(self, arguments, word, capsys):
        assert main(arguments) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and word in said.err

    def test_a_file_that_is_no_model(self, tmp_path, capsys):
        (tmp_path / "run.safetensors").write_bytes(b"no model at all")
        assert main(["show", str(tmp_path / "run.safetensors")]) == 2
        assert "run.safetensors" in capsys.readouterr().err

    @pytest.mark.slow
    def test_the_real_process_ends_with_two(self):
        done = subprocess.run([sys.executable, "-m", "playground", "train", "data=nothing"], cwd=ROOT,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and "nothing" in done.stderr


class TestLists:
    @pytest.mark.parametrize(("verb", "registry"),
                             [("variants", variants), ("datasets", datasets), ("architectures", architectures)])
    def test_every_plug_in_with_every_knob_its_range_and_help(self, verb, registry, capsys):
        assert main([verb]) == 0
        listed = capsys.readouterr().out
        for name, cls in registry.items():
            assert f"{name}\n" in listed
            for knob_name, setting in knobs(cls).items():
                assert knob_name in listed and setting.help in listed
                if setting.low is not None:
                    assert setting.range in listed

    def test_no_models_says_how_to_make_one(self, capsys, monkeypatch, tmp_path):
        monkeypatch.setattr(commands, "library", lambda: Library(tmp_path / "runs", shipped=tmp_path))
        assert main(["models"]) == 0
        assert "train" in capsys.readouterr().out

    def test_listing_data_sets_needs_no_torch(self):
        code = "import sys; from playground.__main__ import main; main(['datasets']); sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60).returncode == 0

    def test_show(self, trained, capsys):
        assert main(["show", str(trained[1])]) == 0
        shown = capsys.readouterr().out
        assert "rho 0.1" in shown and "psnr" in shown and "seed 0" in shown
        link = shown.splitlines()[-1].split("?", 1)[1]
        assert Experiment.from_query(link) == (checkpoint.load(trained[1]).experiment, [])

    def test_serve_passes_its_settings_on(self, monkeypatch):
        asked = []
        monkeypatch.setattr("playground.server.serve", lambda host, port: asked.append((host, port)))
        assert main(["serve", "--host", "0.0.0.0", "--port", "8000"]) == 0
        assert asked == [("0.0.0.0", 8000)]


class TestGuide:
    @pytest.mark.slow
    def test_its_variant_is_one_file_that_trains(self):
        """The example in CONTRIBUTING.md, as it stands there, is listed and learns."""
        source = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
        code = source + (
            "import sys; from playground.__main__ import main\n"
            "main(['variants']); sys.exit(main(['train', 'variant=smooth&variant.gamma=0.1', '--epochs', '1']))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "Neighbouring images get neighbouring codes." in done.stdout
        assert set(json.loads(done.stdout.splitlines()[-1])["losses"]) == {"reconstruction", "smoothness"}


class TestProgress:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def test_a_terminal_gets_one_moving_line(self):
        terminal = self.Terminal()
        progress = Progress(terminal)
        progress.waiting("Cutting patches", 0.25)
        progress.waiting("Done", 1.0)
        progress.end()
        first, second = terminal.getvalue().split("\r")[1:]
        assert first.startswith("[======") and " 25% Cutting patches" in first
        assert second.endswith("\n") and len(second.rstrip("\n")) >= len(first)  # the shorter text wipes the longer out

    def test_a_file_gets_a_line_now_and_then(self):
        lines = io.StringIO()
        progress = Progress(lines)
        for i in range(100):
            progress.waiting("Cutting patches", i / 100)
        assert lines.getvalue().count("\n") == 1
