"""Registry: name -> class, filled by importing every module of a folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any


class Registry(Mapping[str, Any]):
    """Classes of one kind by name; each class is told its own name as `cls.name`.

    Iteration follows the classes' `rank` (100 where they have none), then the name. A wrong name raises KeyError with
    a sentence that lists the right ones.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._classes: dict[str, type] = {}

    def register(self, name: str):
        """Class decorator: file the class under `name`; ValueError if the name is taken."""

        def file(cls: type) -> type:
            if name in self._classes:
                raise ValueError(f"two {self.kind}s are called {name!r}")
            cls.name = name  # type: ignore[attr-defined]
            self._classes[name] = cls
            return cls

        return file

    def discover(self, package: ModuleType) -> None:
        """Import every module of `package`, so that each can register what it holds."""
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
            importlib.import_module(f"{package.__name__}.{module.name}")

    def __getitem__(self, name: str) -> Any:
        if name not in self._classes:
            raise KeyError(f"no {self.kind} is called {name!r}; there are {', '.join(sorted(self._classes))}")
        return self._classes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes, key=lambda name: (getattr(self._classes[name], "rank", 100), name)))

    def __len__(self) -> int:
        return len(self._classes)
