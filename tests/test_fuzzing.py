"""A share of what `make fuzz` does ten thousand times: nothing but answers and sentences, and no harm done."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.fuzzing import SHARES, Target, Watch, numbers, tried

CASES = 250  # in all


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    before = os.environ["PLAYGROUND_HOME"]
    made = Target(tmp_path_factory.mktemp("fuzzed"))
    yield made
    made.close()
    os.environ["PLAYGROUND_HOME"] = before


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", SHARES)
@pytest.mark.slow
def test_what_people_bring_ends_in_an_answer_or_a_sentence(kind, target, watch):
    done = [tried(target, watch, kind, number, seed=1) for number in range(numbers(CASES)[kind])]
    assert [case for case in done if case.end == "fault"] == []
    ends = {case.end for case in done}  # neither all good nor all bad; of so few checkpoints none may be good
    assert kind == "link" or "refused" in ends and (kind == "checkpoint" or "answer" in ends)


def test_the_watch_hears_of_harm(watch, tmp_path):
    def harm(name: str):
        match name:
            case "write":
                (tmp_path / "out.txt").write_text("x")
            case "remove":
                (tmp_path / "there").unlink()
            case "run":
                subprocess.run([sys.executable, "-c", ""], check=True)
            case "link":
                (tmp_path / "in" / "link").symlink_to("/")

    (tmp_path / "in").mkdir()
    (tmp_path / "there").touch()
    for name in ("write", "remove", "run", "link"):
        with watch.over(tmp_path / "in") as seen:
            harm(name)
        assert seen, name
    with watch.over(tmp_path / "in") as seen:
        (tmp_path / "in" / "ours").write_text("x")
        (tmp_path / "in" / "ours").rename(tmp_path / "in" / "mine")
        (tmp_path / "in" / "mine").unlink()
    assert seen == []
