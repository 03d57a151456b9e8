"""The optimiser: torch's own numbers, without torch's compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from playground.adam import Adam


def _trained(optimiser: type[torch.optim.Optimizer]) -> list[torch.Tensor]:
    torch.manual_seed(0)
    layer = torch.nn.Linear(7, 5)
    made = optimiser(layer.parameters(), lr=1e-2, fused=True)
    for i in range(20):
        if i == 10:  # through a checkpoint in the middle
            state = made.state_dict()
            made = optimiser(layer.parameters(), lr=1e-2, fused=True)
            made.load_state_dict(state)
        made.zero_grad()
        layer(torch.rand(3, 7)).square().sum().backward()
        made.step()
    return [p.detach() for p in layer.parameters()]


@pytest.mark.slow
def test_every_step_is_torchs():
    assert all(torch.equal(a, b) for a, b in zip(_trained(Adam), _trained(torch.optim.Adam)))


@pytest.mark.slow
def test_training_does_not_load_the_compiler():
    code = (
        "import sys, torch; from playground.experiment import Experiment; from playground.batches import Resident\n"
        "from playground.trainer import Session; made = Experiment()\n"
        "session = Session(made, Resident(made.data.load(), torch.device('cpu')), 'CPU')\n"
        "session.advance(); session.state(); session.report(look=True)\n"
        "print([name for name in ('torch._dynamo', 'sympy', 'triton') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
