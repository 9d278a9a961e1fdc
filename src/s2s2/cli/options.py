"""Command-line options, made from the dataclass of a command.

Every field is an option of its name; type, default and help come from the dataclass and its
docstring. On the command line an option may be written in a few more ways:

- words without `--` fill the fields that `Command.words` names, in this order;
- a list is written word by word or as one YAML list: `--target a b`, `--target '[a, b]'`;
- `--overlays` is short for `--overlays true`;
- `--dry-run` is `--dry_run`.
"""

from __future__ import annotations

import difflib
import inspect
import json
import shutil
import textwrap
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import yaml
from jsonargparse import ArgumentParser

from s2s2.cli.help import Help, length, without_none
from s2s2.run.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class Command:
    """What the options of every command have."""

    words: ClassVar[tuple[str, ...]] = ()
    """Fields that may be written without their names, in this order."""

    @classmethod
    def epilog(cls, width: int) -> str:
        """Return what stands below the options in the help, in lines of so many characters."""
        return ""


Options = TypeVar("Options", bound=Command)


def read_options(kind: type[Options], command: str, words: Sequence[str]) -> Options:
    """Read the words of a command line; what cannot be read ends the program with exit code 2."""
    types = dict(_types(kind))
    parser = _parser(kind, command, types)
    spelled = _Spelling(kind, types, parser.error).spelled_out(words)
    found = parser.instantiate(parser.parse_args(spelled))
    return kind(**{each.name: getattr(found, each.name) for each in fields(kind)})


def _parser(kind: type[Command], command: str, types: dict[str, Any]) -> ArgumentParser:
    width = min(shutil.get_terminal_size().columns, 110) - 2
    required = [each.name for each in fields(kind) if each.default is each.default_factory is MISSING]
    usage = [word.upper() for word in kind.words]
    usage += [f"--{name} {name.upper()}" for name in required if name not in kind.words]
    title, *parts = inspect.cleandoc(kind.__doc__ or "").partition("\nArgs:")[0].strip().split("\n\n")
    parser = ArgumentParser(
        prog=f"s2s2 {command}",
        usage=" ".join(["s2s2", command, *usage, "[options]"]),
        description="\n\n".join(textwrap.fill(part, width) for part in (title, *parts)),
        epilog=kind.epilog(width),
        formatter_class=partial(Help, types=types, title=title, width=width),  # type: ignore[arg-type]
    )
    parser.add_argument("--config", action="config", help="YAML file of options; later options win.")
    parser.add_class_arguments(kind)
    return parser


def _types(kind: type[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and type of every option; fields of a nested dataclass carry the name of its field."""
    hints = get_type_hints(kind)
    for each in fields(kind):
        yield prefix + each.name, hints[each.name]
        if is_dataclass(hints[each.name]):
            yield from _types(hints[each.name], f"{prefix}{each.name}.")


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
            if word in ("-h", "--help"):
                result.append("--help")
            elif name == "print_config":
                result.append(f"--{name}{equals}{value}")
            elif word.startswith("--"):
                result.append(self._option(name, left, value if equals else None))
            elif word.startswith("-") or not unnamed:
                self.refuse(f"{word!r} is not understood. See s2s2 COMMAND --help.")
            else:
                left.appendleft(word)
                result.append(self._option(unnamed.pop(0), left, None))
        return result

    def _option(self, name: str, left: deque[str], value: str | None) -> str:
        kind = self._type(name)
        if value is None:
            value = self._value(name, kind, left)
        return f"--{name}={self._config(value) if name == 'config' else value}"

    def _type(self, name: str) -> Any:
        if name == "config":
            return Path
        for known, kind in self.types.items():
            if name == known or (get_origin(kind) is dict and name.startswith(f"{known}.")):
                return kind
        near = difflib.get_close_matches(name, self.types, 3)
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

    def _config(self, path: str) -> str:
        """Of the settings of a run, another command takes what it has in common with `s2s2 run`."""
        run = get_type_hints(RunConfig)
        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            return path
        if issubclass(self.kind, RunConfig) or not isinstance(content, dict) or {*run} - {*content}:
            return path
        shared = {name for name in run if self.types.get(name) == run[name]} - {"output"}
        return json.dumps({name: content[name] for name in run if name in shared})
