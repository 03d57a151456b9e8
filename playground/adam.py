"""Adam (Kingma & Ba 2015) as torch has it, without the compiler that torch loads around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def _bare(name: str) -> Callable[..., Any]:
    """Adam's own method under the wrapper that tells torch's compiler to leave it alone."""
    method = getattr(torch.optim.Adam, name)
    return getattr(method, "__wrapped__", method)


class Adam(torch.optim.Adam):
    """torch.optim.Adam, number for number.

    Its wrappers import torch's compiler, sympy and triton with it, at the first optimiser that is made: 1.4 s
    before the first run is ready, for nothing, since nothing here is compiled.
    """

    add_param_group = _bare("add_param_group")
    state_dict = _bare("state_dict")
    load_state_dict = _bare("load_state_dict")
    zero_grad = _bare("zero_grad")
    step = torch.no_grad()(_bare("step"))
