"""Help texts of commands: every option with what it takes and its default, in plain words."""

from __future__ import annotations

import textwrap
from argparse import SUPPRESS, Action, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from jsonargparse import DefaultHelpFormatter

from s2s2.arms import ARMS


def without_none(kind: Any) -> Any:
    """Return the type of an option that may be null."""
    if get_origin(kind) in (Union, UnionType):
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def length(kind: Any) -> int | None:
    """Return how many values an option takes; None for one or more."""
    if get_origin(without_none(kind)) is not tuple:
        return 1
    parts = get_args(without_none(kind))
    return None if parts[-1] is Ellipsis else len(parts)


class Help(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Lays out the help of a command.

    Args:
        prog: The command.
        types: Types of the options by name.
        title: What the command does, which stands above the options already.
        width: Characters in a line.
    """

    def __init__(self, prog: str, *, types: dict[str, Any], title: str, width: int) -> None:
        super().__init__(prog, max_help_position=28, width=width)  # type: ignore[no-untyped-call]
        self._types = types
        self._title = title

    def start_section(self, heading: str | None) -> None:
        """Begin a group of options."""
        super().start_section("options of this command" if heading == self._title.rstrip(".") else heading)

    def _format_action(self, action: Action) -> str:
        # A group can be given as a whole; the lines of its fields say enough.
        if hasattr(self._types.get(action.dest), "__dataclass_fields__"):
            return ""
        return super()._format_action(action)

    def _format_action_invocation(self, action: Action) -> str:
        text = super()._format_action_invocation(action)
        return text if "." in action.dest else text.replace(action.dest, action.dest.replace("_", "-"))

    def _format_args(self, action: Action, default_metavar: str) -> str:
        kind = self._types.get(action.dest)
        if kind is None:
            return super()._format_args(action, default_metavar)
        if get_origin(without_none(kind)) is dict:
            return "{...}"
        one = _word(kind)
        count = length(kind)
        return f"{one} ..." if count is None else " ".join([one] * count)

    def _get_help_string(self, action: Action) -> str:
        text = action.help or ""
        if action.dest not in self._types or action.default is SUPPRESS:
            return text
        if action.required:
            return f"{text} Required."
        return text if action.default is None else f"{text} Default: {_shown(action.default)}."


def _word(kind: Any) -> str:
    """Return what stands for a value in the help."""
    kind = without_none(kind)
    if get_origin(kind) is tuple:
        return _word(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return "{" + ",".join(map(str, get_args(kind))) + "}"
    return {bool: "{true,false}", int: "N", float: "X", Path: "PATH"}.get(kind, "TEXT")


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
