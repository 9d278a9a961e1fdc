"""Runs that are killed at random moments, again and again, end in the bytes of one that was not."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.drawn import draw_site
from tests.faults.commands import finish, start
from tests.faults.table import Note, Outcome

pytestmark = pytest.mark.slow
DIFFUSION = (
    "diffusion(preset='cpu',resolution=16,channels=(16,),steps=4,batch=2,checks=2,judged=2,solver_steps=2)"
)
NETWORK = ["--network.pretrained", "false", "--audit.network.pretrained", "false", "--audit.draws", "20"]
RUN = [
    *("run", "--data", "home", "--target", "away", "--size", "32", "--split.counts", "10", "2", "4"),
    *(
        "--arms",
        "baseline",
        "s2s2",
        f"s2s2@{DIFFUSION}",
        "--stack.depth",
        "2",
        "--jobs",
        "1",
        "--audit.jobs",
        "1",
    ),
    *("--train.steps", "6", "--train.images_per_step", "4", "--train.validations", "3", "--seeds", "1"),
    *("--audit.folds", "2", "--audit.steps", "4", "--audit.images_per_step", "2", "--audit.size", "32"),
    *NETWORK,
]
KEPT = (".png", ".tif", ".safetensors", ".csv", ".jpg", "split.json", "config.yaml")
CLOCKS = ("history.csv",)
"""Tables with a column of the clock."""
KILLS = 4


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every result by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name.endswith(KEPT) and path.name not in CLOCKS
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A place with data and a run that nobody stopped; how many seconds it took."""
    place = tmp_path_factory.mktemp("killed")
    draw_site(place / "home", cases=16, seed=1, shape=(40, 40))
    draw_site(place / "away", cases=3, seed=2, shape=(40, 40))
    begun = time.monotonic()
    code, said = finish([*RUN, "--output", "whole"], place)
    assert code == 0, said
    return place, time.monotonic() - begun


@pytest.mark.parametrize("seed", range(2))
def test_a_run_killed_again_and_again_ends_in_the_same_bytes(
    whole: tuple[Path, float], seed: int, note: Note
) -> None:
    place, seconds = whole
    rng, words = random.Random(seed), [*RUN, "--output", f"killed{seed}"]
    killed = 0
    for _ in range(KILLS):
        process = start(words, place)
        try:
            process.communicate(timeout=rng.uniform(0.1, 0.9) * seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            killed += 1
    assert killed
    code, said = finish(words, place)
    assert code == 0, said
    expected = digests(place / "whole")
    assert len(expected) > 50
    assert digests(place / f"killed{seed}") == expected
    for _ in range(killed):
        note("kills at random moments", Outcome.RIGHT)
