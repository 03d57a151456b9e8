"""Gathering: all that a few classes and functions of ours need, as one text that needs nothing of ours."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

from playground.exporting.classes import ClassReader
from playground.exporting.modules import (
    PLAIN,
    UNKNOWN,
    Definition,
    Meaning,
    Module,
    Reading,
    first_line,
    module,
    stands_for,
)
from playground.exporting.plain import INSTEAD
from playground.exporting.reading import WIDTH

RULE = re.compile(r"^ *# .*-{8,}\n", re.MULTILINE)  # a heading among the members of a class
NOTES = re.compile(r"  # (type: ignore|fmt:|noqa).*$", re.MULTILINE)


class Gathered:
    """The definitions that parts of an experiment need.

    roots: section -> the definitions to begin with. A definition stands in the first section that needs it.
    parts: the objects whose knobs decide, by the names that they go by in the text. around: the program's other text,
    whose names are taken and whose attributes are asked for. decided: functions that give one value here. instead:
    further names that have a stand-in.
    """

    def __init__(self, roots: dict[str, list[Definition]], parts: dict[str, Any], around: Iterable[str],
                 decided: dict[Definition, Any], instead: Iterable[str] = ()):
        self._parts, self._decided, self._instead = parts, decided, set(instead)
        nodes = [node for text in around for node in ast.walk(ast.parse(text))]
        self._asked = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        self._taken = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        self._instances = {(kind.__module__, kind.__name__): one
                           for one in parts.values() for kind in type(one).__mro__}
        self._instances |= {(PLAIN, type(one).__name__): one for one in parts.values()}
        self._names: dict[Definition, str] = {}
        self._roots = {section: [self._stood_in(one) for one in some] for section, some in roots.items()}
        self._known: dict[Definition, dict[str, Any]] = {}
        while self._known != (known := self._gather()):  # what is known of parameters may make calls and more fall away
            self._known = known
        self._order()

    # What the readers ask -------------------------------------------------------------------------------------------

    def meaning(self, where: Module, name: str) -> Meaning | None:
        found = where.meaning(name)
        return self._stood_in(found) if isinstance(found, Definition) else found

    def _stood_in(self, found: Definition) -> Definition:
        is_replaced = found.name in INSTEAD.get(found.module, ()) or found.name in self._instead
        return Definition(PLAIN, found.name) if is_replaced else found

    def instance(self, definition: Definition) -> Any:
        return self._instances.get((definition.module, definition.name))

    def part(self, name: str) -> Any:
        return self._parts.get(name)

    def decided(self, definition: Definition) -> Any:
        return self._decided.get(definition, UNKNOWN)

    def parameters(self, definition: Definition) -> dict[str, Any]:
        return self._known.get(definition, {})

    def called(self, definition: Definition) -> str:
        """The name in the text: its own, or with its module's where two share one."""
        if (alias := stands_for(definition)) is not None:
            return ast.unparse(alias)
        if definition not in self._names:
            taken = definition.name in self._taken or definition.name in self._names.values()
            self._names[definition] = (f"{definition.name}_of_{definition.module.rpartition('.')[2].strip('_')}"
                                       if taken else definition.name)
        return self._names[definition]

    # Reading and putting in order -----------------------------------------------------------------------------------

    def _gather(self) -> dict[Definition, dict[str, Any]]:
        """Read all that is needed; the parameters that get the same value from every call, and that value."""
        self.used, before = set(self._asked), -1
        while before < len(self.used):  # each attribute that is asked for may bring more methods in
            before = len(self.used)
            self._read()
        calls: dict[Definition, list[dict[str, Any]]] = {}
        for reading in self._readings.values():
            for definition, given in reading.calls:
                calls.setdefault(definition, []).append(given)
        for root in (one for some in self._roots.values() for one in some):
            calls.pop(root, None)
        return {definition: known for definition, given in calls.items() if (known := _always(given))}

    def _read(self) -> None:
        self._readings: dict[Definition, Reading] = {}
        self._section: dict[Definition, str] = {}
        for section, roots in self._roots.items():
            waiting = list(roots)
            while waiting:
                if (one := waiting.pop(0)) in self._readings:
                    continue
                self._readings[one] = reading = ClassReader(self, one).read()
                self._section[one] = section
                self.used |= reading.attributes
                waiting += reading.needs

    def _order(self) -> None:
        """Modules as they were met, the last first, so that what is used stands before what uses it."""
        met = list(dict.fromkeys(one.module for one in self._readings))
        sections = list(self._roots)
        ordered: dict[Definition, None] = {}

        def place(one: Definition) -> None:
            for needed in self._readings[one].early:
                if needed not in ordered and needed != one:
                    place(needed)
            ordered[one] = None

        for one in sorted(self._readings, key=lambda one: (
            sections.index(self._section[one]), -met.index(one.module), one.node.lineno,
        )):  # fmt: skip
            if one not in ordered:
                place(one)
        self._ordered = list(ordered)

    def text(self, section: str) -> str:
        """The definitions of one section, ready to run after those of the sections before it."""
        parts: list[str] = []
        done: set[tuple[str, int]] = set()
        constant = False
        for one in self._ordered:
            key = (one.module, first_line(one.node))
            if self._section[one] != section or key in done:
                continue
            done.add(key)
            is_constant = not isinstance(one.node, ast.ClassDef | ast.FunctionDef)
            parts += ["" if constant and is_constant else "\n\n", _edited(one, self._readings[one])]
            constant = is_constant
        return "".join(parts).strip("\n") + "\n"

    def imports(self) -> set[str]:
        """The import statements that all of it needs."""
        return {statement for reading in self._readings.values() for statement in reading.imports}

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(self._roots)


