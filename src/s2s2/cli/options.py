"""Command-line options, made from the dataclass of a command.

Every field is an option of its name; type, default and help come from the dataclass and its
docstring. On the command line an option may be written in a few more ways:

- words without `--` fill the fields that `Command.words` names, in this order;
- a list is written word by word or as one YAML list: `--target a b`, `--target '[a, b]'`;
- `--overlays` is short for `--overlays true`;
- `--dry-run` is `--dry_run`.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import yaml
from jsonargparse import ArgumentParser

from s2s2.cli.command import Command, length, without_none
from s2s2.cli.expected import refusal
from s2s2.core.trust import dotted, read_settings, require_trusted
from s2s2.errors import ConfigError
from s2s2.networks.config import NetworkConfig
from s2s2.run.config import RunConfig
from s2s2.run.settings import groups_of, located, require_known, require_values, similar, types_of, unknown

_IMPORTING = ("--network", "--audit", "--stack", "--generator", "--arm")
"""Options that name networks and generators; what is typed there may be imported."""


Options = TypeVar("Options", bound=Command)


def read_options(kind: type[Options], command: str, words: Sequence[str]) -> Options:
    """Read the words of a command line.

    Raises:
        ConfigError: If they cannot be read, a value cannot be used, or what is written is not apart from
            what is read.
    """
    types = dict(types_of(kind))
    parser = _Parser(types, prog=f"s2s2 {command}")
    parser.add_argument("--config", action="config")
    parser.add_class_arguments(kind)
    spelled = _Spelling(kind, types, parser.error).spelled_out(words)
    read = parser.parse_args(spelled)
    require_values(read, kind, f"s2s2 {command}")
    found = parser.instantiate(read)
    options = kind(**{each.name: getattr(found, each.name) for each in fields(kind)})
    options.check_paths()
    _require_trusted(options, spelled)
    return options


class _Parser(ArgumentParser):
    """Says what is wrong as all else here does: one paragraph, in words of the user."""

    def __init__(self, types: dict[str, Any], **options: Any) -> None:
        super().__init__(**options)
        self._types = types

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Refuse a command line."""
        said = refusal(message, self._types)
        raise ConfigError(f"{said} See `{self.prog} --help`.") from ex


def _require_trusted(options: Command, typed: Sequence[str]) -> None:
    """Refuse import paths of networks and generators that stand in a file and were neither typed nor trusted.

    Raises:
        ConfigError: If there is one.
    """
    words = [word for word in typed if word.startswith(_IMPORTING)]
    for path in _import_paths(options):
        whole = rf"(?<![\w.]){re.escape(dotted(path))}(?!\w|\.[A-Za-z_])"
        if not any(re.search(whole, dotted(word)) for word in words):
            require_trusted(path, getattr(options, "trust", ()), "A file of settings")


def _import_paths(options: Any) -> Iterator[str]:
    """Yield the import paths that options name: of networks, and of generators, also behind the @ of arms."""
    for name, value in vars(options).items():
        if isinstance(value, NetworkConfig) and "." in dotted(value.name):
            yield value.name
        elif is_dataclass(value):
            yield from _import_paths(value)
        elif name in ("generator", "arm", "arms") and value:
            for spec in [value] if isinstance(value, str) else value:
                generator = spec if name == "generator" else spec.partition("@")[2]
                if ":" in generator:
                    from s2s2.generators.registry import import_paths

                    yield from import_paths(generator)


