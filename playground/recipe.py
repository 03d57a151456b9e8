"""Recipe: what decides one shipped model, and what its card says of it in words."""

from __future__ import annotations

from dataclasses import dataclass

from playground.experiment import Experiment


@dataclass(frozen=True)
class Recipe:
    """One shipped model: its name, its experiment as a link's query, what it is for, and where it fails."""

    name: str
    query: str
    about: str
    limits: str

    @property
    def experiment(self) -> Experiment:
        """The experiment, strictly: ValueError where the query holds anything that is not known."""
        return strictly(self.query, f"the recipe {self.name}")


def strictly(query: str, where: str) -> Experiment:
    """The experiment of a query of the program's own; ValueError that says `where` if any of it is unknown."""
    made, problems = Experiment.from_query(query)
    if problems:
        raise ValueError(f"{where} cannot be read: {'; '.join(problems)}")
    return made
