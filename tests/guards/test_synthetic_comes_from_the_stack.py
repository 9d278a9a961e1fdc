"""The second view of a pair is a copy of the stack, and no jittered real image in its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.core.streams import stream
from s2s2.data.transforms.affine import PairedGeometry
from s2s2.stack import PairedDataset, Stack, build_stack
from tests.stack.made import Echo, opened


@pytest.fixture
def pairs(site: Path, tmp_path: Path) -> PairedDataset:
    dataset, split = opened(site)
    stack = build_stack(Echo(noise=0.2), dataset, split, tmp_path / "stack", depth=4, seed=0)
    return PairedDataset(dataset.subset(split.train), stack, side=32)


def test_synthetic_equals_a_stack_copy_after_the_same_geometry(pairs: PairedDataset) -> None:
    assert isinstance(pairs.stack, Stack)
    for index, case in enumerate(pairs.dataset):
        for epoch in range(6):
            item = pairs[index, epoch]
            image, mask = pairs.dataset.image(case), pairs.dataset.mask(case)
            copy = pairs.stack.copy(case.id, item["copy"])
            drawn = PairedGeometry(32)(image, copy, mask, stream(0, "geometry", case.id, epoch))
            np.testing.assert_array_equal(item["synthetic"].numpy(), drawn.synthetic)
            np.testing.assert_array_equal(item["image"].numpy(), drawn.image)
            assert np.abs(item["synthetic"].numpy() - item["image"].numpy()).mean() > 0.01
