"""Runs that are killed at random moments, again and again, end in the bytes of one that was not."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.faults.commands import finish, start
from tests.faults.killed import RUN, digests
from tests.faults.table import Note, Outcome

pytestmark = pytest.mark.slow
KILLS = 4


@pytest.mark.parametrize("seed", range(2))
def test_a_run_killed_again_and_again_ends_in_the_same_bytes(
    whole: tuple[Path, float], seed: int, note: Note
) -> None:
    place, seconds = whole
    rng, words = random.Random(seed), [*RUN, "--output", f"killed{seed}"]
    killed = 0
    for _ in range(2 * KILLS):
        if killed == KILLS:
            break
        process = start(words, place)
        try:
            process.communicate(timeout=rng.uniform(0.1, 0.9) * seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            killed += 1
        else:
            if killed:
                break
            # The machine has become faster since the whole run: once more from the start, and sooner.
            shutil.rmtree(place / f"killed{seed}")
            seconds /= 2
    assert killed
    code, said = finish(words, place)
    assert code == 0, said
    expected = digests(place / "whole")
    assert len(expected) > 50
    assert digests(place / f"killed{seed}") == expected
    for _ in range(killed):
        note("kills at random moments", Outcome.RIGHT)
