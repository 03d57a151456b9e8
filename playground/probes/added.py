"""What is added to the reconstruction loss, and its gradient: the variant's penalty, and weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from playground.experiment import Experiment
from playground.model import Autoencoder


def slope(top: str, bottom: str) -> str:
    """∂top/∂bottom in LaTeX."""
    return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"


@dataclass(frozen=True, eq=False)
class Added:
    """value: of all that is added, over a batch. penalty: λΩ in LaTeX.

    at_code: the penalty's derivative at the code (B, k), where it is a function of the code alone, and at_code_words
    that in LaTeX; else at: its derivatives in the weights, by the weight's id. decay: δ.
    """

    value: float
    penalty: str
    at_code_words: str
    at_code: Tensor | None
    at: dict[int, Tensor]
    decay: float

    def to(self, weights: Sequence[Tensor], name: str) -> tuple[Tensor, str] | None:
        """What is added to the gradient of a layer's weights, flat where there are several, and its LaTeX."""
        penalised = any(id(weight) in self.at for weight in weights)
        if not penalised and not self.decay:
            return None
        parts = [self.at.get(id(one), torch.zeros_like(one)) + self.decay * one.detach() for one in weights]
        words = ([slope(self.penalty, name)] if penalised else []) + ([rf"\delta\,{name}"] if self.decay else [])
        return parts[0] if len(parts) == 1 else torch.cat([part.flatten() for part in parts]), " + ".join(words)


def added(model: Autoencoder, experiment: Experiment, x: Tensor, rng: Generator) -> Added | None:
    """What a training step on images x (B, c, h, w) adds to the reconstruction loss; None where that is nothing.

    The model's weights must be differentiable.
    """
    variant, decay = experiment.variant, experiment.training.decay
    penalties = variant.penalties if experiment.task.varied else {}
    weights = [weight for weight in model.parameters() if weight.ndim > 1]
    value = decay / 2 * float(sum(weight.detach().square().sum() for weight in weights))
    if not penalties:
        return Added(value, "", "", None, {}, decay) if decay else None
    codes: list[Tensor] = []
    hook = model.encoder.register_forward_hook(lambda _, given, out: codes.append(out))
    try:
        _, terms = next(experiment.task.losses(model, x, x, variant, rng))
    finally:
        hook.remove()
    total = torch.stack([terms[name].mean() for name in penalties]).sum()
    value, name = value + float(total.detach()), variant.price + r"\Omega"
    if variant.slope_in_code:
        (at_code,) = torch.autograd.grad(total, codes[0])
        return Added(value, name, variant.slope_in_code, at_code, {}, decay)
    found = torch.autograd.grad(total, weights, allow_unused=True)
    at = {id(weight): own for weight, own in zip(weights, found) if own is not None}
    return Added(value, name, "", None, at, decay)
