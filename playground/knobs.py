"""Knobs: frozen dataclass fields that know their range, unit and help, and how to be read from text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True)
class Knob:
    """What a person may do with one field.

    `stops` are the values a slider offers (any value in range stays valid), `symbol` is its letter in the formulas,
    `live` says that it may change while a run goes on, `rare` that it belongs under "More". `when` is another knob's
    name and the values of it beside which this one has a say; without it, it always has.
    """

    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple = ()
    stops: tuple = ()
    label: str = ""
    symbol: str = ""
    unit: str = ""
    live: bool = False
    rare: bool = False
    when: tuple[str, tuple] | None = None

    @property
    def range(self) -> str:
        """The values allowed, in words: "1 to 1024" or "relu, tanh"."""
        if self.choices:
            return ", ".join(str(choice) for choice in self.choices)
        if self.low is None:
            return "any text"
        return f"{self.low:g} to {self.high:g}"


def knob(default: Any, help: str, **settings: Any) -> Any:
    """A dataclass field with a default and a Knob; `settings` are the Knob's fields."""
    return field(default=default, metadata={"knob": Knob(help, **settings)})


def knobs(value: Any) -> dict[str, Knob]:
    """Name -> Knob of a dataclass or an instance of one, in the order they are written."""
    return {f.name: f.metadata["knob"] for f in fields(value) if "knob" in f.metadata}


def matters(value: Any, name: str) -> bool:
    """Whether a knob of a dataclass's instance has a say, the others being as they are."""
    when = knobs(value)[name].when
    return when is None or getattr(value, when[0]) in when[1]


def label(name: str, setting: Knob) -> str:
    """The knob's name as a person reads it, with its symbol: "Target ρ"."""
    words = setting.label or name.replace("_", " ").capitalize()
    return f"{words} {setting.symbol}".strip()


def check(cls: type, name: str, raw: Any) -> Any:
    """The value of one knob read from `raw` (text or value); ValueError with a sentence if it is not allowed."""
    known = {f.name: f for f in fields(cls)}
    if name not in known:
        raise ValueError(f"there is no knob called {name!r}; there are {', '.join(known) or 'none'}")
    setting: Knob = known[name].metadata["knob"]
    value = _convert(known[name].default, raw)
    if setting.choices:
        if value not in setting.choices:
            raise ValueError(f"{raw!r} is not one of {setting.range}")
    elif setting.low is not None and not setting.low <= value <= setting.high:
        raise ValueError(f"{raw!r} is outside {setting.range}")
    return value


def _convert(default: Any, raw: Any) -> Any:
    """`raw` in the type of `default`; strict about what is no number and about fractions where whole numbers belong."""
    kind = type(default)
    if kind is bool:
        words = {True: True, False: False, "true": True, "1": True, "false": False, "0": False}
        if raw not in words:
            raise ValueError(f"{raw!r} is neither true nor false")
        return words[raw]
    if kind is str:
        return str(raw)
    try:
        number = float(raw)
    except (TypeError, ValueError):
        raise ValueError(f"{raw!r} is not a number") from None
    if isinstance(raw, bool) or not math.isfinite(number):
        raise ValueError(f"{raw!r} is not a number")
    if kind is int:
        if number != int(number):
            raise ValueError(f"{raw!r} is not a whole number")
        return int(number)
    return number


def read(cls: type, raws: dict[str, Any]) -> tuple[Any, list[str]]:
    """An instance of `cls` from texts or values: what is wrong stays at its default and is reported in a sentence."""
    values, problems = {}, []
    for name, raw in raws.items():
        try:
            values[name] = check(cls, name, raw)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return cls(**values), problems


def changed(value: Any, **raws: Any) -> Any:
    """A copy of a dataclass of knobs with some of them changed and checked; ValueError as in `check`."""
    return replace(value, **{name: check(type(value), name, raw) for name, raw in raws.items()})
