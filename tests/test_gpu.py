"""On a machine with a GPU: the same numbers as on the CPU, within what float arithmetic allows."""

from __future__ import annotations

import pytest
import torch

from playground.architectures import architectures
from playground.batches import Resident
from playground.trainer import Session
from playground.variants import variants
from tests.plugins import experiment

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
DRAWS_NOTHING = [name for name in variants if name != "denoising"]  # a GPU's random numbers are its own


@pytest.mark.parametrize("variant", DRAWS_NOTHING)
@pytest.mark.parametrize("architecture", [name for name in sorted(architectures) if architectures[name].has_code])
def test_training_gives_the_same_numbers_as_on_the_cpu(variant, architecture):
    made = experiment(variant, architecture, rate=1e-3)
    images = made.data.load()
    ends = []
    for device in ("cpu", "cuda"):
        session = Session(made, Resident(images, torch.device(device)), device)
        for _ in range(50):
            session.advance()
        ends.append(session.evaluate())
    assert ends[1] == pytest.approx(ends[0], rel=1e-3)


@pytest.mark.parametrize("variant", sorted(variants))
def test_a_checkpoint_moves_between_devices(variant, tmp_path):
    from playground import checkpoint

    made = experiment(variant)
    images = made.data.load()
    session = Session(made, Resident(images, torch.device("cuda")), "cuda")
    for _ in range(10):
        session.advance()
    checkpoint.save(tmp_path / "run.safetensors", session.state())
    saved = checkpoint.load(tmp_path / "run.safetensors")
    again = Session(made, Resident(images, torch.device("cpu")), "cpu", saved)
    if variant != "denoising":
        assert again.evaluate() == pytest.approx(session.evaluate(), rel=1e-4)
    session.advance()
    again.advance()
    assert again.step == session.step == 11
