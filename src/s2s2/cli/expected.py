"""What an option expects, in words, and what is said where it got something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from s2s2.cli.command import length, parts_of, typed

_OPTION = re.compile(r'Parser key "([\w.]+)"(?: element \d+)?:\s*')
_GOT = re.compile(r"(?:(?:Given|Got) value: |Unable to load config ['\"])(.*?)['\"]?$", re.MULTILINE)
_REQUIRED = re.compile(r"the following arguments are required: (.*)")
_WORDS = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "of true and false"),
    str: ("a text", "texts"),
    Path: ("a path", "paths"),
    NoneType: ("null", ""),
    dict: ("values by name, such as '{name: value}'", ""),
}
"""One value of a type, and several."""


def refusal(message: str, types: Mapping[str, Any]) -> str:
    """Say what an option got and what it expects, in place of what jsonargparse says.

    Args:
        message: Of jsonargparse; it is kept where it is of something else than the type of a value.
        types: Type of every option, by its name.

    Example:
        >>> said = 'Parser key "size": Expected a <class int>. Got value: large'
        >>> refusal(said, {"size": int | None})
        "--size takes a whole number or null, got 'large'."
    """
    if required := _REQUIRED.search(message):
        names = ", ".join(f"--{typed(name)}" for name in required[1].split(", "))
        return f"Required, and not given: {names}."
    options, got = _OPTION.findall(message), _GOT.findall(message)
    if not options:
        return message if message.endswith((".", "?")) else f"{message}."
    # The last one is the innermost.
    name = f"--{typed(options[-1])}"
    if options[-1] in types and got and (expects := expected(types[options[-1]])):
        return f"{name} takes {expects}, got {got[-1]!r}."
    return f"{name} cannot be read: {_OPTION.split(message)[-1].rstrip('.')}."


def expected(kind: Any) -> str:
    """Return what a type of option expects, "" where there are no words for it.

    Example:
        >>> expected(int | Literal["live"]), expected(tuple[float, float, float])
        ('a whole number or live', '3 numbers')
    """
    words = [_one(part) for part in parts_of(kind, none=True)]
    return _either(words) if all(words) else ""


def _one(kind: Any) -> str:
    if is_dataclass(kind):
        return "a YAML file of its options, or '{name: value}'"
    origin = get_origin(kind)
    if origin is Literal:
        return _either([str(value) for value in get_args(kind)])
    if origin is tuple:
        several = _WORDS.get(get_args(kind)[0], ("", ""))[1]
        return f"{length(kind) or 'one or more'} {several}" if several else ""
    return _WORDS.get(origin or kind, ("", ""))[0]


def _either(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
