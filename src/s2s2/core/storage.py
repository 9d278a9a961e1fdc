"""Atomic files, JSON and folder locks.

Everything is written under a temporary name in the folder of its final name and
renamed when it is complete. A process that is killed leaves no corrupt file, and
two processes that write one file leave one of the two.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from s2s2.errors import DataError, S2S2Error, StorageError

FORMAT = 1
LOCK = ".lock"
"""File by which a process claims a folder. It stays there, empty: removing it would race with others."""
PATIENCE_S = 10.0
"""How long to wait for a claim: the workers of a process that was killed live some seconds longer."""

_CAUSES = {
    errno.ENOSPC: "the disk is full. Free some space",
    errno.EDQUOT: "the disk quota is used up. Free some space",
    errno.EROFS: "the disk is read-only. Choose another folder",
    errno.EACCES: "there is no permission to write there. Choose another folder",
    errno.EPERM: "there is no permission to write there. Choose another folder",
    errno.ENOTDIR: "a part of its path is a file, not a folder. Choose another folder",
    errno.EEXIST: "a file lies where its folder should be. Choose another folder",
    errno.EISDIR: "a folder lies where the file should be. Choose another name",
    errno.ENAMETOOLONG: "its name is too long for this disk. Choose a shorter one",
}


# Libraries that write files themselves report a full disk in their own words.
_FULL_DISK_WORDS = ("No space left on device", "PytorchStreamWriter failed", "os error 28")


@contextmanager
def storage_errors(path: str | Path) -> Iterator[None]:
    """Turn what the operating system says about writing into a `StorageError`.

    Args:
        path: File or folder that is written to in the block.

    Raises:
        StorageError: If the disk is full, read-only or not ours.
    """
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        full = any(words in str(error) for words in _FULL_DISK_WORDS)
        cause = _CAUSES.get(errno.ENOSPC if full else number or 0)
        if cause is None:
            raise
        raise StorageError(f"Cannot write {path}: {cause}; what was written before is kept.") from error


@contextmanager
def claimed(folder: str | Path) -> Iterator[None]:
    """Keep a second process from working in a folder at the same time.

    The operating system drops the claim with the process, even with one that is killed. Where
    a disk knows no locks, nothing is claimed. Read what the folder holds after the claim:
    another process may have been at work until then.

    Args:
        folder: Made if it is not there; the claim is its hidden file `.lock`.

    Raises:
        StorageError: If another process, or another call of this one, works there.
    """
    from filelock import FileLock, Timeout

    Path(folder).mkdir(parents=True, exist_ok=True)
    lock = FileLock(Path(folder) / LOCK)
    try:
        lock.acquire(timeout=PATIENCE_S, poll_interval=0.2)
    except Timeout as error:
        raise StorageError(
            f"Another process is at work in {folder}. Wait until it is done, or give another folder."
        ) from error
    except (OSError, NotImplementedError):
        pass  # A file system without locks, as on some clusters: work unclaimed.
    try:
        yield
    finally:
        lock.release()


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, and rename it to `path` at the end.

    The temporary file lies in the same folder (which is made where it is missing),
    starts with a dot and keeps the suffix. It is removed when the block raises.

    Args:
        path: Final name of the file.

    Yields:
        The path to write to.

    Raises:
        StorageError: If the file cannot be written, because the disk is full,
            read-only or not ours; nothing that was there before is lost.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with atomic(folder / "note.txt") as temporary:
        ...     _ = temporary.write_text("whole")
        >>> [file.name for file in folder.iterdir()]
        ['note.txt']
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}-{secrets.token_hex(4)}.part{path.suffix}")
    try:
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as JSON with ``"format": 1`` in front, atomically.

    Args:
        path: Final name of the file.
        content: What to write: strings, numbers, lists and mappings.

    Raises:
        StorageError: If the file cannot be written.
    """
    write_text(path, json.dumps({"format": FORMAT, **content}, indent=1, ensure_ascii=False) + "\n")


def read_json(path: str | Path, *, error: type[S2S2Error] = DataError) -> dict[str, Any]:
    """Read a mapping that `write_json` wrote.

    Args:
        path: Name of the file.
        error: Class of the error to raise, so that a split complains as a split.

    Raises:
        S2S2Error: Of class `error`, if the file is missing, corrupt or of a later format.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        raise error(f"There is no file {path}. Check the path.") from cause
    except (OSError, ValueError) as cause:
        raise error(
            f"{path} cannot be read as JSON ({cause}). Make it again, or give another file."
        ) from cause
    if not isinstance(content, dict):
        raise error(f"{path} holds a {type(content).__name__}, expected a JSON object. Give another file.")
    if content.get("format", FORMAT) != FORMAT:
        raise error(
            f"{path} is of format {content['format']!r}, expected {FORMAT}. "
            "It was written by another version of s2s2: use that one, or make the file again."
        )
    return content
