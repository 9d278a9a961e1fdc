"""Starting the command line: what a person waits for before anything is computed.

A help needs to load nothing, and a check of ten images needs no network. Each is timed as a
process of its own, in turns with a process that imports one library and ends, so that
whatever else the machine does meets both alike. The first turn fills the page cache and
writes bytecode, and does not count. The fastest turn tells what the work takes when nothing
else runs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import s2s2
from benchmarks.rows import row
from s2s2.cli import COMMANDS

DEMO = Path(s2s2.__file__).parent / "demo_data" / "hospitals" / "paris"
IMAGES, ROUNDS = 10, 5
COMMAND_LINE = "import sys; from s2s2.cli import main; sys.exit(main())"
"""What the installed script `s2s2` runs."""


def run() -> list[dict[str, Any]]:
    """Return one row a figure."""
    helps = [("--help",), *((name, "--help") for name in COMMANDS)]
    with tempfile.TemporaryDirectory() as folder:
        return [
            row(
                "s2s2 COMMAND --help, the slowest, over import numpy",
                slowdown("import numpy", helps),
                "ratio",
                3,
                at_most=True,
            ),
            row(
                f"s2s2 check of {IMAGES} images over import torch",
                slowdown("import torch", [("check", str(_site(Path(folder))))]),
                "ratio",
                1,
                at_most=True,
            ),
        ]


def slowdown(reference: str, calls: list[tuple[str, ...]], rounds: int = ROUNDS) -> float:
    """Return how many times as long as the reference the slowest of these command lines takes.

    Args:
        reference: Python code.
        calls: Words behind `s2s2`, for each command line.
        rounds: How often each is timed.
    """
    programs = [(reference,), *((COMMAND_LINE, *words) for words in calls)]
    best = dict.fromkeys(programs, float("inf"))
    for turn in range(rounds + 1):
        for program in programs:
            seconds = _seconds(program)
            if turn:
                best[program] = min(best[program], seconds)
    return max(best[program] for program in programs[1:]) / best[programs[0]]


def _seconds(program: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", *program], check=True, capture_output=True)
    return time.perf_counter() - started


def _site(folder: Path) -> Path:
    """Copy some images of the demo, with their masks."""
    for image in sorted((DEMO / "images").iterdir())[:IMAGES]:
        for file in (image, next((DEMO / "masks").glob(f"{image.stem}.*"))):
            (folder / file.parent.name).mkdir(exist_ok=True)
            shutil.copy2(file, folder / file.parent.name)
    return folder
