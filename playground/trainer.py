"""Trainer: a session that takes steps, and the generator over it. No threads, no screens."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import replace

import torch

from playground.adam import Adam
from playground.batches import Batches, Resident, mix, to_unit
from playground.checkpoint import Checkpoint
from playground.events import Allowance, Row, Stepped, Trouble
from playground.experiment import Experiment, formulas
from playground.history import History, Speedometer
from playground.probes.film import Film, restored
from playground.probes.live import Live
from playground.variants import Losses

KEEP_GOOD_EVERY = 2.0  # seconds between two copies of weights known to be finite
HELD_OUT_NOISE = 2  # keeps the fixed draws of the held-out loss apart from the training's


class Session:
    """The mutable state of one run. Only the thread that iterates train() may touch it.

    After __init__ the model has its first weights (or a checkpoint's) on the resident images' device.
    """

    def __init__(self, experiment: Experiment, resident: Resident, device_name: str, saved: Checkpoint | None = None):
        self.experiment, self.resident = experiment, resident
        training = experiment.training
        self.targets = resident.targets(experiment.task.targets)
        targets = self.targets and self.targets[0]
        self.batches = Batches(resident, training.batch, training.seed, targets, experiment.task.favoured(targets))
        self.model = experiment.build(resident.shape).to(resident.device)
        self.optimisers = {
            side: Adam(weights, lr=training.rate, fused=resident.device.type != "mps")
            for side, weights in self.model.sides().items()
        }
        self.rng = torch.Generator(device=resident.device)
        self.held_out = resident.sample()
        self.history = History(self.batches.history_interval())
        self.film = Film(self.history.interval)
        self.step = self._filled = self._fetched = 0
        self.speed, self._good_at = Speedometer(), 0.0
        self.metrics: dict[str, float] = {}
        self.marks: tuple[tuple[int, str], ...] = ()
        self.term_names = tuple(formulas(experiment))
        # one row of terms a step, fetched once a slice
        self._losses = torch.zeros(self.history.interval, len(self.term_names), device=resident.device)
        self.live = Live(self, device_name)
        if saved is not None:
            self._restore(saved)
        self.terms, self.held_out_loss = self._first_terms(), self.evaluate()
        if saved is None:
            self.history.add(Row(0, self.terms, self.held_out_loss))
            self.film.look(0, self._codes)
        self._good: Checkpoint | None = None  # while it rests, its own weights are the good ones

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.experiment.training.epochs * self.batches.per_epoch

    # One step -------------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Take one step on one batch: forward, backward, update; the terms stay on the device."""
        if self._good is None:
            self.keep_good()
        batch, target = self.batches.pair(self.step)
        self.rng.manual_seed(mix(self.experiment.training.seed, self.step))
        rate, values = self.experiment.training.rate_at(self.step, self.steps), []
        for side, terms in self._score(batch, target, self.rng):
            means = [term.mean() for term in terms.values()]
            optimiser = self.optimisers[side]
            optimiser.param_groups[0]["lr"] = rate
            optimiser.zero_grad()
            (means[0] if len(means) == 1 else torch.stack(means).sum()).backward()
            optimiser.step()
            values += means
        with torch.no_grad():
            torch.stack(values, out=self._losses[self._filled])
        self._filled, self.step = self._filled + 1, self.step + 1
        if self._filled == len(self._losses) or self.history.due(self.step):
            self._flush()

    def _score(self, batch: torch.Tensor, target: torch.Tensor, rng: torch.Generator) -> Losses:
        task = self.experiment.task.at(self.step / self.steps)
        for side, terms in task.losses(self.model, batch, target, self.experiment.variant, rng):
            if decay := self.experiment.training.decay:
                squares = [w.square().sum() for w in self.optimisers[side].param_groups[0]["params"] if w.ndim > 1]
                terms["decay"] = decay / 2 * torch.stack(squares).sum()
            yield side, terms

    def _flush(self) -> None:
        """Empty the buffer of terms, and add a row to the history if one is due here.

        A row has the mean of the last quarter of the buffer: all of it would lag behind the held-out loss, which is
        of this very step.
        """
        self._fetch()
        if self.history.due(self.step):
            self.held_out_loss = self.evaluate()
            self.film.look(self.step, self._codes)
            means = self._losses[self._filled - math.ceil(self._filled / 4) : self._filled].double().mean(0).tolist()
            self.history.add(Row(self.step, dict(zip(self.term_names, means)), self.held_out_loss))
        self._filled = self._fetched = 0

    def present(self) -> None:
        """Fetch the terms since the last fetch, and copy the weights now and then; Trouble if they are not finite."""
        self._fetch()
        if time.monotonic() - self._good_at > KEEP_GOOD_EVERY:  # not within a flush, whose row would be lost
            self.keep_good()

    def keep_good(self) -> None:
        """Copy the weights as good ones; where they are not finite, go back to the last good ones and raise Trouble."""
        state = self.state()
        if not state.sound:
            self._diverged("The weights overflowed")
        self._good, self._good_at = state, time.monotonic()

    def rest(self) -> None:
        """Let go of what only a run that learns needs, more than half of its memory; Trouble as in `keep_good`."""
        if self._good is not None:
            self.keep_good()
            self._good = None
        self.model.zero_grad()

    def _fetch(self) -> None:
        new = self._losses[self._fetched : self._filled]
        if not len(new):
            return
        self._fetched = self._filled
        means = new.mean(0).tolist()
        wrong = [name for name, mean in zip(self.term_names, means) if not math.isfinite(mean)]
        if wrong:
            self._diverged("The loss stopped being a number", wrong[0])
        self.terms = dict(zip(self.term_names, means))

    def last_terms(self) -> dict[str, float]:
        """The terms' means over the steps since the buffer was last emptied; of none, the curve's last row.

        Unlike `terms`, the mean of a slice, they do not depend on how fast the machine is.
        """
        if not self._filled:
            return self.history.rows[-1].terms
        return dict(zip(self.term_names, self._losses[: self._filled].mean(0).tolist()))

    def _diverged(self, what: str, term: str = "") -> None:
        step, rate = self.step, self.experiment.training.rate
        self._restore(self._good or self.state())
        advice = f"lower the learning rate (now {rate:g})"
        if term not in ("", self.term_names[0]):
            advice = f"lower the weight of the {term} penalty, or the learning rate (now {rate:g}),"
        raise Trouble(f"{what} at step {step:,}; the weights of step {self.step:,} are kept: {advice} and resume.")

    # Measuring ------------------------------------------------------------------------------------------------------

    def held_out_rng(self) -> torch.Generator:
        """Fixed draws, the same at every measurement, so that the held-out curve is not noise itself."""
        return self.rng.manual_seed(mix(self.experiment.training.seed, HELD_OUT_NOISE, HELD_OUT_NOISE))

    def see(self, x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        """What the network is given of the images x (B, c, h, w)."""
        return self.experiment.task.see(x, self.experiment.variant, rng)

    def target(self, x: torch.Tensor, rows: slice | torch.Tensor = slice(None)) -> torch.Tensor:
        """What is to be learnt of held-out images x, those numbered `rows`."""
        return x if self.targets is None else self.targets[1][rows]

    @torch.no_grad()
    def evaluate(self) -> float:
        """The reconstruction loss on the held-out sample, with fixed draws of what is spoilt or hidden of it."""
        seen = self.see(self.held_out, self.held_out_rng())
        code = self.model.encode(seen)
        self._codes = self.model.vector(code)
        target = self.target(self.held_out, slice(len(self.held_out)))
        return float(self.experiment.task.error(self.model, code, target, seen).mean())

    def score(self, images: torch.Tensor, target: torch.Tensor | None = None) -> tuple[str, dict[str, torch.Tensor]]:
        """The side and the terms, differentiable, of images (B, c, h, w), as in a step but with fixed draws."""
        return next(self._score(images, images if target is None else target, self.held_out_rng()))

    def _first_terms(self) -> dict[str, float]:
        """The terms of the batch that comes next, before any step on it; where none comes, of the last steps."""
        if self.step >= self.steps:
            return self.last_terms()
        _, terms = self.score(*self.batches.pair(self.step))
        return {name: float(term.detach().mean()) for name, term in terms.items()}

    @torch.no_grad()
    def measure(self) -> Iterator[None]:
        """Fill `metrics` from all held-out images, a chunk between two yields so that the device stays shared."""
        task, rng, total, count = self.experiment.task, self.held_out_rng(), 0.0, 0
        meter = task.meter()
        for chunk in self.resident.held_out.split(256):
            x = to_unit(chunk)
            seen = self.see(x, rng)
            code = self.model.encode(seen)
            target = self.target(x, slice(count, count + len(x)))
            total += float(task.error(self.model, code, target, seen).sum())
            meter.update(task.output(self.model, code, seen), target, seen)
            count += len(x)
            yield
        self.metrics = {"held_out": total / count, **meter.figures()}

    # State ----------------------------------------------------------------------------------------------------------

    def retune(self, experiment: Experiment) -> None:
        """Take over turned live knobs at the next step, and mark the curve."""
        turns = self.experiment.turns(experiment)
        self.experiment = experiment
        if self.step and turns:
            self.marks = (*self.marks, (self.step, ", ".join(turns)))[-50:]

    def state(self, status: str = "running") -> Checkpoint:
        """Everything that the run needs to go on from here, copied."""
        tensors = {f"model.{name}": t.detach().clone() for name, t in self.model.state_dict().items()}
        for side, optimiser in self.optimisers.items():
            for i, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{side}.{i}.{name}": t.detach().clone() for name, t in moments.items()}
        tensors |= {f"memory.{name}": t.clone() for name, t in self.model.memory.items()}
        tensors["losses"] = self._losses[: self._filled].clone()
        tensors |= self.film.state()
        about = {
            "status": status, "stride": self.history.stride,
            "history": [[row.step, row.held_out, *row.terms.values()] for row in self.history.rows],
            "marks": self.marks, "metrics": self.metrics,
        }
        return Checkpoint(self.experiment, self.step, self.resident.shape, tensors, about)

    def saved(self, status: str = "running") -> Checkpoint:
        """What a file should hold now: the state, or the last good one where the weights have just overflowed."""
        state = self.state(status)
        if self._good is None or state.sound:
            return state
        return replace(self._good, experiment=self.experiment, about={**self._good.about, "status": status})

    def _restore(self, saved: Checkpoint) -> None:
        self.model.load_state_dict(saved.part("model"))
        self.model.memory = {name: t.to(self.resident.device, copy=True) for name, t in saved.part("memory").items()}
        for side, optimiser in self.optimisers.items():
            states: dict[int, dict[str, torch.Tensor]] = {}
            for key, tensor in saved.part(f"optimiser.{side}").items():
                i, name = key.split(".")
                states.setdefault(int(i), {})[name] = tensor.clone()
            optimiser.load_state_dict({**optimiser.state_dict(), "state": states})
        about, losses = saved.about, saved.tensors.get("losses", self._losses[:0])  # a shipped model has none
        rows = tuple(Row(step, dict(zip(self.term_names, terms)), loss) for step, loss, *terms in about["history"])
        self.history = History(self.history.interval, rows, about["stride"])
        self.film = restored(saved.tensors, self.history.interval)
        self._losses[: len(losses)] = losses.to(self._losses)
        self._filled = self._fetched = len(losses)
        self.marks = tuple((step, text) for step, text in about["marks"])
        self.metrics, self.step = dict(about["metrics"]), saved.step

    def report(self, look: bool = False) -> Stepped:
        """What a screen may know now; `look` adds the pictures."""
        self.present()
        return Stepped(
            self.step, self.steps, self.terms, self.held_out_loss, self.history.rows, self.history.stride,
            self.speed.rate, self.marks, self.live.still, self.live.view() if look else None, self.metrics,
            self.film.frames,
        )


def train(session: Session) -> Generator[Stepped, Allowance | None, None]:
    """Events of a run: the first before any step, then one per allowance sent (one step where none is sent).

    Pausing is not asking for the next one, stepping is asking for one, stopping is closing the generator.
    Raises Trouble when the loss is not finite or the device's memory runs out; the session then holds good weights.
    """
    try:
        allowance = (yield session.report(look=True)) or Allowance()
        while session.step < session.steps:
            started, first = time.perf_counter(), session.step
            if allowance.steps:
                session.speed.tick(first * session.batches.size)
            else:
                session.speed.rest()
                session.rest()
            while session.step < session.steps and session.step - first < allowance.steps:
                session.advance()
                if allowance.seconds and time.perf_counter() - started >= allowance.seconds:
                    break
            if allowance.steps <= 1 and session.step not in (0, session.history.rows[-1].step):
                session.held_out_loss = session.evaluate()  # at rest and in slow motion the loss shown is of this step
            allowance = (yield session.report(allowance.look)) or Allowance()
        session.keep_good()  # no loss has told of the last step's weights
        for _ in session.measure():
            allowance = (yield session.report()) or Allowance()
        yield session.report(look=True)
    except torch.OutOfMemoryError:
        raise Trouble(
            "The device's memory is full, so this run ended: choose a smaller batch, width or image size."
        ) from None
