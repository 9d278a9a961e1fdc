"""Lazy imports: the names of a package, imported when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any


def exported(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package, so that importing it costs nothing.

    Its names are those that its `__init__.py` imports under `if TYPE_CHECKING:`, where type
    checkers read them. None may be that of a module of the package: once that module has been
    imported, Python would give the module.

    Args:
        package: `__name__` of the package.
    """

    @cache
    def homes() -> dict[str, str]:
        import ast
        from importlib.resources import files

        source = ast.parse((files(package) / "__init__.py").read_text(encoding="utf-8"))
        checked = [line for block in source.body if isinstance(block, ast.If) for line in block.body]
        imports = [line for line in checked if isinstance(line, ast.ImportFrom)]
        return {alias.name: str(line.module) for line in imports for alias in line.names}

    def get(name: str) -> Any:
        if name == "__all__":
            return sorted(homes())
        if name not in homes():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes()[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(homes())
