"""A stack of depth n holds n copies a mask, the first among them, and training sees each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2s2.stack import PairedDataset, build_stack
from tests.stack.made import Echo, opened


def test_every_copy_is_kept_and_drawn(site: Path, tmp_path: Path) -> None:
    dataset, split = opened(site)
    generator = Echo()
    stack = build_stack(generator, dataset, split, tmp_path / "stack", depth=5, seed=0)
    pairs = PairedDataset(dataset.subset(split.train), stack, side=32)
    for index, case_id in enumerate(split.train):
        made = generator.sample(dataset.case(case_id), 5, 0)
        for number in range(5):
            assert np.abs(stack.copy(case_id, number) - made[number]).max() <= 0.5 / 255 + 1e-6
        for cycle in range(3):
            numbers = [pairs[index, epoch]["copy"] for epoch in range(5 * cycle, 5 * cycle + 5)]
            assert sorted(numbers) == [0, 1, 2, 3, 4]
