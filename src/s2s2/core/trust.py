"""Trust in import paths: what a file names is imported only where the user allows that very path.

Networks, stacks, run folders and settings are data that people send each other. Importing a
module runs its code, so an import path out of a file is refused before it is imported.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from s2s2.errors import ConfigError, S2S2Error

_LONGEST = 2**20
"""Characters of the longest file of settings; those of a run have some thousands."""
_DEEPEST = 30
_LONG_PATH = 200
FOR_THE_COMMAND_LINE = ("config", "trust")
"""Options that a file may name only without a value."""


def dotted(path: str) -> str:
    """Return an import path in one spelling: `package.module:Class` and `package.module.Class` are the same.

    Example:
        >>> dotted("package.module:Class")
        'package.module.Class'
    """
    return path.strip().replace(":", ".")


def require_trusted(
    path: str, trust: Collection[str], source: str | Path, *, error: type[S2S2Error] = ConfigError
) -> None:
    """Refuse an import path out of a file that the user has not allowed.

    Args:
        path: As the file names it.
        trust: Import paths that the user allows, in either spelling.
        source: The file, for the message.
        error: Class of the error to raise.

    Raises:
        S2S2Error: Of class `error`, if the path is not among them.
    """
    if dotted(path) in {dotted(each) for each in trust}:
        return
    shown = path if len(path) <= _LONG_PATH else f"{path[:_LONG_PATH]}..."
    raise error(
        f"{source} names the import path {shown!r}, expected a built-in name. Importing it runs its code, "
        "and a file may come from anyone, so it was not imported. If you trust this code, allow it by "
        f"--trust {shown} (in Python by trust=({shown!r},))."
    )


def read_settings(text: str, source: str | Path, groups: Collection[str]) -> Any:
    """Read settings in YAML that may come from anyone, so that nothing in them names a class.

    Args:
        text: In YAML or JSON.
        source: The file, for messages.
        groups: Names of the settings that are mappings, nested ones joined by dots.

    Raises:
        ConfigError: If it is not YAML, too large, holds an alias or anything but plain values,
            or names a class, another file of settings or an import path to trust.
    """
    if len(text) > _LONGEST:
        raise ConfigError(f"{source} holds {len(text)} characters, expected settings of at most {_LONGEST}.")
    try:
        content = _parsed(text)
        _check_plain(content)
        _check_groups(content, "", groups)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = "its lists are nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(
            f"{source} cannot be read as settings: {reason}. Give a file that `--print-config` or "
            "a run wrote."
        ) from error
    return content


def _parsed(text: str) -> Any:
    for token in yaml.scan(text, yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            raise ValueError(f"it holds the alias *{token.value}, expected every value written out")
    return yaml.safe_load(text)


def _check_plain(value: Any, depth: int = 0) -> None:
    """Refuse what JSON does not know, and mappings that name a class, in texts of YAML as well."""
    if depth > _DEEPEST:
        raise ValueError("its lists are nested too deep")
    items: list[Any] = []
    if isinstance(value, Mapping):
        if named := [key for key in value if not isinstance(key, str) or "class_path" in key]:
            raise ValueError(f"it holds the name {named[0]!r}, expected options; a file names no class")
        items = [*value.values()]
    elif isinstance(value, list):
        items = value
    elif isinstance(value, str):
        _check_text(value, depth)
    elif not isinstance(value, bool | int | float | None):
        raise ValueError(f"{value!r} is a {type(value).__name__}, expected texts, numbers, lists, mappings")
    for item in items:
        _check_plain(item, depth + 1)


def _check_text(text: str, depth: int) -> None:
    """Options are read a second time where any value is allowed: a text of YAML becomes what it says."""
    if not any(sign in text for sign in "{[:&"):
        return
    try:
        inner = _parsed(text)
    except (yaml.YAMLError, ValueError):
        return
    if not isinstance(inner, str):
        _check_plain(inner if isinstance(inner, Mapping | list) else None, depth + 1)


def _check_groups(content: Any, prefix: str, groups: Collection[str]) -> None:
    if not isinstance(content, Mapping):
        return
    for key, value in content.items():
        name = f"{prefix}{key}"
        if name in FOR_THE_COMMAND_LINE and value:
            raise ValueError(f"it holds {name!r}, which is for the command line alone")
        if name in groups and not isinstance(value, Mapping):
            raise ValueError(f"{name} is {json.dumps(value)[:80]}, expected a mapping of its settings")
        _check_groups(value, f"{name}.", groups)
