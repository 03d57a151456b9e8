"""Reading one definition: which others it needs, and how its text changes when it stands alone.

The text stays as it was written, comments and all, but for these edits: knobs become plain values, what a knob's value
decides is decided (`if self.kind == "kl":`), methods that nobody calls go, and so do registration, type annotations
that name classes of ours, assertions and reports of progress.
"""

from __future__ import annotations

import ast
import json
from typing import Any

from playground.exporting.knowing import Knower, Program
from playground.exporting.modules import (
    UNKNOWN,
    Definition,
    Outside,
    Reading,
    first_line,
    module,
    signature,
    stands_for,
)

PLAIN_TYPES = {"int", "float", "bool", "str", "bytes", "None", "list", "tuple", "dict", "Tensor", "np", "torch", "nn",
               "ndarray", "Path"}
WIDTH = 120


class Reader(Knower, ast.NodeVisitor):
    """One reading of one definition."""

    def __init__(self, program: Program, definition: Definition):
        super().__init__(program, definition)
        self.found = Reading()
        self._early = not isinstance(definition.node, ast.FunctionDef)

    def read(self) -> Reading:
        self.visit(self.definition.node)
        return self.found

    # Names ----------------------------------------------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        self._meant(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self._meant(node):
            return
        if not (isinstance(node.value, ast.Name) and node.value.id == "self") and isinstance(
                said := self.known(node), str):
            self._replace(*self.module.span(node), json.dumps(said))
            return
        if isinstance(node.ctx, ast.Load):
            self.found.attributes.add(node.attr)
        self.visit(node.value)

    def _meant(self, node: ast.expr, is_called: bool = False) -> bool:
        """Note what a name stands for, if it is not a local one; returns whether it stands for anything."""
        meant = self.meant(node)
        if isinstance(meant, Outside):
            self.found.imports.add(meant.statement)
        elif isinstance(meant, Definition):
            self._need(meant)
            if not is_called:
                self._give_up(meant)
            if (name := self.program.called(meant)) != ast.unparse(node):
                self._replace(*self.module.span(node), name)
        return meant is not None

    def _give_up(self, meant: Definition) -> None:
        """It may be called from anywhere: none of its parameters is known."""
        self.found.calls.append((meant, dict.fromkeys((name for name, _ in signature(meant)), UNKNOWN)))

    def _need(self, meant: Definition) -> None:
        if meant.node is self.definition.node:
            return
        if isinstance(alias := stands_for(meant), ast.expr):
            where = module(meant.module)
            for part in ast.walk(alias):
                if isinstance(part, ast.Name) and isinstance(found := where.meaning(part.id), Outside):
                    self.found.imports.add(found.statement)
            return
        self.found.needs.append(meant)
        if self._early:
            self.found.early.append(meant)

    # Annotations ----------------------------------------------------------------------------------------------------

    def _annotation(self, node: ast.expr | None, start: int) -> None:
        """Keep an annotation of plain types; of others, delete it from `start`, where what it belongs to ends."""
        if node is None:
            return
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if names <= PLAIN_TYPES:
            self.visit(node)
        else:
            self._replace(start, self.module.span(node)[1], "")

    def visit_arg(self, node: ast.arg) -> None:
        start = self.module.span(node)[0] + len(node.arg)
        self._annotation(node.annotation, start)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation, self.module.span(node.target)[1])
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    # Functions ------------------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        reports = bool(arguments) and arguments[-1].arg == "report"
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None and not reports:
                self.visit(default)
        early, self._early = self._early, False
        self.enter(node, is_method=node is not self.definition.node)
        for argument in [*arguments, *filter(None, (node.args.vararg, node.args.kwarg))]:
            self.visit(argument)
        if node.returns is not None:
            closing = self.module.text.rindex(")", 0, self.module.span(node.returns)[0])
            self._annotation(node.returns, closing + 1)
        if reports:
            self._without_last(arguments, node.args.defaults)
        self.visit_body(node.body)
        self.leave()
        self._early = early

    def _without_last(self, arguments: list[ast.arg], defaults: list[ast.expr]) -> None:
        """Delete the last parameter, which comes after others that have no default."""
        last = defaults[-1] if defaults else arguments[-1]
        self._replace(self.module.span(arguments[-2])[1], self.module.span(last)[1], "")

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.enter(node, is_method=True)
        self.generic_visit(node)
        self.leave()

    def _comprehension(self, node: Any) -> None:
        targets = (part.id for one in node.generators for part in ast.walk(one.target) if isinstance(part, ast.Name))
        self._locals.append(set(targets))
        self._once.append({})
        self.generic_visit(node)
        self.leave()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    # Statements -----------------------------------------------------------------------------------------------------

    def visit_body(self, body: list[ast.stmt]) -> None:
        for i, statement in enumerate(body):
            if self._is_idle(statement):
                self._delete(statement)
            elif isinstance(statement, ast.If):
                if self._if(statement):
                    for rest in body[i + 1 :]:
                        self._delete(rest)
                    return
            else:
                self.visit(statement)

    def _is_idle(self, node: ast.stmt) -> bool:
        """Whether a statement does nothing for a program that stands alone."""
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("playground"):
            return True
        if isinstance(node, ast.Assert) or self._is_dead(node) or getattr(node, "value", node) is None:
            return not isinstance(node, ast.Return)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            return node.value.func.id == "report"
        return isinstance(node, ast.If) and not node.orelse and all(map(self._is_idle, node.body))

    def _is_dead(self, node: ast.stmt) -> bool:
        """Whether a statement keeps in an attribute what nobody asks for."""
        if not isinstance(node, ast.Assign) or len(node.targets) > 1:
            return False
        target = node.targets[0]
        return (isinstance(target, ast.Attribute) and target.attr not in self.program.used
                and not any(isinstance(part, ast.Call) for part in ast.walk(node.value)))

    def _block(self, node: Any) -> None:
        for name, value in ast.iter_fields(node):
            if name in ("body", "orelse", "finalbody"):
                self.visit_body(value)
            else:
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, ast.AST):
                        self.visit(part)

    visit_For = visit_While = visit_With = visit_Try = visit_ExceptHandler = _block

    def _if(self, node: ast.If, is_elif: bool = False) -> bool:
        """Read an if statement, decided where a knob decides it; returns whether nothing after it is ever reached."""
        said = self.known(node.test)
        start, end = self.module.whole_lines(node)
        else_if = node.orelse[0] if self._has_elif(node) else None
        if said is UNKNOWN:
            self.visit(node.test)
            self.visit_body(node.body)
            if isinstance(else_if, ast.If):
                self._if(else_if, is_elif=True)
            else:
                self.visit_body(node.orelse)
            return False
        if not said and isinstance(else_if, ast.If):
            self._replace(start, self.module.line(else_if.lineno), "")
            if not is_elif:
                begins = self.module.span(else_if)[0]
                self._replace(begins, begins + len("el"), "")
            return self._if(else_if, is_elif)
        chosen = node.body if said else node.orelse
        if not chosen:
            self._replace(start, end, "")
            return False
        header = self.module.line(first_line(chosen[0]))
        self._replace(start, header, " " * node.col_offset + "else:\n" if is_elif else "")
        after = self.module.whole_lines(chosen[-1])[1]
        self._replace(after, end, "")
        if not is_elif:
            self._dedent(first_line(chosen[0]), chosen[-1].end_lineno or 0, node.col_offset, chosen[0].col_offset)
        self.visit_body(chosen)
        return not is_elif and isinstance(chosen[-1], ast.Return | ast.Raise)

    def _has_elif(self, node: ast.If) -> bool:
        """Whether what follows is written `elif`."""
        if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
            return False
        return self.module.text.startswith("elif", self.module.span(node.orelse[0])[0])

    def _dedent(self, first: int, last: int, to: int, column: int) -> None:
        for number in range(first, last + 1):
            if self.module.lines[number - 1].strip():
                start = self.module.line(number)
                self._replace(start + to, start + column, "")

    # What a knob decides --------------------------------------------------------------------------------------------

    def visit_IfExp(self, node: ast.IfExp) -> None:
        said = self.known(node.test)
        if said is UNKNOWN:
            self.generic_visit(node)
            return
        chosen = node.body if said else node.orelse
        (start, end), (first, last) = self.module.span(node), self.module.span(chosen)
        self._replace(start, first, "")
        self._replace(last, end, "")
        self.visit(chosen)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """The entry of a table that a knob names: CORRUPTIONS[self.kind] is `gaussian`."""
        named = self._entry(node)
        if named is None:
            self.generic_visit(node)
        else:
            self._need(named)
            self._give_up(named)
            self._replace(*self.module.span(node), self.program.called(named))

    def _entry(self, node: ast.Subscript) -> Definition | None:
        key, meant = self.known(node.slice), self.meant(node.value)
        table = getattr(meant.node, "value", None) if isinstance(meant, Definition) else None
        if key is UNKNOWN or not isinstance(meant, Definition) or not isinstance(table, ast.Dict):
            return None
        for at, value in zip(table.keys, table.values):
            if isinstance(at, ast.Constant) and at.value == key and isinstance(value, ast.Name):
                found = self.program.meaning(module(meant.module), value.id)
                return found if isinstance(found, Definition) else None
        return None

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id == "cast" and len(node.args) == 2:
            (start, end), (first, last) = self.module.span(node), self.module.span(node.args[1])
            self._replace(start, first, "")
            self._replace(last, end, "")
            self.visit(node.args[1])
        elif (said := self.known(node)) is not UNKNOWN:
            self._replace(*self.module.span(node), json.dumps(said))
        elif isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            self.visit(node.args[0])
            if not self._meant(node.args[1], is_called=True):
                self.visit(node.args[1])
        elif self._meant(node.func, is_called=True):
            if isinstance(meant := self.meant(node.func), Definition):
                self.found.calls.append((meant, self.given(meant, node)))
            for part in [*node.args, *node.keywords]:
                self.visit(part)
        else:
            self.generic_visit(node)

    # Edits ----------------------------------------------------------------------------------------------------------

    def _replace(self, start: int, end: int, text: str) -> None:
        self.found.edits.append((start, end, text))

    def _delete(self, node: ast.stmt) -> None:
        self._replace(*self.module.whole_lines(node), "")
