"""Modules as text: what each defines and imports, and where in the text every node of its tree stands."""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

OURS = "playground"
PLAIN = "playground.exporting.plain"  # the stand-ins
UNKNOWN = object()  # a value that nothing decides


@dataclass(frozen=True)
class Outside:
    """A name that another package brings, and the statement that imports it."""

    statement: str


@dataclass(frozen=True)
class Inside:
    """A whole module of ours under a local name."""

    module: str


@dataclass(frozen=True)
class Definition:
    """A class, function or constant at the top level of a module of ours."""

    module: str
    name: str

    @property
    def node(self) -> ast.stmt:
        return module(self.module).defined[self.name]


Meaning = Outside | Inside | Definition


@dataclass
class Reading:
    """What a definition needs, and the edits to its text: (from, to, new text)."""

    needs: list[Definition] = field(default_factory=list)
    early: list[Definition] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    calls: list[tuple[Definition, dict[str, Any]]] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    edits: list[tuple[int, int, str]] = field(default_factory=list)


class Module:
    """One module's text and tree. defined: name -> statement at its top level."""

    def __init__(self, name: str):
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        self.name = name
        self.text = Path(spec.origin).read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        self.lines = self.text.splitlines(keepends=True)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))
        self.defined: dict[str, ast.stmt] = {}
        for node in self.tree.body:
            self.defined |= dict.fromkeys(names_of(node), node)
        self.imported: dict[str, Meaning] = {}
        for found in ast.walk(self.tree):
            self.imported |= dict(_imports(found))

    def line(self, number: int) -> int:
        """The offset in the text at which a line begins, lines counted from 1."""
        return self._starts[number - 1]

    def offset(self, number: int, column: int) -> int:
        """The offset of a line and a column in bytes, as the tree has them."""
        return self.line(number) + len(self.lines[number - 1].encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
        """Where a node begins and ends in the text."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def whole_lines(self, node: ast.stmt) -> tuple[int, int]:
        """Where the lines begin and end that a statement stands on, its decorators with it."""
        assert node.end_lineno is not None
        return self.line(first_line(node)), self.line(node.end_lineno + 1)

    def meaning(self, name: str) -> Meaning | None:
        """What a name stands for at the top level; None for Python's own names and for names that nothing defines."""
        if name in self.defined:
            return Definition(self.name, name)
        found = self.imported.get(name)
        if isinstance(found, Definition):
            return module(found.module).meaning(found.name)
        return found


@cache
def module(name: str) -> Module:
    return Module(name)


def of(thing: Any) -> Definition:
    """The definition of a class or a function."""
    return Definition(thing.__module__, thing.__qualname__)


def first_line(node: ast.stmt) -> int:
    """The number of a statement's first line, decorators included."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])


def names_of(node: ast.AST) -> list[str]:
    """The names that a statement defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _imports(node: ast.AST) -> list[tuple[str, Meaning]]:
    """Local name -> meaning of an import statement."""
    if isinstance(node, ast.Import):
        return [(one.asname or one.name.partition(".")[0],
                 Outside(f"import {one.name}" + (f" as {one.asname}" if one.asname else ""))) for one in node.names]
    if not isinstance(node, ast.ImportFrom) or node.module == "__future__":
        return []
    found: list[tuple[str, Meaning]] = []
    for one in node.names:
        local, path = one.asname or one.name, f"{node.module}.{one.name}"
        if str(node.module).partition(".")[0] != OURS:
            found.append((local, Outside(f"from {node.module} import {ast.unparse(one)}")))
        elif node.module == OURS and importlib.util.find_spec(path):
            found.append((local, Inside(path)))
        else:
            found.append((local, Definition(str(node.module), one.name)))
    return found


def stands_for(definition: Definition) -> ast.expr | None:
    """What a stand-in is only another name of: nn.Linear for Linear; None for definitions with a text of their own."""
    node = definition.node
    if definition.module == PLAIN and isinstance(node, ast.Assign):
        return node.value if isinstance(node.value, ast.Name | ast.Attribute) else None
    return None


def signature(definition: Definition) -> list[tuple[str, Any]]:
    """The parameters of a function, or of what makes a class's objects, and the constants that they default to."""
    node = definition.node
    if isinstance(node, ast.ClassDef):
        makers = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
        arguments = makers[0].args if makers else None
    else:
        arguments = node.args if isinstance(node, ast.FunctionDef) else None
    if arguments is None:
        return []
    names = [one.arg for one in arguments.args]
    defaults = [UNKNOWN] * (len(names) - len(arguments.defaults)) + [
        one.value if isinstance(one, ast.Constant) else UNKNOWN for one in arguments.defaults]
    return list(zip(names, defaults))[isinstance(node, ast.ClassDef):]
