"""A copy that was found wrong is not shown in training, unless the user says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.arms import get_arm
from s2s2.data import Dataset, split_by_group
from s2s2.stack import PairedDataset, build_stack
from s2s2.training import TrainConfig
from s2s2.training.data_module import PairModule
from tests.stack.made import Echo


@pytest.mark.parametrize("marked", ["leave-out", "mask", "keep"])
def test_marked_copies_are_not_trained_on(site: Path, tmp_path: Path, marked: str) -> None:
    dataset = Dataset.open(site, size=32)
    split = split_by_group(dataset, seed=0)
    stack = build_stack(Echo(), dataset, split, tmp_path / "stack", depth=3, seed=0)
    stack.write_marks({case_id: {1: ["memorised"], 2: ["unfaithful"]} for case_id in stack.ids})
    pairs = PairedDataset(dataset.subset(split.train), stack, side=32, marked=marked)  # type: ignore[arg-type]
    shown = {pairs[index, epoch]["copy"] for index in range(len(pairs)) for epoch in range(6)}
    assert shown == ({0, 1, 2} if marked == "keep" else {0})


def test_training_leaves_marked_copies_out_by_default(site: Path, tmp_path: Path) -> None:
    dataset = Dataset.open(site, size=32)
    split = split_by_group(dataset, seed=0)
    stack = build_stack(Echo(), dataset, split, tmp_path / "stack", depth=2, seed=0)
    stack.write_marks({case_id: {0: ["memorised"]} for case_id in stack.ids})
    module = PairModule(split.training(dataset), stack, get_arm("s2s2"), TrainConfig(workers=0), seed=0)
    assert {module.train.copy_number(case_id, epoch) for case_id in stack.ids for epoch in range(4)} == {1}
