"""The command line in a process of its own, to be stopped, limited and watched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "import sys; from s2s2.cli import main; sys.exit(main())"]
QUICK = ["--size", "32", "--train.validations", "1", "--train.images_per_step", "4"]


def start(words: Sequence[object], folder: Path, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a session of its own; what it says on both streams is one text."""
    source = [str(Path(__file__).parents[2] / "src"), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(source)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        # A test that is started in the background would hand on that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **options,
    )


def finish(words: Sequence[object], folder: Path) -> tuple[int, str]:
    """Run a command to its end; return exit code and what it said."""
    process = start(words, folder)
    said = process.communicate(timeout=300)[0]
    return process.returncode, said


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[str], patience_s: float = 120) -> None:
    """Wait until something has happened while a command runs."""
    until = time.monotonic() + patience_s
    while not ready():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.05)


def members(session: int) -> list[int]:
    """Return the processes of a session that live."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, owner, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(owner) == session and state != "Z":
            found.append(int(folder.name))
    return found
