from __future__ import annotations

import errno
import os
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from s2s2.core.limits import limit_error
from s2s2.core.storage import storage_errors, write_json
from s2s2.errors import ResourceError, S2S2Error, StorageError

SHARED = r"The shared memory of this machine \(/dev/shm\) is too small .* --train.workers 0"
THREADS = "No further thread or process can be started. Take fewer processes"
MEMORY = "Memory ran out. Take smaller images"
ENDED = "A worker process was ended from outside"
BIG = "may not grow that large there. Raise the limit"


def test_a_limit_is_named_though_a_library_fails_again_as_it_cleans_up() -> None:
    def clean_up(first: Exception) -> Exception:
        try:
            try:
                raise first
            except Exception:
                raise RuntimeError("call iter() first")  # noqa: B904
        except RuntimeError as error:
            return error

    found = limit_error(clean_up(OSError(errno.ENOSPC, "No space left on device")), "run/a.tif")
    assert str(found).startswith("Cannot write run/a.tif: the disk is full.")
    assert limit_error(clean_up(KeyError("a")), "run/a.tif") is None
    assert limit_error(clean_up(FileNotFoundError(errno.ENOENT, "no such file")), "run/a.tif") is None


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, StorageError, "the disk is full"),
        (errno.EDQUOT, StorageError, "the disk quota is used up"),
        (errno.EFBIG, StorageError, BIG),
        (errno.EIO, StorageError, "input/output error. Check the disk"),
        (errno.EROFS, StorageError, "read-only"),
        (errno.ESTALE, StorageError, "Mount the disk again"),
        (errno.ENOMEM, ResourceError, MEMORY),
        (errno.EAGAIN, ResourceError, THREADS),
        (errno.EMFILE, ResourceError, "Too many files are open"),
    ],
)
def test_every_limit_of_the_system_is_one_paragraph(number: int, kind: type[S2S2Error], words: str) -> None:
    with pytest.raises(kind, match=rf"{words}.*; what was written before is kept\.$"), storage_errors("out"):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (RuntimeError("can't start new thread"), ResourceError, THREADS),
        (MemoryError(), ResourceError, MEMORY),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
            ResourceError,
            MEMORY,
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), ResourceError, MEMORY),
        (RuntimeError("Error: I/O error: File too large (os error 27)"), StorageError, BIG),
        (ValueError("SafetensorError: I/O error (os error 122)"), StorageError, "quota"),
        (RuntimeError("Caught OSError in worker.\nOSError: [Errno 5] Input/output error"), StorageError, "i"),
        (
            RuntimeError("unable to allocate shared memory(shm) for file </torch_8_1>: No space left (28)"),
            ResourceError,
            SHARED,
        ),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. "), ResourceError, SHARED),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "), ResourceError, ENDED),
        (RuntimeError("A process in the process pool was terminated abruptly"), ResourceError, ENDED),
    ],
)
def test_every_library_that_writes_is_understood(error: Exception, kind: type[S2S2Error], words: str) -> None:
    with pytest.raises(kind, match=words), storage_errors("out"):
        raise error


def test_semaphores_that_have_no_room_are_no_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("multiprocessing.synchronize._multiprocessing.SemLock", full)
    with pytest.raises(ResourceError, match=SHARED), storage_errors("out"):
        get_context("spawn").Lock()


def test_what_is_a_bug_stays_one() -> None:
    assert limit_error(RuntimeError("shapes do not fit"), "out") is None
    assert limit_error(FileNotFoundError(errno.ENOENT, "gone", "elsewhere/a.png"), "out") is None
    assert limit_error(OSError(errno.EINVAL, "Invalid argument"), "out") is None


def test_a_file_elsewhere_is_named_itself() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "/data/masks/a.png")
    assert str(limit_error(error, "run/out")).startswith(
        "Cannot use /data/masks/a.png: there is no permission"
    )


@pytest.mark.parametrize("place", ["/proc/out", "/proc/self/out", "/dev/null/out"])
def test_places_that_take_no_files_are_named(place: str) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("needs Linux")
    with pytest.raises(StorageError, match=rf"Cannot write {place}/a.json: .*Choose another folder"):
        write_json(Path(place) / "a.json", {})


WRITERS = {
    "safetensors": "from safetensors.numpy import save_file; save_file({'a': np.zeros(9**6)}, path)",
    "torch": "import torch; torch.save(torch.zeros(9**6), path)",
    "tifffile": "import tifffile; tifffile.imwrite(path, np.zeros((999, 999)))",
    "PIL": "from PIL import Image; noise = np.random.rand(400, 400) * 255; "
    "Image.fromarray(noise.astype(np.uint8)).save(path, 'png')",
    "pandas": "import pandas; pandas.DataFrame(np.random.rand(9**4, 9)).to_csv(path)",
    "tensorboard": "from torch.utils.tensorboard import SummaryWriter\n"
    "    writer = SummaryWriter(path)\n"
    "    for n in range(9999): writer.add_scalar('a', n, n)\n"
    "    writer.close()",
}


@pytest.mark.parametrize("library", WRITERS)
def test_a_limit_on_the_size_of_files_is_named_whoever_writes(library: str, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("needs limits of a process")
    script = (
        "import resource, sys, numpy as np\n"
        "from s2s2.core.engine.trainer import lightning_in\n"
        "from s2s2.errors import StorageError\n"
        "path = sys.argv[1]\n"
        "import torch, tempfile\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        f"try:\n  with lightning_in(path + 's'):\n    {WRITERS[library]}\n"
        "except StorageError as error:\n  sys.exit(str(error))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert BIG in done.stderr
    assert "Traceback" not in done.stderr
