"""Back-propagation in slow motion: every factor of the chain rule from the loss back to the first weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from playground import losses
from playground.experiment import Experiment
from playground.model import Autoencoder
from playground.probes.added import Added, added, slope
from playground.probes.inside import Passed, learning, passing

BOTH = r"\hat{L}"
LOSSES = {"mse": losses.squared_error, "l1": losses.absolute_error}


@dataclass(frozen=True, eq=False)
class Link:
    """One step back along the chain.

    kind: loss, output, weights, inputs, activation or penalty, whose factor is a summand. layer: 1 is the first; 0 for
    the loss itself. factor: the derivative that is multiplied by here, and result: the gradient that comes of it, both
    in LaTeX. factor_shape and factor_norm: the array that the factor is written with and its Frobenius norm (None: it
    is no one array). shape, norm: of the result, over the whole batch. gradient: of the batch's first image, or whole,
    of all weights.
    """

    kind: str
    layer: int
    factor: str
    result: str
    factor_shape: tuple[int, ...]
    factor_norm: float | None
    shape: tuple[int, ...]
    norm: float
    gradient: np.ndarray
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Chain:
    """A batch forward and backward. loss: L, the mean of its reconstruction errors, each weighted as in training.
    penalty: what is added to it, λΩ or βΩ and weight decay; None where that is nothing. shapes, norms: of what each
    layer gave.
    """

    loss: float
    penalty: float | None
    batch: int
    shapes: tuple[tuple[int, ...], ...]
    norms: tuple[float, ...]
    links: tuple[Link, ...]


def backwards(model: Autoencoder, experiment: Experiment, x: Tensor, rng: Generator) -> Chain:
    """The chain rule's factors for one batch x (B, c, h, w), from the objective back to the first weight.

    The objective is L, the mean over the batch of the reconstruction errors, or L̂ with what the variant and weight
    decay add. Every gradient is autograd's. A penalty of the code alone joins at the code, so that all gradients before
    it hold it too; all else joins at the weights that it is a function of.
    """
    task, draws = experiment.task, rng.get_state()
    with learning(model):
        seen, truth = task.see(x, experiment.variant, rng), task.truth(x)

        def forward() -> Tensor:
            errors, where = model.errors(model.encode(seen), truth), task.weights(seen)
            return (errors if where is None else errors * where).flatten(1).sum(1).mean()

        loss, passed = passing(model, forward)
        rng.set_state(draws)
        extra = added(model, experiment, x, rng)
        code, grads = len(model.encoder), _gradients(loss, passed)
        links, top = list(_loss_links(model, experiment, grads, passed, truth, seen)), "L"
        for number in range(len(passed), 0, -1):
            if number == code and extra is not None and extra.at_code is not None:
                grads = _gradients(loss + (passed[code - 1].out * extra.at_code).sum(), passed)  # for all that follow
                top = f"(L + {extra.penalty})" if extra.decay else BOTH
                links.append(_code_link(extra, grads, passed[code - 1], code, top))
            links += _layer_links(grads, passed[number - 1], number, top, extra)
    return Chain(float(loss.detach()), None if extra is None else extra.value, len(x),
                 tuple(tuple(one.out.shape) for one in passed),
                 tuple(float(one.out.detach().norm()) for one in passed), tuple(links))


def _code_link(extra: Added, grads: Gradients, one: Passed, number: int, top: str) -> Link:
    """Where a penalty of the code joins."""
    assert extra.at_code is not None
    own_h = f"h_{{{number}}}"
    here = slope(extra.penalty, own_h)
    result = f"{slope(top, own_h)} = {slope('L', own_h)} + {here}"
    return _link("penalty", number, f"{here} = {extra.at_code_words}", result, extra.at_code, grads.at(one.out))


class Gradients(dict[int, Tensor]):
    """The gradient of L at each tensor that was asked for."""

    def at(self, tensor: Tensor) -> Tensor:
        return self[id(tensor)]


def _gradients(loss: Tensor, passed: list[Passed]) -> Gradients:
    """∂L of every z, every layer's input and every weight, in one backward pass."""
    tensors = {id(passed[-1].out): passed[-1].out}
    for number, one in enumerate(passed):
        for tensor in (one.before, one.out, *([one.given] if number else []), *_weights(one)):
            tensors[id(tensor)] = tensor
    found = torch.autograd.grad(loss, list(tensors.values()), retain_graph=True)
    return Gradients(zip(tensors, found))


def _weights(one: Passed) -> list[Tensor]:
    """A block's own weights without its biases; tied ones are another block's."""
    return [weight for weight in one.block.linear.parameters() if weight.ndim > 1]


