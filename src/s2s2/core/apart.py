"""Outputs apart from inputs: nothing is written over, around or into what is read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from s2s2.errors import ConfigError


def require_apart(
    output: Path, inputs: Iterable[Path], *, beside: Iterable[Path] = (), name: str = "--output"
) -> None:
    """Refuse an output that is, holds or lies in an input; links are resolved.

    Args:
        output: File or folder that is to be written; it need not exist.
        inputs: Files and folders that are read.
        beside: Files that are read and may lie in the output, as a split.json does.
        name: What the user calls the output.

    Raises:
        ConfigError: If they are not apart. Call this before anything is written.

    Example:
        >>> require_apart(Path("site/images/out"), [Path("site/images")])
        Traceback (most recent call last):
        ...
        s2s2.errors.ConfigError: --output site/images/out lies in site/images, which is read: ...
    """
    above = _with_parents(output)
    for path in inputs:
        if any(_same(each, _real(path)) for each in above):
            relation = "is" if _same(above[0], _real(path)) else "lies in"
        elif any(_same(each, above[0]) for each in _with_parents(path)):
            relation = "holds"
        else:
            continue
        raise _refused(output, relation, path, name)
    for path in beside:
        if _same(above[0], _real(path)):
            raise _refused(output, "is", path, name)


def _refused(output: Path, relation: str, path: Path, name: str) -> ConfigError:
    which = "which is read" if relation != "is" or output != path else "and that is read"
    return ConfigError(
        f"{name} {output} {relation} {path}, {which}: files of yours could be replaced, or what is written "
        f"could be read as data the next time. Nothing was written. Give another {name}, outside of it."
    )


def _real(path: Path) -> Path:
    """Return where a path leads; links in a circle lead to themselves."""
    return Path(os.path.realpath(path))


def _with_parents(path: Path) -> list[Path]:
    resolved = _real(path)
    return [resolved, *resolved.parents]


def _same(one: Path, other: Path) -> bool:
    """Whether two resolved paths are one file or folder; a disk may take A for a."""
    if one == other:
        return True
    try:
        return one.name.lower() == other.name.lower() and one.samefile(other)
    except OSError:
        return False
