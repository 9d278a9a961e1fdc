"""The same command given twice at once: both end, and what they leave is what one would have left."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from tests.faults.commands import finish, start
from tests.faults.killed import DIFFUSION, NETWORK, RUN, digests
from tests.faults.table import Ended, Note, Outcome, judge

pytestmark = pytest.mark.slow
KIND = "two commands at once"
AT_WORK = "Another process is at work in"
OUT = "OUT"
"""Stands for the output in the words of a command."""
ONE = ["home", "--split", "whole/split.json", "--size", "32"]
STEPS = ["--train.steps", "8", "--train.images_per_step", "4", "--train.validations", "2", *NETWORK[:2]]
JUDGES = [word for word in RUN[RUN.index("--audit.folds") :] if word not in NETWORK[:2]]
SEED = "whole/arms/s2s2/seed0"
COMMANDS: dict[str, list[str]] = {
    "split": ["split", "home", "--output", OUT],
    "tune": ["tune", *ONE, "--generator", DIFFUSION, *JUDGES, "--output", OUT],
    "stack": ["stack", *ONE, "--depth", "3", "--jobs", "1", "--output", OUT],
    "audit": ["audit", OUT, "--data", "home", "--split", "whole/split.json", *JUDGES],
    "train": ["train", *ONE, "--stack", "whole/stack", *STEPS, "--output", OUT],
    "predict": ["predict", f"{SEED}/network", "home", "--output", OUT],
    "evaluate": ["evaluate", f"{SEED}/predictions/home", *ONE[:3], "--part", "test", "--output", OUT],
    "compare": ["compare", "whole/scores.csv", "--output", OUT],
    "export": ["export", "nnunet", "whole/stack", *ONE[:3], "--output", OUT],
    "report": ["report", OUT],
    "run": [*RUN, "--output", OUT],
}
MADE_IN = {"audit": "whole/stack", "report": "whole"}
"""What a command adds to: it gets a copy of this."""
ADDS = {"audit": ["audit"], "report": ["report.html"]}
"""What a command adds; the copy has none yet."""
NAMES = {"split": "split.json", "evaluate": "scores.csv", "compare": "c.csv", "export": "Dataset002_Copies"}
"""How an output is named where the name says what it is."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_given_twice_at_once_leaves_what_one_leaves(
    whole: tuple[Path, float], command: str, note: Note
) -> None:
    place, rng = whole[0], random.Random(0)
    alone = _output(place, command, "alone")
    assert finish(_words(command, alone), place)[0] == 0
    ended: list[Ended] = []
    left: list[dict[str, str]] = []
    for number in range(2):
        output = _output(place, command, f"together{number}")
        first = start(_words(command, output), place)
        time.sleep(rng.uniform(0, 0.3))
        second = start(_words(command, output), place)
        for process in (first, second):
            said = process.communicate(timeout=300)[0]
            ended.append(Ended(process.returncode, said))
        assert 0 in {each.code for each in ended[-2:]}, ended
        left.append(_left(command, output))
    for each in ended:
        outcome = judge(each, named=(AT_WORK,), right=lambda: left == 2 * [_left(command, alone)])
        assert outcome in (Outcome.RIGHT, Outcome.REFUSED), each
        note(KIND, outcome)


def _output(place: Path, command: str, which: str) -> Path:
    """Return where a command writes to, with what it adds to; a run lies beside its data."""
    output = place / f"{command}-{which}"
    if command in MADE_IN:
        shutil.copytree(place / MADE_IN[command], output, ignore=shutil.ignore_patterns(*ADDS[command]))
    if command in NAMES:
        output.mkdir()
    return output / NAMES.get(command, "")


def _words(command: str, output: Path) -> list[str]:
    return [str(output) if word == OUT else word for word in COMMANDS[command]]


def _left(command: str, output: Path) -> dict[str, str]:
    """Return the digests of what a command left, none of it unfinished."""
    folder = output.parent if command in NAMES else output
    assert not list(folder.rglob(".*.part*"))
    for name in ADDS.get(command, ()):
        assert (folder / name).exists()
    if command == "report":
        assert (folder / "report.html").read_text().rstrip().endswith("</html>")
    found = digests(folder)
    assert found
    return found
