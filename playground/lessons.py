"""Lessons: the lecture in twelve steps, each an experiment, one thing to change, and a question with its answer.

Their words lie in lessons.toml.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from playground.experiment import Experiment
from playground.recipe import strictly

WORDS = Path(__file__).resolve().with_suffix(".toml")


@dataclass(frozen=True)
class Lesson:
    """One lesson. number: from 1 on. text: two or three sentences. change: the one thing to do.

    page: the Lab's page, by its address; query: the experiment's, as in a link; more: what else the address holds.
    """

    number: int
    title: str
    text: str
    change: str
    question: str
    answer: str
    query: str = ""
    page: str = ""
    more: str = ""

    @property
    def experiment(self) -> Experiment:
        """The experiment that it begins with, strictly: ValueError where the query holds anything unknown."""
        return strictly(self.query, f"lesson {self.number}")

    @property
    def link(self) -> str:
        """The address of its page on this server, from the root on."""
        return f"/{self.page}?" + "&".join(filter(None, (f"lesson={self.number}", self.query, self.more)))


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons, in the lecture's order."""
    told = tomllib.loads(WORDS.read_text(encoding="utf-8"))["lesson"]
    return tuple(Lesson(number, **one) for number, one in enumerate(told, 1))


def lesson(number: str) -> Lesson | None:
    """The lesson of a number as a link says it; None where there is none."""
    return next((one for one in lessons() if str(one.number) == number), None)
