"""Records of finished work: is it done, of these inputs, and if not, what differs?

Every artefact that takes time to make (a check, a stack, a tuning, a training, an audit,
cached latents) lies beside a record, or carries the digest of its inputs. What follows
from a difference is up to whoever asks: `Record.require` refuses, `Record.holds` lets the
work be done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from s2s2.core.storage import read_json, write_json
from s2s2.errors import S2S2Error, StorageError

_SHOWN = 4
_ABSENT = object()


class Inputs:
    """All that a piece of work depends on, by name.

    Args:
        values: What identifies each input, as JSON knows it or with a `str` that does;
            nested mappings are named with dots. A file is identified by its content:
            give `files_digest` or the digests by case.

    Example:
        >>> before = Inputs({"train": {"steps": 100}, "seed": 0})
        >>> now = Inputs({"train": {"steps": 200}, "seed": 0})
        >>> now.differences(before.values)
        ['train.steps was 100, now 200']
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values: dict[str, Any] = json.loads(json.dumps(values, sort_keys=True, default=str))

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for all of them."""
        return hashlib.sha256(json.dumps(self.values, sort_keys=True).encode()).hexdigest()[:16]

    def differences(self, before: Mapping[str, Any]) -> list[str]:
        """Name what differs from earlier inputs, one phrase each."""
        old, new = _flat(before), _flat(self.values)
        names = [*new, *(name for name in old if name not in new)]
        return [
            f"{name} was {_words(old.get(name, _ABSENT))}, now {_words(new.get(name, _ABSENT))}"
            for name in names
            if old.get(name, _ABSENT) != new.get(name, _ABSENT)
        ]


class Record:
    """The JSON file that says what work was done in a folder, and of which inputs.

    Args:
        path: The file; its folder is the root of the outputs.
        inputs: What the work depends on now.
        error: Class of what is raised, so that a training complains as a training.
    """

    def __init__(
        self, path: Path, inputs: Mapping[str, Any], *, error: type[S2S2Error] = StorageError
    ) -> None:
        self.path, self.inputs, self.error = Path(path), Inputs(inputs), error

    def content(self) -> dict[str, Any]:
        """Return what the file says, nothing where there is none.

        Raises:
            S2S2Error: Of the class `error`, if the file cannot be read.
        """
        return read_json(self.path, error=self.error) if self.path.exists() else {}

    def differences(self) -> list[str]:
        """Name the inputs that are not those of the record; nothing where there is no record."""
        content = self.content()
        return self.inputs.differences(content.get("inputs", {})) if content else []

    def require(self, advice: str) -> dict[str, Any]:
        """Return what the file says, and refuse one of other inputs.

        Args:
            advice: What to do, as sentences.

        Raises:
            S2S2Error: Of the class `error`, if an input differs; each is named.
        """
        content, differing = self.content(), self.differences()
        if differing:
            more = f", and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
            raise self.error(
                f"{self.path.parent} was made of other inputs: {'; '.join(differing[:_SHOWN])}{more}. "
                f"Nothing was changed. {advice}"
            )
        return content

    def holds(self) -> bool:
        """Whether the work is finished, of these inputs, and its outputs are as it left them."""
        try:
            content = self.content()
        except S2S2Error:
            return False
        if not content.get("finished") or self.inputs.differences(content.get("inputs", {})):
            return False
        sizes = content.get("outputs", {})
        return all(_size(self.path.parent / name) == size for name, size in sizes.items())

    def begin(self) -> None:
        """Record that the work has begun."""
        write_json(self.path, {"finished": False, "inputs": self.inputs.values})

    def finish(self, content: Mapping[str, Any] | None = None, outputs: Iterable[Path] = ()) -> None:
        """Record that the work is finished.

        Args:
            content: What else to say.
            outputs: Files below the record's folder; their sizes in bytes are kept.
        """
        sizes = {path.relative_to(self.path.parent).as_posix(): _size(path) for path in sorted(outputs)}
        kept = {"outputs": sizes} if sizes else {}
        write_json(self.path, {"finished": True, "inputs": self.inputs.values, **kept, **(content or {})})


def files_digest(paths: Iterable[Path]) -> str:
    """Return what identifies files: a digest of their sizes and times, without reading them."""
    states = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(json.dumps(states).encode()).hexdigest()[:16]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _words(value: Any) -> str:
    if value is _ABSENT:
        return "not there"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
