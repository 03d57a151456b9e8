"""Knowing: the value that an expression is bound to have in one experiment."""

from __future__ import annotations

import ast
from typing import Any, Protocol

from playground.exporting.modules import UNKNOWN, Definition, Inside, Meaning, Module, module, signature

COMPARED = {ast.Eq: lambda a, b: a == b, ast.NotEq: lambda a, b: a != b, ast.In: lambda a, b: a in b,
            ast.NotIn: lambda a, b: a not in b, ast.Is: lambda a, b: a is b, ast.IsNot: lambda a, b: a is not b}


class Program(Protocol):
    """What a reader has to know of the whole. used: every attribute that is asked for anywhere."""

    used: set[str]

    def meaning(self, where: Module, name: str) -> Meaning | None: ...

    def instance(self, definition: Definition) -> Any: ...

    def called(self, definition: Definition) -> str: ...

    def part(self, name: str) -> Any: ...

    def decided(self, definition: Definition) -> Any: ...

    def parameters(self, definition: Definition) -> dict[str, Any]: ...


class Knower:
    """Follows constants: knobs that are words or switches, what calls give, and names that are bound once."""

    def __init__(self, program: Program, definition: Definition):
        self.program, self.definition = program, definition
        self.module = module(definition.module)
        self._locals: list[set[str]] = []
        self._once: list[dict[str, Any]] = []
        self._instance: Any = None

    def is_local(self, name: str) -> bool:
        return any(name in names for names in self._locals)

    def meant(self, node: ast.expr) -> Meaning | None:
        """What a name, or a name in one of our modules, stands for; None for local names and all else."""
        if isinstance(node, ast.Name):
            return None if self.is_local(node.id) else self.program.meaning(self.module, node.id)
        if isinstance(node, ast.Attribute) and isinstance(where := self.meant(node.value), Inside):
            return self.program.meaning(module(where.module), node.attr)
        return None

    def enter(self, node: ast.FunctionDef | ast.Lambda, is_method: bool) -> None:
        """Go into a function, whose parameters may be known from all of its calls."""
        self._locals.append(_bound(node))
        known: dict[str, Any] = {}
        if isinstance(node, ast.FunctionDef):
            if not self._once and (not is_method or node.name == "__init__"):
                known |= self.program.parameters(self.definition)
            names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
            stored = [part.id for part in names if isinstance(part.ctx, ast.Store)]
            known = {name: value for name, value in known.items() if name not in stored}
            self._once.append(known)
            for one in node.body:
                if isinstance(one, ast.Assign) and isinstance(target := one.targets[0], ast.Name) \
                        and stored.count(target.id) == 1 and (value := self.known(one.value)) is not UNKNOWN:
                    known[target.id] = value
        else:
            self._once.append(known)

    def leave(self) -> None:
        self._locals.pop()
        self._once.pop()

    def given(self, meant: Definition, node: ast.Call) -> dict[str, Any]:
        """What a call gives to each parameter, where that is known."""
        names = signature(meant)
        if any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
            return dict.fromkeys([name for name, _ in names], UNKNOWN)
        given: dict[str, ast.expr] = dict(zip([name for name, _ in names], node.args))
        given |= {str(one.arg): one.value for one in node.keywords}
        return {name: self.known(given[name]) if name in given else default for name, default in names}

    def known(self, node: ast.expr | None) -> Any:
        """The value of an expression; UNKNOWN where nothing decides it."""
        if node is None:
            return UNKNOWN
        return getattr(self, f"_{type(node).__name__.lower()}", lambda _: UNKNOWN)(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _tuple(self, node: ast.Tuple) -> Any:
        values = tuple(map(self.known, node.elts))
        return UNKNOWN if UNKNOWN in values else values

    def _name(self, node: ast.Name) -> Any:
        for names, once in zip(reversed(self._locals), reversed(self._once)):
            if node.id in names:
                return once.get(node.id, UNKNOWN)
        meant = self.program.meaning(self.module, node.id)
        value = getattr(meant.node, "value", None) if isinstance(meant, Definition) else None
        return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else UNKNOWN

    def _attribute(self, node: ast.Attribute) -> Any:
        """A word or a switch of the object whose class this is, or a word of another part of the experiment."""
        if not isinstance(node.value, ast.Name):
            return UNKNOWN
        if node.value.id != "self":
            value = getattr(self.program.part(node.value.id), node.attr, UNKNOWN)
            return value if isinstance(value, str) and self.is_local(node.value.id) else UNKNOWN
        value = getattr(self._instance, node.attr, UNKNOWN)
        return value if isinstance(value, bool | str) and self._is_fixed(node.attr) else UNKNOWN

    def _is_fixed(self, name: str) -> bool:
        """Whether an attribute of the present object is a knob, or set once when it is made."""
        return name in getattr(self._instance, "__dict__", {}) and name != "training"

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self.known(node.operand)
        return not value if isinstance(node.op, ast.Not) and value is not UNKNOWN else UNKNOWN

    def _boolop(self, node: ast.BoolOp) -> Any:
        values, decides = [self.known(one) for one in node.values], isinstance(node.op, ast.Or)
        if any(value is not UNKNOWN and bool(value) is decides for value in values):
            return decides
        return UNKNOWN if UNKNOWN in values else not decides

    def _compare(self, node: ast.Compare) -> Any:
        left, right = self.known(node.left), self.known(node.comparators[0])
        compare = COMPARED.get(type(node.ops[0]))
        return UNKNOWN if UNKNOWN in (left, right) or compare is None or len(node.ops) > 1 else compare(left, right)

    def _ifexp(self, node: ast.IfExp) -> Any:
        said = self.known(node.test)
        return UNKNOWN if said is UNKNOWN else self.known(node.body if said else node.orelse)

    def _call(self, node: ast.Call) -> Any:
        meant = self.meant(node.func)
        return self.program.decided(meant) if isinstance(meant, Definition) else UNKNOWN


def _bound(node: ast.FunctionDef | ast.Lambda) -> set[str]:
    """The names that a function binds, those of the functions inside it too."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    names |= {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    for part in ast.walk(node):
        if isinstance(part, ast.Import | ast.ImportFrom) and not str(getattr(part, "module", "")).startswith("playg"):
            names |= {one.asname or one.name for one in part.names}
    return names
