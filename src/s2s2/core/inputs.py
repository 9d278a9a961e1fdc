"""Inputs of a piece of work by name: their digest, and in words what differs from earlier ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from s2s2.errors import listed

_LETTERS = 80
_ABSENT = object()


class Inputs:
    """All that a piece of work depends on, by name.

    Args:
        values: What identifies each input: plain JSON values, or others by their `str`. Names
            of nested mappings are joined by dots. A file is identified by `file_identity`.

    Example:
        >>> before = Inputs({"train": {"steps": 100}, "seed": 0})
        >>> now = Inputs({"train": {"steps": 200}, "seed": 0})
        >>> now.differences(before.values)
        ['train.steps was 100, now 200']
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values: dict[str, Any] = json.loads(json.dumps(values, default=str))

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for all of them."""
        return hashlib.sha256(json.dumps(self.values, sort_keys=True).encode()).hexdigest()[:16]

    def differences(self, before: Mapping[str, Any]) -> list[str]:
        """Name what differs from earlier inputs, one phrase each."""
        old, new = flattened(before), flattened(self.values)
        names = [*new, *(name for name in old if name not in new)]
        pairs = [(name, old.get(name, _ABSENT), new.get(name, _ABSENT)) for name in names]
        return [_phrase(*pair) for pair in pairs if pair[1] != pair[2]]


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values with dotted names; an empty mapping stays as it is.

    Example:
        >>> flattened({"size": 128, "train": {"alpha_enc": 0.4, "geometry": {"flip": 0.5}}})
        {'size': 128, 'train.alpha_enc': 0.4, 'train.geometry.flip': 0.5}
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _phrase(name: str, old: Any, new: Any) -> str:
    """Say how an input differs; of long lists what was added and what removed."""
    texts = _words(old), _words(new)
    if isinstance(old, list) and isinstance(new, list) and max(map(len, texts)) > _LETTERS:
        parts = {
            "has lost": [_short(item) for item in old if item not in new],
            "has gained": [_short(item) for item in new if item not in old],
        }
        changes = [f"{verb} {listed(items)}" for verb, items in parts.items() if items]
        return f"{name} {' and '.join(changes) or 'has another order'}"
    return f"{name} was {_cut(texts[0])}, now {_cut(texts[1])}"


def _words(value: Any) -> str:
    return "not there" if value is _ABSENT else json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    return _cut(value if isinstance(value, str) else _words(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 3]}..."
