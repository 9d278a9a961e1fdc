"""Commands that are stopped or killed at work: one line, the right exit code, and no process left."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from s2s2.core.signals import STOPPED
from tests.drawn import draw_site
from tests.faults.commands import QUICK, finish, members, start, wait_for

pytestmark = [
    pytest.mark.fault("stopped and killed commands", "right"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
LONG = "100000"
ONE = ["train", "home", "--split", "split.json", "--arm", "baseline", "--output", "out", *QUICK]
RUN = ["run", "--data", "home", "--target", "away", "--output", "out", "--stack.depth", "2", *QUICK]
COMMANDS = {
    "train": ([*ONE, "--train.steps", LONG], "tensorboard/events*"),
    "train with workers": ([*ONE, "--train.steps", LONG, "--train.workers", "2"], "tensorboard/events*"),
    "stack": (
        ["stack", "home", "--split", "split.json", "--output", "out", "--depth", "3000", "--jobs", "2"],
        "manifest.json",
    ),
    "judges": (
        [*RUN, "--jobs", "2", "--arms", "s2s2", "--audit.jobs", "2", "--audit.steps", LONG],
        "judges/fold1/tensorboard/events*",
    ),
    "trainings": (
        [*RUN, "--jobs", "2", "--arms", "baseline", "duplicate", "--train.steps", LONG],
        "arms/duplicate/seed0/tensorboard/events*",
    ),
}
WAYS = {
    "SIGTERM": (signal.SIGTERM, False, 143),
    "SIGTERM to all": (signal.SIGTERM, True, 143),
    "SIGINT": (signal.SIGINT, False, 130),
    "Ctrl-C": (signal.SIGINT, True, 130),
    "SIGKILL": (signal.SIGKILL, False, -9),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    draw_site(tmp_path / "home", cases=16, seed=1)
    draw_site(tmp_path / "away", cases=4, seed=2)
    assert finish(["split", "home", "--output", "split.json"], tmp_path)[0] == 0
    return tmp_path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_stopped_command_leaves_one_line_and_no_process(place: Path, command: str, way: str) -> None:
    words, sign = COMMANDS[command]
    number, everyone, code = WAYS[way]
    process = start(words, place)
    wait_for(lambda: any((place / "out").glob(sign)), process)
    time.sleep(1)
    (os.killpg if everyone else os.kill)(process.pid, number)
    stopped = time.monotonic()
    said = process.communicate(timeout=30)[0]
    while left := members(process.pid):
        assert time.monotonic() - stopped < 5, left
        time.sleep(0.05)
    assert process.returncode == code
    assert "Traceback" not in said
    if number != signal.SIGKILL:
        assert said.count(STOPPED) == 1
        assert said.endswith(f"\n{STOPPED}\n")


def test_a_stopped_training_goes_on_to_the_same_weights(place: Path) -> None:
    words = [*ONE, "--train.steps", "60", "--train.validations", "6"]
    process = start(words, place)
    wait_for((place / "out" / "state.ckpt").exists, process)
    process.terminate()
    assert process.wait(30) == 143
    process.communicate()
    assert finish(words, place)[0] == 0
    whole = [word if word != "out" else "whole" for word in words]
    assert finish(whole, place)[0] == 0
    first, second = (
        (place / name / "network" / "weights.safetensors").read_bytes() for name in ("out", "whole")
    )
    assert first == second
