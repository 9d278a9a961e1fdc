from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from s2s2.report.pairs import seen_pairs
from s2s2.stack import PairedDataset
from tests.report.fake import Runs


@pytest.mark.parametrize("marked", ["keep", "leave-out", "mask"])
def test_the_pairs_are_those_of_the_training(
    marked: Literal["keep", "leave-out", "mask"], tmp_path: Path, run_of: Runs
) -> None:
    fake = run_of().copied(tmp_path)
    stack = fake.stack
    stack.write_marks({case: {number: ["unfaithful"] for number in range(7)} for case in stack.ids})
    config = replace(fake.config.train, marked=marked)
    shown = {pair.case: pair.panels[1].label for pair in seen_pairs(fake.train, stack, config, 1)}
    trained = PairedDataset(fake.train, stack, side=64, marked=marked, seed=1)
    assert shown == {case: f"copy {trained.copy_number(case, 0)}" for case in shown}
    assert (set(shown.values()) == {"copy 7"}) == (marked != "keep")


def test_a_case_without_copies_shows_its_real_image_twice(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of().copied(tmp_path)
    stack = fake.stack
    stack.write_marks({case: {number: ["memorised"] for number in range(8)} for case in stack.ids})
    pairs = seen_pairs(fake.train, stack, fake.config.train, 0)
    assert {pair.panels[1].label for pair in pairs} == {"real, again"}
