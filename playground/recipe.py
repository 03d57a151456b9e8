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
        made, problems = Experiment.from_query(self.query)
        if problems:
            raise ValueError(f"the recipe {self.name} cannot be read: {'; '.join(problems)}")
        return made
