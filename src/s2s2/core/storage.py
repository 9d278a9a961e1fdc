"""Atomic files, JSON and folder locks.

Everything is written under a temporary name in the folder of its final name and
renamed when it is complete. A process that is killed leaves no corrupt file, and
two processes that write one file leave one of the two.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from s2s2.core.limits import limit_error
from s2s2.core.shapes import require_shape
from s2s2.errors import DataError, S2S2Error, StorageError

FORMAT = 1
LARGEST = 2**28
"""Bytes of the largest JSON file that is read; those of a million cases are smaller."""
LOCK = ".lock"
"""File by which a process claims a folder. It stays there, empty: removing it would race with others."""
ABANDONED_S = 3600.0
"""Age of a temporary file from which on nobody writes it any more, where others may be at work."""
_TEMPORARY = ".*.part*"
"""Names of the files that `atomic` has not finished, or never will."""
PATIENCE_S = 10.0
"""How long to wait for a claim: the workers of a process that was killed live some seconds longer."""


@contextmanager
def storage_errors(path: str | Path) -> Iterator[None]:
    """Say in one paragraph what limit of disk, memory, threads or shared memory the block has met.

    Args:
        path: File or folder that is written to in the block.

    Raises:
        StorageError: If the disk is full, read-only or not ours, or takes no files of this size.
        ResourceError: If memory, threads, open files or shared memory run out.
    """
    try:
        yield
    except S2S2Error:
        raise
    except Exception as error:
        if (said := limit_error(error, path)) is None:
            raise
        raise said from error


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
            _follow_umask(temporary)
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def remove_leftovers(folder: str | Path, *, older_than_s: float = 0.0) -> None:
    """Remove the temporary files of processes that were killed, in a folder and all below it.

    Args:
        folder: Where no other process writes, or only for less long than `older_than_s`.
        older_than_s: Files that were changed later stay, in s.
    """
    for leftover in Path(folder).rglob(_TEMPORARY):
        with suppress(OSError):
            if leftover.is_file() and time.time() - leftover.stat().st_mtime >= older_than_s:
                leftover.unlink()


def whole_files(folder: str | Path, pattern: str = "*") -> list[Path]:
    """Return the files of a folder, by name, without those that another process writes or left unfinished.

    Args:
        folder: One that is not there has no files.
        pattern: Of the names.
    """
    return sorted(
        path for path in Path(folder).glob(pattern) if path.is_file() and not path.match(_TEMPORARY)
    )


def _follow_umask(file: Path) -> None:
    """Let others read a file as the umask says: some libraries make theirs for the owner alone."""
    if not file.is_file() or file.stat().st_mode & 0o077:
        return
    probe = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL, 0o666))
        os.chmod(file, probe.stat().st_mode & 0o666)
    finally:
        with suppress(OSError):
            probe.unlink()


def refuse_links(folder: str | Path, *, error: type[S2S2Error] = StorageError) -> None:
    """Refuse a folder of results in which a link leads out of it: nothing is read or written through it.

    The folder itself may be a link.

    Args:
        folder: Of a run, a training, a network or a stack; one that is missing has no links.
        error: Class of the error to raise.

    Raises:
        S2S2Error: Of class `error`; the link and where it leads are named.
    """
    root = Path(folder).resolve()
    for place, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            if os.path.islink(path) and not Path(os.path.realpath(path)).is_relative_to(root):
                raise error(
                    f"{path} is a link that leads out of {root}, to {os.path.realpath(path)}. Results are "
                    "neither read nor written through links: put the files themselves there, or remove it."
                )


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


def read_json(
    path: str | Path, *, error: type[S2S2Error] = DataError, shape: type | None = None
) -> dict[str, Any]:
    """Read a mapping that `write_json` wrote.

    Args:
        path: Name of the file.
        error: Class of the error to raise, so that a split complains as a split.
        shape: A `TypedDict` or dataclass of what must stand in it, see `require_shape`.

    Raises:
        S2S2Error: Of class `error`, if the file is missing, corrupt, of a later format, or holds
            something else than the shape says.
    """
    content, text = parse_json(path, error=error)
    if not isinstance(content, dict):
        raise error(f"{path} holds a {type(content).__name__}, expected a JSON object. Give another file.")
    if content.get("format", FORMAT) != FORMAT:
        raise error(
            f"{path} is of format {content['format']!r}, expected {FORMAT}. "
            "It was written by another version of s2s2: use that one, or make the file again."
        )
    require_shape(text, shape, path, error)
    return content


def parse_json(path: str | Path, *, error: type[S2S2Error] = DataError) -> tuple[Any, str]:
    """Read any JSON, also that of other programs.

    Args:
        path: Name of the file.
        error: Class of the error to raise.

    Returns:
        What it holds, and its text.

    Raises:
        S2S2Error: Of class `error`, if the file is missing, corrupt or too large.
    """
    try:
        if Path(path).stat().st_size > LARGEST:
            raise error(f"{path} holds more than {LARGEST >> 20} MB, expected less. Give another file.")
        raw = Path(path).read_bytes()
        text = raw.decode(json.detect_encoding(raw))  # editors of Windows write UTF-8 with a mark, or UTF-16
        return json.loads(text), text
    except FileNotFoundError as cause:
        raise error(f"There is no file {path}. Check the path.") from cause
    except error:
        raise
    except RecursionError as cause:
        raise error(f"{path} is nested too deep to be read as JSON. Give another file.") from cause
    except (OSError, ValueError) as cause:
        raise error(
            f"{path} cannot be read as JSON ({cause}). Make it again, or give another file."
        ) from cause
