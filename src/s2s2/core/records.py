"""Records of finished work: is it done, of these inputs, and if not, what differs?

Whatever takes time to make (a check, a stack, a tuning, a training, an audit) lies beside a
`Record`; arrays that are kept for the next call carry the digest of their inputs. What follows
from a difference is up to the caller: `Record.require` refuses, `Record.holds` lets the work be
done again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from s2s2.core.storage import atomic, read_json, write_json
from s2s2.errors import S2S2Error, StorageError, listed

_LETTERS = 80
_ABSENT = object()
_seen: dict[str, tuple[tuple[str, int, int, int, int], str]] = {}
"""State and identity of the files that were read, by path."""


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
            raise self.error(
                f"{self.path.parent} was made of other inputs: {listed(differing, '; ')}. "
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


def file_identity(path: Path) -> str:
    """Return what identifies a file: 16 hexadecimal digits of the SHA-256 of its bytes.

    A file whose size, times and inode are those of an earlier call is not read again.
    """
    state = _state(path)
    before = _seen.get(state[0])
    if before is None or before[0] != state:
        before = _seen[state[0]] = (state, content_digest(path)[:16])
    return before[1]


def _state(path: Path) -> tuple[str, int, int, int, int]:
    status = path.stat()
    return os.path.abspath(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def keep_identities(path: Path) -> None:
    """Write the identities of all files that this process knows, for the next call and its workers.

    Raises:
        StorageError: If the file cannot be written.
    """
    write_json(path, {"files": [[*state, digest] for state, digest in sorted(_seen.values())]})


def recall_identities(path: Path) -> None:
    """Read what `keep_identities` wrote; a file that cannot be read is none."""
    try:
        for *state, digest in read_json(path)["files"]:
            if isinstance(digest, str) and list(map(type, state)) == [str, int, int, int, int]:
                _seen.setdefault(state[0], (tuple(state), digest))
    except (S2S2Error, KeyError, TypeError, ValueError):
        return


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], inputs: Inputs) -> None:
    """Keep arrays as safetensors for the next call, with the digest of what they were made of.

    Raises:
        StorageError: If the file cannot be written.
    """
    from safetensors.numpy import save_file

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic(path) as temporary:
        save_file(whole, temporary, {"inputs": inputs.digest})


def load_arrays(path: Path, inputs: Inputs) -> dict[str, npt.NDArray[Any]] | None:
    """Return the arrays that `save_arrays` kept, None where there are none of these inputs.

    A file that cannot be read counts as none: its arrays are made again.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            if (file.metadata() or {}).get("inputs") != inputs.digest:
                return None
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None


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


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
