"""The arm to use is chosen by validation alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from s2s2.report.headline import advice
from s2s2.run.choice import arm_to_use
from s2s2.run.results import Results
from tests.report.fake import fake_run


def validated(run: Results, dice: dict[str, tuple[tuple[float, ...], ...]]) -> Results:
    """Give each arm and seed a history of validation Dice."""
    for arm, seeds in dice.items():
        for seed, values in enumerate(seeds):
            path = run.folder.training(arm, seed).history
            table = pd.read_csv(path).head(len(values))
            table["validation_dice"] = values
            table.to_csv(path, index=False)
    return Results.read(run.folder)


def test_the_best_mean_over_seeds_of_the_best_validation_is_taken(tmp_path: Path) -> None:
    run = validated(
        fake_run(tmp_path).results,
        {
            "baseline": ((0.1, 0.70, 0.2), (0.1, 0.60, 0.2)),
            "duplicate": ((0.9, 0.10, 0.2), (0.1, 0.31, 0.2)),
            "s2s2": ((0.1, 0.2, 0.50), (0.1, 0.1, 0.69)),
        },
    )
    choice = arm_to_use(run)
    assert choice is not None
    assert (choice.arm, choice.close) == ("baseline", ())
    assert choice.dice == pytest.approx({"baseline": 0.65, "duplicate": 0.605, "s2s2": 0.595})
    assert list(choice.dice) == ["baseline", "duplicate", "s2s2"]
    assert choice.folder == run.folder.training("baseline", 0).root.parent
    assert advice(run).startswith("Use the networks of baseline. On the validation images of home")
    assert "0.650 (duplicate 0.605, s2s2 0.595)" in advice(run)


def test_an_arm_that_is_about_as_good_is_named(tmp_path: Path) -> None:
    run = validated(
        fake_run(tmp_path, seeds=1).results,
        {"baseline": ((0.1, 0.5),), "duplicate": ((0.1, 0.694),), "s2s2": ((0.1, 0.70),)},
    )
    assert advice(run).endswith("duplicate is about as good.")
    run = validated(
        fake_run(tmp_path / "three", seeds=1).results,
        {"baseline": ((0.1, 0.696),), "duplicate": ((0.1, 0.694),), "s2s2": ((0.1, 0.70),)},
    )
    assert advice(run).endswith(" baseline and duplicate are about as good.")


def test_away_images_have_no_say(tmp_path: Path) -> None:
    run = fake_run(tmp_path, gains={"baseline": 0.0, "duplicate": 1.0, "s2s2": 0.0}).results
    before = arm_to_use(run)
    scores = pd.read_csv(run.folder.scores)
    scores["dice"] = np.where(scores["arm"] == "baseline", 1.0, 0.0)
    scores.to_csv(run.folder.scores, index=False)
    assert arm_to_use(Results.read(run.folder)) == before


def test_without_histories_there_is_no_choice(tmp_path: Path) -> None:
    fake = fake_run(tmp_path, seeds=1)
    for arm in fake.results.arms:
        fake.folder.training(arm, 0).history.unlink()
    run = Results.read(fake.folder)
    assert arm_to_use(run) is None
    assert advice(run) == ""