def _loss_links(model: Autoencoder, experiment: Experiment, grads: Gradients, passed: list[Passed], x: Tensor,
                seen: Tensor) -> list[Link]:
    """From L to z_N: by way of x̂ where the loss is a function of x̂, at once where it is one of the logits."""
    raw, last = passed[-1].out, len(passed)
    at_raw = grads.at(raw)
    if model.loss == "bce":
        factor = slope("L", f"z_{{{last}}}") + r" = \frac{\hat{x} - x}{m}"
        return [_link("loss", 0, factor, rf"\delta_{{{last}}}", at_raw, at_raw)]
    output = (torch.sigmoid(raw) if model.squashed else raw).detach().requires_grad_(True)
    error, where = LOSSES[model.loss](output, x), experiment.task.weights(seen)
    total = (error if where is None else error * where).flatten(1).sum(1).mean()
    (at_output,) = torch.autograd.grad(total, output)
    words = r"\frac{2(\hat{x} - x)}{m}" if model.loss == "mse" else r"\frac{\mathrm{sign}(\hat{x} - x)}{m}"
    at_x = slope("L", r"\hat{x}")
    links = [_link("loss", 0, f"{at_x} = {words}", at_x, at_output, at_output)]
    if model.squashed:
        bend = (output * (1 - output)).detach()
        factor = slope(r"\hat{x}", f"z_{{{last}}}") + r" = \hat{x}(1 - \hat{x})"
        links.append(_link("output", last, factor, _delta(last), bend, at_raw))
    return links


def _layer_links(grads: Gradients, one: Passed, number: int, top: str, extra: Added | None) -> list[Link]:
    """From what layer `number` gave back to what it was given: its activation, its weights, its input.

    top: what grads are of, in LaTeX.
    """
    links = []
    own_z, own_h, own_w = (f"{letter}_{{{number}}}" for letter in "zhW")
    before = "x" if number == 1 else f"h_{{{number - 1}}}"
    linear = isinstance(one.block.activation, nn.Identity) and one.out.numel() == one.before.numel()
    if not linear:
        (bend,) = torch.autograd.grad(one.out.sum(), one.before, retain_graph=True)
        factor = f"{slope(own_h, own_z)} = g'({own_z})"
        links.append(_link("activation", number, factor, _delta(number, top), bend, grads.at(one.before)))
    own = _weights(one)
    if own:  # tied weights are another layer's own: their gradient is shown there, summed
        parts = [grads.at(weight) for weight in own]
        flat = parts[0] if len(parts) == 1 else torch.cat([part.flatten() for part in parts])
        times = r"\ast" if own[0].ndim == 4 else r"\,"
        result = rf"{slope(top, own_w)} = \delta_{{{number}}} {times} {{{before}}}^T"
        factor = f"{slope(own_z, own_w)} = {before}"
        links.append(_link("weights", number, factor, result, one.given, flat, whole=True))
        if extra is not None and (more := extra.to(own, own_w)) is not None:
            summand, words = more
            result = f"{slope(BOTH, own_w)} = {slope(top, own_w)} + {words}"
            links.append(_link("penalty", number, words, result, summand, flat + summand, whole=True))
    if number > 1:
        at_input = grads.at(one.given)
        shape, norm = _matrix(one)
        factor = f"{slope(own_z, before)} = {own_w}"
        result = rf"{slope(top, before)} = {{{own_w}}}^T \delta_{{{number}}}"
        links.append(Link("inputs", number, factor, result, shape, norm, tuple(at_input.shape),
                          float(at_input.norm()), at_input[0].float().cpu().numpy()))
    return links


def _delta(number: int, top: str = "L") -> str:
    return rf"\delta_{{{number}}} = " + slope(top, f"z_{{{number}}}")


def _matrix(one: Passed) -> tuple[tuple[int, ...], float | None]:
    """Shape and norm of the weights from a block's input to its z; a tied layer's are found by what it does."""
    own = [weight.detach() for weight in _weights(one)]
    if len(own) == 1:
        return tuple(own[0].shape), float(own[0].norm())
    if own:
        return (sum(weight.numel() for weight in own),), float(torch.cat([weight.flatten() for weight in own]).norm())
    inputs = one.given.shape[1]
    with torch.no_grad():
        eye = torch.eye(inputs, device=one.given.device, dtype=one.given.dtype)
        columns = one.block.linear(eye) - one.block.linear(torch.zeros_like(eye[:1]))
    return (columns.shape[1], inputs), float(columns.norm())


def _link(kind: str, layer: int, factor: str, result: str, made_of: Tensor, gradient: Tensor,
          whole: bool = False) -> Link:
    shown = gradient if whole else gradient[0]
    return Link(kind, layer, factor, result, tuple(made_of.shape), float(made_of.detach().norm()),
                tuple(gradient.shape), float(gradient.norm()), shown.detach().float().cpu().numpy(), whole)
