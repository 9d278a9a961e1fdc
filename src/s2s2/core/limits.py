"""Limits of the machine: the words of systems and libraries when disk, memory or threads run out."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from s2s2.errors import ResourceError, S2S2Error, StorageError

_ELSEWHERE = "Choose another folder"
_DISK = {
    errno.ENOSPC: "the disk is full. Free some space",
    errno.EDQUOT: "the disk quota is used up. Free some space",
    errno.EFBIG: "a file may not grow that large there. Raise the limit (ulimit -f), or choose another disk",
    errno.EIO: f"the disk reports an input/output error. Check the disk and its connection. {_ELSEWHERE}",
    errno.EROFS: f"the disk is read-only. {_ELSEWHERE}",
    errno.EACCES: f"there is no permission to write there. {_ELSEWHERE}",
    errno.EPERM: f"there is no permission to write there. {_ELSEWHERE}",
    errno.ENOTDIR: f"a part of its path is a file, not a folder. {_ELSEWHERE}",
    errno.EEXIST: f"a file lies where its folder should be. {_ELSEWHERE}",
    errno.EISDIR: "a folder lies where the file should be. Choose another name",
    errno.ENAMETOOLONG: "its name is too long for this disk. Choose a shorter one",
    errno.ELOOP: f"links in its path lead in a circle. {_ELSEWHERE}",
    errno.ESTALE: f"the network disk has lost it. Mount the disk again. {_ELSEWHERE}",
}
_NO_FILES = f"no files can be made there. {_ELSEWHERE}"
_PLACE = {
    errno.ENOENT: f"a folder of its path is not there, and none can be made. {_ELSEWHERE}",
    **dict.fromkeys((errno.EINVAL, errno.ENODEV, errno.ENXIO, errno.ENOSYS, errno.EOPNOTSUPP), _NO_FILES),
}
"""Errors that mean this only where they are of the very path that is written."""

_FEWER = "fewer processes (--jobs, --train.workers)"
_MEMORY = (
    f"Memory ran out. Take smaller images (--size), fewer at once (--train.images_per_step) or {_FEWER}, or "
    "end other programs"
)
_ENDED = (
    "A worker process was ended from outside, most often because memory ran out. Take smaller images "
    f"(--size) or {_FEWER}, or end other programs"
)
_THREADS = (
    f"No further thread or process can be started. Take {_FEWER}, or raise the limit (ulimit -u; "
    "--pids-limit of a container)"
)
_FILES = f"Too many files are open. Raise the limit (ulimit -n), or take {_FEWER}"
_SHARED = (
    "The shared memory of this machine (/dev/shm) is too small for worker processes. Give "
    "--train.workers 0 --jobs 1, which need none, or enlarge it (docker run --shm-size=2g)"
)
_MACHINE = {
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _THREADS,
}

# Errors that libraries report in words alone, in the order in which they are searched.
_WORDS = (
    (r"shared memory|</?torch_\d|Bus error", _SHARED),
    (r"DataLoader worker .*(killed by signal|exited unexpectedly)|process pool was terminated", _ENDED),
    (r"can't start new thread|Thread creation failed", _THREADS),
    (r"can't allocate memory|not enough memory|out of memory|bad_alloc", _MEMORY),
)
_NUMBER = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")
_SPOKEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EMFILE, *_MACHINE)
"""Errors whose text may stand within the message of another."""
_UNNUMBERED = re.compile(r"PytorchStreamWriter failed|unexpected pos|\d+ requested and \d+ written")
"""What torch and NumPy say when the system takes no more of a file."""
_SEMAPHORES = ("multiprocessing/synchronize.py", "multiprocessing/heap.py", "torch/multiprocessing/")
_KEPT = "what was written before is kept."


def limit_error(error: Exception, path: str | Path) -> S2S2Error | None:
    """Return what an error means for the user, None where it is no limit of the machine.

    Args:
        error: Of the operating system, or of a library that writes files or starts processes.
        path: File or folder that was being written.

    Example:
        >>> str(limit_error(OSError(errno.ENOSPC, "No space left on device"), "run/a.tif"))
        'Cannot write run/a.tif: the disk is full. Free some space; what was written before is kept.'
    """
    found = _meaning(error, path)
    before = error.__context__
    while found is None and isinstance(before, Exception):
        # Libraries fail again as they clean up: what came first is the reason.
        if _number(before) in _SPOKEN or isinstance(before, MemoryError):
            found = _meaning(before, path)
        before = before.__context__
    return found


def _meaning(error: Exception, path: str | Path) -> S2S2Error | None:
    number, text = _number(error), str(error)
    if words := _machine(error, number, text):
        return ResourceError(f"{words}; {_KEPT}")
    if number is None and _UNNUMBERED.search(text):
        number = _why_cut_short(Path(path))
    name = getattr(error, "filename", None)
    ours = not isinstance(name, str | os.PathLike) or _related(Path(name), Path(path))
    cause = _DISK.get(number or 0) or (_PLACE.get(number or 0) if name is not None and ours else None)
    if cause is None:
        return None
    return StorageError(f"Cannot {'write' if ours else 'use'} {path if ours else name}: {cause}; {_KEPT}")


def _number(error: Exception) -> int | None:
    """Return the number of the system's error, which some libraries give in words only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    if found := _NUMBER.search(str(error)):
        return int(found[1] or found[2])
    return next((number for number in _SPOKEN if os.strerror(number) in str(error)), None)


def _machine(error: Exception, number: int | None, text: str) -> str | None:
    if isinstance(error, OSError) and _within(error, _SEMAPHORES):
        return _SHARED
    if isinstance(error, MemoryError):
        return _MEMORY
    if number in (errno.EMFILE, errno.ENFILE):
        return _FILES
    if isinstance(error, (OSError, RuntimeError)):
        for pattern, words in _WORDS:
            if re.search(pattern, text):
                return words
    return _MACHINE.get(number or 0)


def _within(error: Exception, sources: tuple[str, ...]) -> bool:
    """Whether an error came out of one of these source files."""
    names = [Path(frame.filename).as_posix() for frame in traceback.extract_tb(error.__traceback__)]
    return any(source in name for name in names for source in sources)


def _why_cut_short(path: Path) -> int:
    """Return the number that is not given: of a full disk, or of a limit on the size of files."""
    folder = next((each for each in (path, *path.parents) if each.is_dir()), Path())
    with suppress(OSError, ImportError):
        import resource

        limited = sys.platform != "win32" and resource.getrlimit(resource.RLIMIT_FSIZE)[0] >= 0
        if limited and shutil.disk_usage(folder).free > 2**20:
            return errno.EFBIG
    return errno.ENOSPC


def _related(name: Path, path: Path) -> bool:
    """Whether a file lies in a folder, or is the folder, or one above it."""
    name, path = (Path(os.path.abspath(each)) for each in (name, path))
    return name in (path, *path.parents) or path in name.parents or name.parent == path.parent
