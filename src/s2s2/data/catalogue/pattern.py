r"""Patterns of file names: paths below a folder with named parts, such as `images/{case}.jpg`.

A part is any text without a slash, or what a regular expression matches: `{frame:\d+}`. A name that comes
again stands for the same text. Only folders that can lead to a match are opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from s2s2.errors import ConfigError


class _Part(NamedTuple):
    name: str
    expression: str


@dataclass(frozen=True)
class Pattern:
    r"""A relative path with named parts.

    Args:
        text: Folders and a file, or a folder, separated by slashes.

    Raises:
        ConfigError: If a bracket is not closed, a name is no name, or an expression cannot be read.

    Example:
        >>> pattern = Pattern(r"Original/{frame:\d+}.{suffix:tif|png}")
        >>> pattern.names, pattern.fill({"frame": "12", "suffix": "tif"})
        (('frame', 'suffix'), 'Original/12.tif')
    """

    text: str

    def __post_init__(self) -> None:
        try:
            for segment in self._segments:
                _expression(segment, frozenset())
        except (ValueError, re.error) as error:
            raise ConfigError(
                f"{self.text!r} is no pattern of a path ({error}). "
                "Write parts as {name} or {name:expression}."
            ) from error

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts, in the order in which they first come."""
        parts = (
            token.name for segment in self._segments for token in _tokens(segment) if isinstance(token, _Part)
        )
        return tuple(dict.fromkeys(parts))

    def fill(self, parts: Mapping[str, str]) -> str:
        """Return the path in which every part is what `parts` says.

        Raises:
            ConfigError: If a part is missing.
        """
        if missing := [name for name in self.names if name not in parts]:
            raise ConfigError(
                f"{self.text!r} needs the part {missing[0]!r}, got {', '.join(parts) or 'none'}."
            )
        return "/".join(str(_filled(segment, parts)) for segment in self._segments)

    def found_below(
        self, folder: Path, parts: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Path, dict[str, str]]]:
        """Yield what lies below a folder under such a path, with its parts, in the order of the names.

        Args:
            folder: Where to search.
            parts: Parts that are known already.
        """
        yield from _walk(folder, self._segments, dict(parts or {}))

    @property
    def _segments(self) -> tuple[str, ...]:
        return tuple(self.text.split("/"))


@cache
def _tokens(segment: str) -> tuple[str | _Part, ...]:
    """Split a segment of a path into texts and parts."""
    tokens: list[str | _Part] = []
    while segment:
        before, bracket, rest = segment.partition("{")
        tokens += [before] if before else []
        if not bracket:
            break
        end = _closing(rest)
        name, _, expression = rest[:end].partition(":")
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name")
        tokens.append(_Part(name, expression or ".+"))
        segment = rest[end + 1 :]
    return tuple(tokens)


def _closing(text: str) -> int:
    """Return where the bracket ends that was opened before a text; brackets in between come in pairs."""
    depth = 1
    for place, letter in enumerate(text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0:
            return place
    raise ValueError("a bracket is not closed")


def _filled(segment: str, parts: Mapping[str, str]) -> str | None:
    """Return a segment as text, or None where a part of it is not known."""
    texts = [token if isinstance(token, str) else parts.get(token.name) for token in _tokens(segment)]
    known = [text for text in texts if text is not None]
    return "".join(known) if len(known) == len(texts) else None


@cache
def _expression(segment: str, known: frozenset[tuple[str, str]]) -> re.Pattern[str]:
    """Return the regular expression of the names that fit a segment, with some parts known."""
    parts = dict(known)
    texts, seen = [], set[str]()
    for token in _tokens(segment):
        if isinstance(token, str):
            texts.append(re.escape(token))
        elif token.name in parts:
            texts.append(re.escape(parts[token.name]))
        elif token.name in seen:
            texts.append(f"(?P={token.name})")
        else:
            texts.append(f"(?P<{token.name}>{token.expression})")
            seen.add(token.name)
    return re.compile("".join(texts))


def _walk(
    folder: Path, segments: tuple[str, ...], parts: dict[str, str]
) -> Iterator[tuple[Path, dict[str, str]]]:
    for name, more in _fitting(folder, segments[0], parts):
        path, known = folder / name, {**parts, **more}
        if len(segments) == 1:
            yield path, known
        elif path.is_dir():
            yield from _walk(path, segments[1:], known)


def _fitting(folder: Path, segment: str, parts: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the names in a folder that fit a segment, with the parts that they tell."""
    fixed = _filled(segment, parts)
    if fixed is not None:
        if (folder / fixed).exists():
            yield fixed, {}
        return
    wanted = {token.name for token in _tokens(segment) if isinstance(token, _Part)}
    expression = _expression(segment, frozenset((name, parts[name]) for name in wanted & parts.keys()))
    for name in sorted(os.listdir(folder)):
        if not name.startswith(".") and (match := expression.fullmatch(name)):
            yield name, match.groupdict()
