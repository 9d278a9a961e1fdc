"""Kills inside every stage of a run, and inside commands for one stage: all end in the same bytes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.drawn import draw_site
from tests.faults.commands import finish
from tests.faults.killed import NETWORK, RUN, Inside, digests, killed_inside
from tests.faults.table import Note, Outcome

pytestmark = pytest.mark.slow
SEED = "arms/s2s2/seed0"
TRIES = 6
"""How often to begin again where the kill came after the end."""


STAGES = {
    "check": Inside("check  ", "split  ", 0.15),
    "split": Inside("split  ", "judges  ", 0.15),
    "judges": Inside("judges  ", "tune  ", 2),
    "tune": Inside("tune  ", "stack  ", 0.25),
    "stack": Inside("stack  ", "audit  ", 0.15),
    "audit": Inside("audit  ", "train  ", 1.5),
    "train": Inside(f"{SEED}/fit.json", f"{SEED}/predictions/home/", 1),
    "predict": Inside(f"{SEED}/predictions/home/", f"{SEED}/predictions/away/predictions.json", 0.1),
    "evaluate": Inside(f"{SEED}/predictions/away/predictions.json", "s2s2@diffusion seed", 0.05),
    "compare": Inside("compare  ", "report  ", 0.15),
    "report": Inside("report  ", "Report: ", 0.7),
}
"""The stages in their order: what comes before one is done when it is killed."""


@pytest.mark.parametrize("seed", range(2))
def test_a_run_killed_in_every_stage_ends_in_the_same_bytes(
    whole: tuple[Path, float], seed: int, note: Note
) -> None:
    place, output, rng = whole[0], f"stages{seed}", random.Random(seed)
    # A kill that came after the end of its stage is a kill in the next one, and does not count.
    inside = [name for name, stage in STAGES.items() if killed_inside(RUN, place, output, stage, rng)]
    assert len(inside) > len(STAGES) / 2
    code, said = finish([*RUN, "--output", output], place)
    assert code == 0, said
    assert "Traceback" not in said
    assert digests(place / output) == digests(place / "whole")
    assert (place / output / "report.html").read_text().rstrip().endswith("</html>")
    for name in inside:
        note(f"kills in a stage: {name}", Outcome.RIGHT)


ONE = ["home", "--split", "whole/split.json", "--size", "32"]
TRAINED = [*ONE, "--stack", "whole/stack", "--train.steps", "12", "--train.images_per_step", "4"]
COMMANDS: dict[str, tuple[list[str], Inside]] = {
    "stack": (["stack", *ONE, "--depth", "200", "--jobs", "1"], Inside(" %", "synthetic images each", 0.5)),
    "train": (["train", *TRAINED, "--train.validations", "6", *NETWORK[:2]], Inside(" %", " after ", 1)),
    "predict": (["predict", f"whole/{SEED}/network", "many"], Inside(" %", "predictions, ", 0.2)),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_killed_at_work_ends_in_the_same_bytes(
    whole: tuple[Path, float], command: str, note: Note
) -> None:
    place, rng, kills = whole[0], random.Random(0), 0
    words, stage = COMMANDS[command]
    draw_site(place / "many", cases=200, seed=3, shape=(40, 40))
    for _ in range(TRIES):
        if killed_inside(words, place, command, stage, rng):
            kills += 1
        else:
            shutil.rmtree(place / command)
        if kills == 2:
            break
    assert kills == 2
    for output in (command, f"{command}-whole"):
        code, said = finish([*words, "--output", output], place)
        assert code == 0, said
    expected = digests(place / f"{command}-whole")
    assert expected
    assert digests(place / command) == expected
    for _ in range(kills):
        note(f"kills in a command: {command}", Outcome.RIGHT)