def _always(given: list[dict[str, Any]]) -> dict[str, Any]:
    """The parameters that are given one value in all calls."""
    first, *others = given
    return {name: value for name, value in first.items()
            if value is not UNKNOWN and all(type(one[name]) is type(value) and one[name] == value for one in others)}


def imported(statements: Iterable[str]) -> str:
    """Import statements in the usual order, those from one module in one line."""
    names: dict[str, set[str]] = {}
    plain = set()
    for statement in statements:
        if statement.startswith("from "):
            where, _, what = statement.removeprefix("from ").partition(" import ")
            names.setdefault(where, set()).add(what)
        else:
            plain.add(statement)
    lines = plain | {f"from {where} import {', '.join(sorted(what))}" for where, what in names.items()}
    standard = {line for line in lines if line.split()[1].partition(".")[0] in STANDARD}
    return "\n\n".join("\n".join(sorted(some, key=_as_isort)) for some in (standard, lines - standard) if some)


STANDARD = {"math", "colorsys", "string", "importlib", "pathlib", "dataclasses", "collections", "typing", "os", "sys",
            "itertools", "functools", "io", "json", "re"}


def _as_isort(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line.split()[1]


def _edited(one: Definition, reading: Reading) -> str:
    """A definition's text with its edits; an edit inside a deleted part has no say."""
    where = module(one.module)
    start, end = where.whole_lines(one.node)
    text, at = [], start
    for first, last, new in sorted(reading.edits, key=lambda edit: (edit[0], -edit[1])):
        if first < at:
            continue
        text += [where.text[at:first], new]
        at = last
    text.append(where.text[at:end])
    whole = NOTES.sub("", RULE.sub("", "".join(text)))
    whole = re.sub(r"\n\s*\n(\s*\n)+", "\n\n", whole)
    whole = re.sub(r"( *def \w+\([^\n]*,)\n\s+([^\n]*:\n)", _joined, whole)
    return re.sub(r"(?<=:\n)\n+|\n+\Z", "", whole) + "\n" if whole.strip() else ""


def _joined(header: re.Match) -> str:
    """A function's first two lines as one, if that is not too long."""
    line = f"{header[1]} {header[2]}"
    return line if len(line) <= WIDTH else header[0]