@dataclass(frozen=True)
class _Spelling:
    """Turns what a person types into options as jsonargparse reads them, `--name=value` each."""

    kind: type[Command]
    types: dict[str, Any]
    refuse: Callable[[str], NoReturn]

    def spelled_out(self, words: Sequence[str]) -> list[str]:
        """Return one word for each option."""
        left, unnamed, result = deque(words), list(self.kind.words), []
        while left:
            word = left.popleft()
            name, equals, value = word.removeprefix("--").partition("=")
            name = name.replace("-", "_")
            if name == "print_config":
                result.append(f"--{name}{equals}{value}")
            elif word.startswith("--"):
                result.append(self._option(name, left, value if equals else None))
                result = self._joined(result) if name == "trust" else result
            elif word.startswith("-") or not unnamed:
                self.refuse(f"{word!r} is not understood.")
            else:
                left.appendleft(word)
                result.append(self._option(unnamed.pop(0), left, None))
        return result

    @staticmethod
    def _joined(spelled: list[str]) -> list[str]:
        """Make one option of `--trust` written several times."""
        *before, last = spelled
        values = [value for word in (*before, last) if word.startswith("--trust=") for value in _listed(word)]
        others = [word for word in before if not word.startswith("--trust=")]
        return [*others, f"--trust={json.dumps(values)}"]

    def _option(self, name: str, left: deque[str], value: str | None) -> str:
        kind = self._type(name)
        if value is None:
            value = self._value(name, kind, left)
        if name == "config" or is_dataclass(kind):
            value = self._settings(name, value)
        return f"--{name}={value}"

    def _type(self, name: str) -> Any:
        if name == "config":
            return Path
        for known, kind in self.types.items():
            if name == known or (get_origin(kind) is dict and name.startswith(f"{known}.")):
                return kind
        self._refuse_unknown(name)

    def _refuse_unknown(self, name: str) -> NoReturn:
        near = similar(name, self.types)
        advice = f" Did you mean {' or '.join(f'--{each}' for each in near)}?" if near else ""
        self.refuse(f"There is no option --{name}.{advice}")

    def _value(self, name: str, kind: Any, left: deque[str]) -> str:
        """Take the words of one option."""
        if kind is bool:
            return left.popleft() if left and left[0] in ("true", "false") else "true"
        values: list[str] = []
        while left and not left[0].startswith("--") and len(values) != length(kind):
            values.append(left.popleft())
            if values[0].startswith("[") or values[0] == "null":
                break
        if not values:
            self.refuse(f"--{name} takes a value, and none follows.")
        bare = without_none(kind)
        if get_origin(bare) is not tuple or values[0].startswith("[") or values == ["null"]:
            return values[0]
        return json.dumps(values) if get_args(bare)[0] in (str, Path) else f"[{', '.join(values)}]"

    def _settings(self, name: str, value: str) -> str:
        """Read the file of a group of options here: what it holds must name no class."""
        try:
            text = Path(value).read_text(encoding="utf-8") if Path(value).is_file() else None
        except (OSError, ValueError):
            return value
        prefix = "" if name == "config" else f"{name}."
        inner = {each: kind for each, kind in self.types.items() if each.startswith(prefix)}
        types = {each.removeprefix(prefix): kind for each, kind in inner.items()}
        if text is None:
            # Typed here, and no file: said as of every other mistyped option.
            for each in unknown(_typed(value), types):
                self._refuse_unknown(f"{prefix}{each}")
            if prefix:
                return value
        source = "The value of --config" if text is None else value
        content = read_settings(value if text is None else text, source, groups_of(types))
        if not prefix:
            return self._shared(value, content, source)
        require_known(content, types, source)
        return json.dumps(content)

    def _shared(self, path: str, content: Any, source: str) -> str:
        """Of the settings of a run, another command takes what it has in common with `s2s2 run`."""
        run = get_type_hints(RunConfig)
        if not isinstance(content, dict) or {*run} - {*content}:
            require_known(content, self.types, source)
            return path
        content = located(content, Path(path).parent)
        if not issubclass(self.kind, RunConfig):
            shared = {name for name in run if self.types.get(name) == run[name]} - {"output"}
            content = {name: content[name] for name in run if name in shared}
        require_known(content, self.types, source)
        return json.dumps(content)


def _typed(value: str) -> Any:
    """Return the settings that were typed in place of a file, None where they cannot be read."""
    try:
        return yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _listed(word: str) -> list[str]:
    """Return the values of a word such as `--trust=a` or `--trust=["a", "b"]`."""
    value = word.partition("=")[2]
    if not value.startswith("["):
        return [value]
    found = yaml.safe_load(value)
    return [str(each) for each in found]
