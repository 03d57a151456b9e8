"""Reading a class: which of its members stay, and what becomes of its knobs and its bases."""

from __future__ import annotations

import ast
import json
import textwrap

from playground.exporting.modules import PLAIN, Definition, module, names_of
from playground.exporting.reading import WIDTH, Reader
from playground.knobs import knobs


class ClassReader(Reader):
    """Reads functions and constants as Reader does, and classes too."""

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._instance = self.program.instance(self.definition)
        for decorator in node.decorator_list:
            if self._instance is None:
                self.visit(decorator)
            else:
                line = self.module.line(decorator.lineno)
                self._replace(line, self.module.line((decorator.end_lineno or 0) + 1), "")
        opening = self.module.offset(node.lineno, node.col_offset) + len("class ") + len(node.name)
        self._replace(opening - len(node.name), opening, self.program.called(self.definition))
        bases = self._bases(node)
        if node.bases:
            closing = self.module.text.index(")", self.module.span(node.bases[-1])[1]) + 1
            self._replace(opening, closing, f"({', '.join(bases)})" if bases else "")
        kept = 0
        for i, member in enumerate(node.body):
            if i == 0 and isinstance(member, ast.Expr):
                if self._is_abstract(node):
                    self._delete(member)
                kept += not self._is_abstract(node)
            elif not self.keeps(member, self._instance is None):
                self._delete(member)
            else:
                kept += 1
                self._member(member)
        if not kept:
            self._replace(*(self.module.whole_lines(node.body[-1])[1],) * 2, "    pass\n")
        self._instance = None

    def _bases(self, node: ast.ClassDef) -> list[str]:
        names = []
        for base in node.bases:
            meant = self.program.meaning(self.module, base.id) if isinstance(base, ast.Name) else None
            if isinstance(meant, Definition):
                if not self._is_empty(meant):
                    self._need(meant)
                    self._give_up(meant)
                    names.append(self.program.called(meant))
            elif ast.unparse(base) not in ("ABC", "Protocol"):
                self.visit(base)
                names.append(ast.unparse(base))
        return names

    def _is_empty(self, base: Definition) -> bool:
        """Whether a base class would bring nothing."""
        reader = ClassReader(self.program, base)
        node = base.node
        assert isinstance(node, ast.ClassDef)
        return not reader._bases(node) and not any(reader.keeps(one, False) for one in node.body)

    @staticmethod
    def _is_abstract(node: ast.ClassDef) -> bool:
        return any(isinstance(base, ast.Name) and base.id == "ABC" for base in node.bases)

    def keeps(self, member: ast.stmt, is_plain: bool) -> bool:
        """Whether a member of a class has a use; is_plain: of a class without knobs, whose fields all have."""
        if isinstance(member, ast.FunctionDef):
            if any(ast.unparse(one) == "abstractmethod" for one in member.decorator_list):
                return False
            name = member.name
            return name.startswith("__") or (name in self.program.used | {"forward", "backward"}
                                             and not self._is_overridden(name))
        if isinstance(member, ast.AnnAssign) and member.value is None:
            return is_plain and bool(getattr(self.definition.node, "decorator_list", None))
        return bool(self.program.used.intersection(names_of(member)))

    def _is_overridden(self, name: str) -> bool:
        """Whether a class that comes before this one has a method of that name which does not call this one."""
        here = (self.definition.module, self.definition.name)
        if self.definition.module == PLAIN:
            return False
        for kind in type(self.program.instance(self.definition)).__mro__:
            if (kind.__module__, kind.__name__) == here:
                return False
            if f"super().{name}" in (text := module(kind.__module__).text if kind.__module__ != "builtins" else ""):
                return False
            if text and name in vars(kind):
                return True
        return False

    def _member(self, member: ast.stmt) -> None:
        """A member that stays: a knob becomes its value, with what it means beside it."""
        names = names_of(member)
        if not isinstance(member, ast.Assign | ast.AnnAssign) or len(names) != 1 or self._instance is None \
                or names[0] not in knobs(self._instance):
            self.visit(member)
            return
        setting = knobs(self._instance)[names[0]]
        value = getattr(self._instance, names[0])
        line = f"    {names[0]} = {json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)}"
        told = f"{setting.help} ({setting.unit})" if setting.unit else setting.help
        if len(f"{line}  # {told}") <= WIDTH:
            line = f"{line}  # {told}"
        else:
            line = textwrap.indent(textwrap.fill(told, WIDTH - 6), "    # ") + f"\n{line}"
        self._replace(*self.module.whole_lines(member), f"{line}\n")
