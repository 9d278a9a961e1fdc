"""A whole run that nobody stopped, and commands that are killed at random moments inside a stage."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.drawn import draw_site
from tests.faults.commands import finish, start

DIFFUSION = (
    "diffusion(preset='cpu',resolution=16,channels=(16,),steps=4,batch=2,checks=2,judged=2,solver_steps=2)"
)
NETWORK = ["--network.pretrained", "false", "--audit.network.pretrained", "false", "--audit.draws", "20"]
RUN = [
    *("run", "--data", "home", "--target", "away", "--size", "32", "--split.counts", "10", "2", "4"),
    *("--arms", "baseline", "s2s2", f"s2s2@{DIFFUSION}", "--stack.depth", "2", "--jobs", "1"),
    *("--train.steps", "6", "--train.images_per_step", "4", "--train.validations", "3", "--seeds", "1"),
    *("--audit.folds", "2", "--audit.steps", "4", "--audit.images_per_step", "2", "--audit.size", "32"),
    *("--audit.jobs", "1", *NETWORK),
]
KEPT = (
    ".png",
    ".tif",
    ".nii.gz",
    ".safetensors",
    ".csv",
    ".jpg",
    ".yaml",
    "split.json",
    "marks.json",
    "predictions.json",
)
CLOCKS = ("history.csv",)
"""Tables with a column of the clock."""


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every result by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name.endswith(KEPT) and path.name not in CLOCKS
    }


def whole_run(place: Path) -> float:
    """Draw home and away in a folder, and run to the end into whole; return the seconds it took."""
    draw_site(place / "home", cases=16, seed=1, shape=(40, 40))
    draw_site(place / "away", cases=3, seed=2, shape=(40, 40))
    begun = time.monotonic()
    code, said = finish([*RUN, "--output", "whole"], place)
    assert code == 0, said
    return time.monotonic() - begun


class Watched:
    """A command at work, whose lines are read as it says them, each with its time."""

    def __init__(self, words: Sequence[object], folder: Path) -> None:
        self.process = start(words, folder)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def says(self, start: str) -> bool:
        """Whether it has said a line that holds these words."""
        return any(start in line for line in self.lines)

    def wait_for(self, begun: Callable[[], bool], patience_s: float = 120) -> bool:
        """Wait until something has happened or the command ended; return whether it happened."""
        until = time.monotonic() + patience_s
        while not begun():
            if self.process.poll() is not None:
                return begun()
            if time.monotonic() > until:
                self.kill()
                raise subprocess.TimeoutExpired(self.process.args, patience_s)
            time.sleep(0.002)
        return True

    def kill(self) -> int:
        """Kill it and all of its processes; return its exit code, -9 where it was still at work."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.returncode


class Inside(NamedTuple):
    """When a command is inside a stage.

    Args:
        begun: What it has said, or a file (with a slash) that it has written.
        over: The same, when the stage is over.
        seconds: The longest delay; shorter than the stage takes.
    """

    begun: str
    over: str
    seconds: float


def _happened(sign: str, folder: Path, watched: Watched) -> bool:
    return (folder / sign).exists() if "/" in sign else watched.says(sign)


def killed_inside(words: list[str], place: Path, output: str, stage: Inside, rng: random.Random) -> bool:
    """Kill a command at a random moment after a stage has begun; return whether the stage was not over."""
    watched, folder = Watched([*words, "--output", output], place), place / output
    try:
        assert watched.wait_for(lambda: _happened(stage.begun, folder, watched)), watched.lines
        time.sleep(rng.uniform(0, stage.seconds))
    finally:
        code = watched.kill()
    return code == -9 and not _happened(stage.over, folder, watched)
