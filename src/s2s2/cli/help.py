"""Help texts of commands: every option with what it takes and its default, in plain words.

They are made from the dataclass of a command and its docstrings alone: the library that reads
options takes longer to load than the whole help takes to print.
"""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from s2s2.arms import ARMS
from s2s2.cli.command import Command, length, parts_of, typed, without_none

_COLUMN, _INDENT = 28, 2
"""Where the text of an option begins, and where its name does."""
_OF_ALL = [
    ("-h, --help", "show this help message and exit"),
    ("--config CONFIG", "YAML file of options; later options win."),
    (
        "--print-config [=skip_default]",
        "Print all options as YAML, as --config reads them, and exit; or only those that differ from their "
        "defaults.",
    ),
]
"""Options of every command."""


def help_of(kind: type[Command], command: str) -> str:
    """Return the help of a command, in lines as wide as the terminal.

    Args:
        kind: Its options.
        command: Its name.
    """
    width = min(shutil.get_terminal_size().columns, 110) - 2
    about = inspect.cleandoc(kind.__doc__ or "").partition("\nArgs:")[0].strip().split("\n\n")
    sections = [("options", _OF_ALL), *_sections(kind, MISSING, "", "options of this command")]
    return "\n\n".join(
        [
            f"usage: {kind.usage(command)}",
            *(textwrap.fill(part, width) for part in about),
            *(_laid_out(title, rows, width) for title, rows in sections if rows),
            *filter(None, [kind.epilog(width)]),
        ]
    )


def _sections(
    kind: type[Any], given: Any, prefix: str, title: str
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield title and options of a dataclass, then those of each that it contains.

    Args:
        kind: The dataclass.
        given: The one whose values are the defaults; `MISSING` for those of the class.
        prefix: What stands before the names of its options.
        title: What stands above them.
    """
    types, texts = get_type_hints(kind), _texts(kind)
    rows: list[tuple[str, str]] = []
    groups: list[tuple[Any, Any, str, str]] = []
    for each in fields(kind):
        name, of = f"{prefix}{each.name}", types[each.name]
        default = _default(each) if given is MISSING else getattr(given, each.name)
        if is_dataclass(of):
            groups.append((of, default, f"{name}.", texts[each.name].rstrip(".")))
        else:
            rows.append((f"--{typed(name)} {_values(of)}", f"{texts[each.name]}{_note(default)}"))
    yield title, rows
    for group in groups:
        yield from _sections(*group)


def _default(option: Field[Any]) -> Any:
    return option.default if option.default_factory is MISSING else option.default_factory()


def _texts(kind: type[Any]) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say of each argument; it has the last word."""
    texts: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        section = inspect.cleandoc(each.__doc__ or "").partition("\nArgs:\n")[2]
        arguments = re.split(r"\n(?=\S)", section)[0]
        for name, text in re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", arguments, re.MULTILINE):
            texts[name] = " ".join(text.split())
    return texts


def _laid_out(title: str, rows: Sequence[tuple[str, str]], width: int) -> str:
    """Return a section: names on the left, texts on the right, or below a name that is too long."""
    column = min(_COLUMN, max(width - 20, 2 * _INDENT))
    lines = [f"{title}:"]
    for name, text in rows:
        beside = len(name) <= column - _INDENT - 2
        head = " " * _INDENT + name
        lines += [] if beside else [head]
        lines += textwrap.wrap(
            text,
            column + max(width - column, 11),
            initial_indent=head.ljust(column) if beside else " " * column,
            subsequent_indent=" " * column,
        )
    return "\n".join(lines)


def _values(kind: Any) -> str:
    """Return what stands for the values of an option."""
    if get_origin(without_none(kind)) is dict:
        return "{...}"
    one, count = _word(kind), length(kind)
    return f"{one} ..." if count is None else " ".join([one] * count)


def _word(kind: Any) -> str:
    """Return what stands for one value."""
    if len(parts_of(kind)) > 1:
        return "|".join(map(_word, parts_of(kind)))
    kind = without_none(kind)
    if get_origin(kind) is tuple:
        return _word(get_args(kind)[0])
    if get_origin(kind) is Literal:
        values = [str(value) for value in get_args(kind)]
        return values[0] if len(values) == 1 else "{" + ",".join(values) + "}"
    return {bool: "{true,false}", int: "N", float: "X", Path: "PATH"}.get(kind, "TEXT")


def _note(default: Any) -> str:
    """Return what the help says of a default."""
    if default is MISSING:
        return " Required."
    return "" if default is None else f" Default: {_shown(default)}."


def _shown(value: Any) -> str:
    """Return a default as it is typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value)) or "none"
    return "none" if value == {} else str(value)


def choice_of_arms(width: int) -> str:
    """Return what each arm is, in lines of so many characters."""
    lines = ["arms:"]
    for arm in ARMS.values():
        lines += textwrap.wrap(
            f"{arm.name}: {arm.summary}", width, initial_indent="  ", subsequent_indent=" " * 6
        )
    return "\n".join(lines)
