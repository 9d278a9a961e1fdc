"""Outputs apart from inputs: no command writes over, around or into what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

WRITTEN = ("output",)
"""Options that name what is written. Every other option that holds a path names what is read."""
DATA = ("data", "target")
"""Options that name data sets."""


def require_outputs_apart(
    options: Any, output: Path | None = None, *, written: tuple[str, ...] = WRITTEN, name: str = "--output"
) -> None:
    """Refuse options that would write over, around or into what they read, before anything is written.

    Args:
        options: A dataclass of options, nested or not.
        output: What is written; without it, the option `output`.
        written: Options that name what is written.
        name: What the user calls the output.

    Raises:
        ConfigError: If an output is not apart from an input.
    """
    from s2s2.core.apart import require_apart
    from s2s2.data.reading.layouts import files_read

    output = output or getattr(options, "output", None)
    if output is None:
        return
    inputs: list[Path] = []
    beside: list[Path] = []
    for option, path in _paths(options, written):
        if option in DATA:
            inputs += files_read(path)
        else:
            (beside if path.is_file() else inputs).append(path)
    require_apart(output, inputs, beside=beside, name=name)


def _paths(options: Any, written: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield every path that is read, with the name of its option; texts count where such a file exists."""
    from s2s2.core.names import is_file

    for each in fields(options):
        value = getattr(options, each.name)
        if is_dataclass(value):
            yield from _paths(value, ())
        elif each.name not in written:
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Path):
                    yield each.name, one
                elif each.name in ("classes", "groups") and isinstance(one, str) and is_file(one):
                    yield each.name, Path(one)
