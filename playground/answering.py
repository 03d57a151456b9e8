"""Answering: questions that are asked of networks, those of open runs and those on disk; a half of the Workbench."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from playground.batches import Resident
from playground.events import Snapshot, Trouble
from playground.experiment import Experiment
from playground.library import Library
from playground.model import Autoencoder
from playground.networks import Networks, hand_over
from playground.runner import Engine
from playground.supply import Supply
from playground.trainer import Session


class Answering(ABC):
    """The Workbench makes what this stands on; sessions and networks are touched on the device thread only."""

    library: Library
    supply: Supply
    _engine: Engine
    _sessions: dict[str, Session]
    _networks: Networks
    _shown: dict[str, str]

    @abstractmethod
    def snapshot(self, job: str) -> Snapshot | None:
        """What a screen may know of a job; None when there is none."""

    def experiment(self, name: str) -> Experiment:
        """The experiment of a run or a shipped model; Trouble when there is none of that name."""
        if (snapshot := self.snapshot(name)) is not None:
            return snapshot.title
        if (entry := self.library.find(name)) is not None:
            return entry.experiment
        raise Trouble("There is no run or model of that name.")

    def probe(self, name: str, question: Callable[[Autoencoder, Resident], Any]) -> Future:
        """Ask a question of a run's or a shipped model's network, as it is now, on the device thread.

        question(model, images) must return plain values or arrays, quickly: training waits for it. Data that is not
        loaded yet is loaded aside first. The Future carries the answer, or the Trouble.
        """
        answer: Future = Future()

        def when_loaded(images: Future) -> None:
            if images.exception() is not None:
                return hand_over(images, answer)
            asked = self._engine.ask(lambda: question(self._model(name), images.result()))
            asked.add_done_callback(lambda done: hand_over(done, answer))

        try:
            self.supply.look(self.experiment(name).data, self._shown.get(name, name)).add_done_callback(when_loaded)
        except Trouble as trouble:
            answer.set_exception(trouble)
        return answer

    def ask(self, name: str, question: Callable[[Autoencoder], Any]) -> Future:
        """As `probe`, of the network alone: its data set is not loaded for it."""
        return self._engine.ask(lambda: question(self._model(name)))

    def aside(self, do: Callable[[], Any]) -> Future:
        """Run something long that needs no device on a thread of its own: fitting a map, importing pictures."""
        return self._engine.aside(do)

    def _model(self, name: str) -> Autoencoder:
        """A run's network: the one that trains, or the saved one."""
        if name in self._sessions:
            self._networks.forget(name)
            return self._sessions[name].model
        entry = self.library.find(self._shown.get(name, name))
        if entry is None and (snapshot := self.snapshot(name)) is not None and snapshot.status == "opening":
            raise Trouble("This run is only just beginning: try again in a moment.")
        return self._networks.of(name, entry)
