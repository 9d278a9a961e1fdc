"""Settings as a YAML file: written beside the results, read back as they were."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import yaml
from jsonargparse import ArgumentParser

from s2s2.core.names import is_file
from s2s2.core.storage import atomic
from s2s2.core.trust import FOR_THE_COMMAND_LINE, read_settings
from s2s2.errors import ConfigError
from s2s2.run.config import RunConfig

FILE = "config.yaml"
_HERE = "."
"""The output, in settings that a run has written: the folder they lie in."""
_MAY_BE_PATHS = ("classes", "groups")


def save_config(config: RunConfig) -> None:
    """Write the settings into the run's folder; `s2s2 run --config` reads them.

    Paths are written relative to that folder, so that the run works from anywhere, and a run that is
    moved together with its data works too.
    """
    run = config.output.resolve()
    content = _with_paths(plain(asdict(config)), lambda path: _relative(path.resolve(), run), Path())
    with atomic(config.output / FILE) as temporary:
        Path(temporary).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def located(content: dict[str, Any], run: Path) -> dict[str, Any]:
    """Return the settings that a run's folder holds with whole paths.

    Args:
        content: As read; settings that no run has written are returned as they are.
        run: The folder.
    """
    if content.get("output") != _HERE:
        return content
    run = run.resolve()
    return _with_paths(content, lambda path: os.path.normpath(run / path), run)


def comparable(config: RunConfig) -> dict[str, Any]:
    """Return the settings by name with resolved paths: the same data by two paths are the same."""
    return _with_paths(plain(asdict(config)), lambda path: str(path.resolve()), Path())


def _with_paths(
    content: dict[str, Any], change: Callable[[Path], str], run: Path, prefix: str = ""
) -> dict[str, Any]:
    """Return settings with every path changed; a text of `classes` or `groups` is one where it is a file."""

    def one(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return _with_paths(value, change, run, f"{name}.")
        if isinstance(value, list):
            return [one(name, item) for item in value]
        named = name in _MAY_BE_PATHS and isinstance(value, str) and is_file(run / value)
        return change(Path(value)) if value is not None and (named or name in _paths()) else value

    return {key: one(prefix + key, value) for key, value in content.items()}


@cache
def _paths() -> set[str]:
    return {name for name, kind in types_of(RunConfig) if kind is Path or Path in get_args(kind)}


def _relative(path: Path, run: Path) -> str:
    try:
        return os.path.relpath(path, run)
    except ValueError:  # Another drive of Windows.
        return str(path)


def load_config(run: Path) -> RunConfig:
    """Read the settings of a run's folder.

    Raises:
        ConfigError: If the folder holds no run, or its settings cannot be read.
    """
    path = run / FILE
    if not path.exists():
        raise ConfigError(f"{run} is not the folder of a run: it has no {FILE}. Make one with `s2s2 run`.")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(RunConfig, "run")
    try:
        types = dict(types_of(RunConfig))
        content = read_settings(path.read_text(encoding="utf-8"), path, groups_of(types))
        require_known(content, types, path)
        if isinstance(content, dict):
            content = located(content, run)
        found = parser.parse_object({"run": content})
        require_values(found.run, RunConfig, str(path))
        config: RunConfig = parser.instantiate(found).run
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{path} does not hold settings of a run: {error}.") from error
    return config


def require_known(content: Any, types: Mapping[str, Any], source: str | Path) -> None:
    """Refuse an option that a file names and this version does not have, such as one of another version.

    Args:
        content: As read from the file; what is not a mapping passes.
        types: Type of every option, those in groups as `types_of` names them.
        source: The file, for the message.

    Raises:
        ConfigError: If there is one; it names the file, similar options and the cure.
    """
    for name in unknown(content, types):
        near = similar(name, types)
        advice = f"Write {' or '.join(near)} if you mean it, or delete" if near else "Delete"
        raise ConfigError(
            f"{source} names the option {name}, which this version does not have. {advice} it from the file."
        )


def unknown(content: Any, types: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names of settings that are no options, with those of their groups in front.

    Example:
        >>> list(unknown({"size": 3, "stepz": 1}, {"size": int}))
        ['stepz']
    """
    for key, value in content.items() if isinstance(content, Mapping) else ():
        name = f"{prefix}{key}"
        if name not in types and name not in FOR_THE_COMMAND_LINE:
            yield name
        elif is_dataclass(types.get(name)):
            yield from unknown(value, types, f"{name}.")


def similar(name: str, known: Collection[str]) -> list[str]:
    """Return up to three known options that a mistyped one may stand for; its group may be left out.

    Example:
        >>> similar("stepz", ["train.steps", "train.seed", "tune.steps", "size"])
        ['train.steps', 'tune.steps']
    """
    ends = {each: each.rpartition(".")[2] for each in known}
    close = difflib.get_close_matches(name.rpartition(".")[2], set(ends.values()), 3)
    by_end = [each for end in close for each in ends if ends[each] == end]
    return list(dict.fromkeys([*difflib.get_close_matches(name, known, 3), *by_end]))[:3]


def require_values(options: Any, kind: type[Any], source: str) -> None:
    """Refuse options without a value where one is needed; jsonargparse lets null pass for any type.

    Args:
        options: As jsonargparse has read them.
        kind: The dataclass that declares them, nested or not.
        source: Where they were given, for the message.

    Raises:
        ConfigError: If there is one.
    """
    for name, allowed in types_of(kind):
        if attrgetter(name)(options) is None and NoneType not in get_args(allowed):
            raise ConfigError(f"{source} has {name} = null, expected a value. Leave it out, or give one.")


def plain(value: Any) -> Any:
    """Turn paths into strings and tuples into lists, as YAML and JSON know them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def types_of(kind: type[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and type of every option; fields of a nested dataclass carry the name of its field."""
    hints = get_type_hints(kind)
    for each in fields(kind):
        yield prefix + each.name, hints[each.name]
        if is_dataclass(hints[each.name]):
            yield from types_of(hints[each.name], f"{prefix}{each.name}.")


def groups_of(types: dict[str, Any]) -> set[str]:
    """Return the names of the options that hold others."""
    return {name for name, kind in types.items() if is_dataclass(kind)}
