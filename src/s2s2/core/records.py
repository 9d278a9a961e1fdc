"""Records of finished work: is it done, of these inputs, and if not, what differs?

Whatever takes time to make (a check, a stack, a tuning, a training, an audit) lies beside a
`Record`, which knows the content of every file that was made. What follows from a difference is
up to the caller: `Record.require` and `Record.require_whole` refuse, `Record.holds` and
`Record.done` let the work be done again.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from s2s2.core.inputs import Inputs
from s2s2.core.storage import read_json, write_json
from s2s2.errors import S2S2Error, StorageError, listed

_seen: dict[str, tuple[tuple[str, int, int, int, int], str]] = {}
"""State and identity of the files that were read, by path."""


class _Output(TypedDict):
    size: int
    digest: str


class _Content(TypedDict):
    """Shape of a record, as far as it is read here."""

    finished: NotRequired[bool]
    inputs: NotRequired[dict[str, Any]]
    outputs: NotRequired[dict[str, _Output]]
    seal: NotRequired[str]


class Record:
    """The JSON file that says what work was done in a folder, and of which inputs.

    It carries a seal, the digest of all else in it, so that a value that was altered afterwards
    is found; and size and digest of every output, but no times: equal work gives equal bytes.

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
            S2S2Error: Of the class `error`, if the file cannot be read or was altered.
        """
        if not self.path.exists():
            return {}
        content = read_json(self.path, error=self.error, shape=_Content)
        if content.get("seal", seal := self._seal(content)) != seal:
            raise self.error(
                f"{self.path} was altered since it was written: its seal is {content['seal']}, expected "
                f"{seal}. Restore the file, or delete it so that the work is done again."
            )
        return content

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
            faults = self.faults()
            doubt = f" {self.path} may be that of another folder: {listed(faults, '; ')}." if faults else ""
            raise self.error(
                f"{self.path.parent} was made of other inputs: {listed(differing, '; ')}. "
                f"Nothing was changed. {advice}{doubt}"
            )
        return content

    def require_whole(self, advice: str) -> None:
        """Refuse finished work of which a file is not as it was left.

        Args:
            advice: What to do, as sentences.

        Raises:
            S2S2Error: Of the class `error`; each file is named.
        """
        if faults := self.faults():
            raise self.error(f"{listed(faults, '; ')}. Nothing was changed. {advice}")

    def altered(self) -> dict[Path, str]:
        """Return what happened to each output of finished work that is not as it was left.

        Files are known by `file_identity`: a copy in another place is the same file.

        Raises:
            S2S2Error: As `content`.
        """
        content = self.content()
        outputs = content.get("outputs", {}) if content.get("finished") else {}
        found = {
            self.path.parent / name: _alteration(self.path.parent, name, outputs[name]) for name in outputs
        }
        return {path: words for path, words in found.items() if words}

    def faults(self) -> list[str]:
        """Say what is not whole of finished work, the record included, one phrase a file."""
        try:
            content, altered = self.content(), self.altered()
        except S2S2Error as error:
            return [str(error).rstrip(".")]
        if content.get("finished") and "seal" not in content:
            return [f"{self.path} has no seal"]
        return [f"{path} {words}" for path, words in altered.items()]

    @property
    def is_finished(self) -> bool:
        """Whether the work is finished, of whatever inputs, and its outputs are as it left them."""
        return not self.faults() and bool(self.content().get("finished"))

    def holds(self) -> bool:
        """Whether the work is finished, of these inputs, and its outputs are as it left them."""
        return self.is_finished and not self.differences()

    def done(self, advice: str) -> dict[str, Any] | None:
        """Return what the record of finished and whole work says; None where there is work to do.

        Args:
            advice: What to do where it is of other inputs, as sentences.

        Raises:
            S2S2Error: As `require`. A record that cannot be read is none: what it was of is not known.
        """
        faults = self.faults()
        if not self.is_unreadable:
            self.require(advice)
        return None if faults or not self.is_finished else self.content()

    @property
    def is_unreadable(self) -> bool:
        """Whether there is a file that is no record, or was altered since it was written."""
        try:
            self.content()
        except S2S2Error:
            return True
        return False

    def forget(self) -> None:
        """Remove the record before the work is done again, and say in one line why it has to be."""
        self._say_faults()
        self.path.unlink(missing_ok=True)

    def begin(self) -> None:
        """Record that the work has begun; where finished work is done again, say in one line why."""
        self._say_faults()
        self._write({"finished": False, "inputs": self.inputs.values})

    def finish(self, content: Mapping[str, Any] | None = None, outputs: Iterable[Path] = ()) -> None:
        """Record that the work is finished.

        Args:
            content: What else to say.
            outputs: Files below the record's folder; their sizes in bytes and digests are kept.
        """
        known = {
            path.relative_to(self.path.parent).as_posix(): {
                "size": path.stat().st_size,
                "digest": file_identity(path),
            }
            for path in sorted(outputs)
        }
        kept = {"outputs": known} if known else {}
        self._write({"finished": True, "inputs": self.inputs.values, **kept, **(content or {})})

    def _say_faults(self) -> None:
        if faults := self.faults():
            line = f"s2s2: {listed(faults, '; ')}. What was derived is made again."
            logging.getLogger("s2s2").warning(line)

    def _write(self, content: Mapping[str, Any]) -> None:
        write_json(self.path, {**content, "seal": self._seal(content)})

    def _seal(self, content: Mapping[str, Any]) -> str:
        """Return the digest of the record's name and of what it says beside seal and format."""
        said = {name: value for name, value in content.items() if name not in ("seal", "format")}
        return Inputs({"name": self.path.name, "says": said}).digest


def _alteration(folder: Path, name: str, before: Mapping[str, Any]) -> str:
    """Say in words what happened to an output, "" where nothing did."""
    path = folder / name
    if not os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep):
        return "is no file of this folder"
    if not path.is_file():
        return "is missing"
    if (size := path.stat().st_size) != before["size"]:
        return f"has {size} bytes, expected {before['size']}"
    return "" if file_identity(path) == before["digest"] else "holds other bytes than were written"


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
    files = [[*state, digest] for state, digest in sorted(_seen.values()) if os.path.exists(state[0])]
    Record(path, {}).finish({"files": files})


def recall_identities(path: Path) -> None:
    """Read what `keep_identities` wrote; a file that cannot be read, or was altered, is none."""
    try:
        for *state, digest in Record(path, {}).content().get("files", ()):
            if isinstance(digest, str) and list(map(type, state)) == [str, int, int, int, int]:
                _seen.setdefault(state[0], (tuple(state), digest))
    except (S2S2Error, TypeError, ValueError):
        return


def forget_identities() -> None:
    """Let every file be read again: what its size and times say is not enough."""
    _seen.clear()


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
