"""The visitor's session: the experiment on the page, the run that it became, and the address that says both.

All of it lives in plain session keys, which outlive widgets: leaving the page and coming back loses nothing.
"""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooSlow
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from playground.caps import caps
from playground.care import learning
from playground.events import Snapshot, Stepped
from playground.experiment import Experiment, parameters
from playground.gate import gate, new_key
from playground.lab.messages import comparable
from playground.lab.whole import whole
from playground.workbench import Workbench

PATIENCE = 1.0  # seconds a command is waited for, so that the buttons show what it did
MOST_EARLIER = 4
OTHERS = ("model", "map.", "paint.", "inside")  # what other pages keep in the address besides the experiment
SPEEDS: dict[str, float | None] = {
    "1 step/s": 1.0, "5 steps/s": 5.0, "25 steps/s": 25.0, "100 steps/s": 100.0, "full": None,
}


class Visit:
    """One visitor's page: what it shows and what its buttons do."""

    @whole()
    def __init__(self, bench: Workbench):
        self.bench = bench
        if "key" not in st.session_state:
            st.session_state.key = new_key()  # tells one who has no cookie from others, for as long as the page is open
        self.viewer = gate.viewer(st.context.cookies, st.session_state.key)
        if "experiment" not in st.session_state:
            self._arrive()
        if self.snapshot is None:  # tidied away while nobody looked, or the files are gone
            self._begin(shipped=self.job == st.session_state.shown)

    # What is shown --------------------------------------------------------------------------------------------------

    @property
    def experiment(self) -> Experiment:
        return st.session_state.experiment

    @property
    def job(self) -> str:
        return st.session_state.job

    @property
    def snapshot(self) -> Snapshot | None:
        return self.bench.snapshot(self.job)

    @property
    def status(self) -> str:
        snapshot = self.snapshot
        return snapshot.status if snapshot else "opening"

    @property
    def stand_in(self) -> str:
        """What the images on the page are, in a sentence, where they are not those of the data set; else empty."""
        event = self.snapshot.event if self.snapshot else None
        return event.still.stand_in if isinstance(event, Stepped) else ""

    @property
    def mine(self) -> bool:
        """Whether the run does what this visitor says; steering another's makes one of one's own."""
        snapshot = self.snapshot
        return snapshot is None or self.viewer.owns(snapshot.owner)

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the controls that the link leaves out."""
        return st.session_state.hidden

    @property
    def problems(self) -> list[str]:
        """What the link said that could not be read, in sentences."""
        return st.session_state.problems

    @property
    def refused(self) -> str:
        """Why the last change was not carried out, in a sentence; empty when it was."""
        return st.session_state.refused

    @property
    def speed(self) -> str:
        return st.session_state.speed

    @property
    def steps_left(self) -> bool:
        """Whether a run that ended could go on: its epochs were raised, or it ended early."""
        event = self.snapshot.event if self.snapshot else None
        if not isinstance(event, Stepped):
            return True
        return event.step < self.experiment.training.epochs * event.still.steps_per_epoch

    # The address ----------------------------------------------------------------------------------------------------

    def _arrive(self) -> None:
        """The first run of a session: read the address, find its run or make one.

        A run counts where the link's experiment has its structure, or where the link says nothing of an experiment.
        """
        S = st.session_state
        query = {name: text for name, text in st.query_params.items() if not name.startswith(OTHERS)}
        run, hidden = query.pop("run", ""), query.pop("hide", "")
        S.lesson = query.pop("lesson", "")
        S.experiment, S.problems = Experiment.from_query(urlencode(query))
        bare = not query.keys() - {"speed"}
        S.hidden = frozenset(name.strip().lower() for name in hidden.split(",") if name.strip())
        S.refused, S.speed, S.shown, S.memory = "", "full", "", {}
        found = self.bench.snapshot(run) if run else None
        if found is not None and (bare or found.title.same_structure(S.experiment)):
            S.job, S.experiment = run, found.title
            S.speed = next((name for name, pace in SPEEDS.items() if pace == found.pace), "full")
        else:
            self._begin(shipped=True)

    def _begin(self, shipped: bool) -> None:
        """A run of the experiment: the shipped one where there is one and it is wanted, else one that is ready."""
        S = st.session_state
        if shipped and (shown := self.bench.show(self.experiment, self.viewer.owner)) is not None:
            S.job = S.shown = shown
        else:
            self._start(self.experiment)

    def write_address(self, **more: str) -> None:
        """Let the address bar hold the whole experiment, its run, and what a page adds."""
        wanted = dict(parse_qsl(self.experiment.to_query()))
        if self.hidden:
            wanted["hide"] = ",".join(sorted(self.hidden))
        if st.session_state.lesson:
            wanted["lesson"] = st.session_state.lesson
        wanted |= {"run": self.job, **more}
        if dict(st.query_params) != wanted:
            st.query_params.from_dict(wanted)

    # Changes --------------------------------------------------------------------------------------------------------

    @whole()
    def change(self, wanted: Experiment) -> None:
        """Take over what the controls say: live knobs act on the run, everything else makes a new one, ready."""
        now = self.experiment
        if wanted == now:
            st.session_state.refused = ""  # what was refused has been turned back
            return
        if (count := parameters(wanted)) > (most := caps().parameters):
            st.session_state.refused = (
                f"This network would have {count:,} parameters, more than the {most:,} that fit beside "
                "everybody else's: choose a smaller width, depth or code. The run before is still here."
            )
            return
        if wanted.training.epochs > (longest := caps().epochs):
            st.session_state.refused = f"One run has at most {longest:,} epochs here. The run before is still here."
            return
        if unfit := wanted.settled()[1]:
            why = unfit[0].partition(": ")[2]
            st.session_state.refused = f"{why[0].upper()}{why[1:]}. The run before is still here."
            return
        st.session_state.refused = ""
        st.session_state.experiment = wanted
        if self.mine and wanted.same_structure(now):
            turned = {key: wanted.value(key) for key in now.live() if wanted.value(key) != now.value(key)}
            _wait(self.bench.retune(self.job, turned))
            return
        self._replace(wanted)

    def _replace(self, wanted: Experiment) -> None:
        """Stop and keep a run that took steps, forget one that did not, and have a new one ready.

        Another's run stays as it is.
        """
        old, snapshot, mine = self.job, self.snapshot, self.mine
        earlier = snapshot.earlier if snapshot else ()
        if snapshot is not None and getattr(snapshot.event, "step", 0) > 0:
            earlier = (old, *earlier)
            if mine and snapshot.status in ("running", "paused"):
                self.bench.stop(old)
        elif mine:
            self.bench.discard(old)
        shown = tuple(job for job in earlier if self._comparable(wanted, job))
        self._start(wanted, shown[:MOST_EARLIER])

    def _comparable(self, wanted: Experiment, job: str) -> bool:
        snapshot = self.bench.snapshot(job)
        return snapshot is not None and comparable(wanted, snapshot.title)

    def _start(self, experiment: Experiment, earlier: tuple[str, ...] = ()) -> None:
        pace = SPEEDS[st.session_state.speed]
        st.session_state.job = self.bench.start(experiment, True, pace, earlier, self.viewer.owner)

    def set_speed(self, name: str) -> None:
        if name != self.speed:
            st.session_state.speed = name
            if self.mine:
                _wait(self.bench.set_pace(self.job, SPEEDS[name]))

    # Buttons --------------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Begin, or go on; a run that came to its end, or is another's, begins anew from the same weights."""
        if not self.mine:
            self._replace(self.experiment)
        elif self.status == "done" and not self.steps_left:
            self.reset()
        if self._may_learn():
            _wait(self.bench.resume(self.job))

    def _may_learn(self) -> bool:
        """Whether one more run of this visitor may learn; `barred` says why it may not."""
        going = learning(self.bench, self.viewer.owner, besides=self.job)
        if not gate.shared or self.viewer.teacher or going < caps().trainings:
            return True
        st.session_state.barred = (f"You have {going} runs learning, as many as one visitor may here: pause or stop "
                                   "one, then press Train again.")
        return False

    @property
    def barred(self) -> str:
        """Why the run that somebody wanted to train waits, in a sentence, told once; empty where it does not."""
        return st.session_state.pop("barred", "")

    def pause(self) -> None:
        if self.mine:
            _wait(self.bench.pause(self.job))

    def step(self) -> None:
        if not self.mine:
            self._replace(self.experiment)
        _wait(self.bench.step(self.job))

    def stop(self) -> None:
        if self.mine:
            _wait(self.bench.stop(self.job))

    def reset(self) -> None:
        """Back to the same first weights, as a new run; the one before stays as a thin line."""
        if not self.mine:
            return self._replace(self.experiment)
        st.session_state.job = self.bench.reset(self.job, pace=SPEEDS[self.speed])

    def reseed(self) -> None:
        """New first weights, from the next seed."""
        if self.mine:
            st.session_state.job = self.bench.reseed(self.job, pace=SPEEDS[self.speed])
        else:
            self._replace(self.experiment.reseeded())
        snapshot = self.snapshot
        if snapshot is not None:
            st.session_state.experiment = snapshot.title
        renew_widgets("training.adam.seed")


def widget_key(control: str) -> str:
    """The key of a control's widget: another one each time the page itself has changed what the control shows.

    A click that left the browser before the change arrived there brings along what all widgets showed then; under a
    key of the past that says nothing, while under the same key it would take the change back.
    """
    renewed: dict[str, int] = st.session_state.setdefault("renewed", {})
    times = sum(count for prefix, count in renewed.items() if control.startswith(prefix))
    return f"knob.{control}" + (f".{times}" if times else "")


def renew_widgets(prefix: str) -> None:
    """Let controls show the experiment's own values, whatever a message on its way says of them."""
    forget_widgets(prefix)
    renewed = st.session_state.setdefault("renewed", {})
    renewed[prefix] = renewed.get(prefix, 0) + 1


def forget_widgets(prefix: str = "") -> None:
    """Drop the values of controls, so that they show the experiment's own again."""
    for key in [key for key in st.session_state if str(key).startswith(f"knob.{prefix}")]:
        del st.session_state[key]


def _wait(command: Future) -> Any:
    """A command's result; None where it came too late for the run, or takes longer than a person should wait."""
    try:
        return command.result(PATIENCE)
    except (KeyError, TooSlow):
        return None
