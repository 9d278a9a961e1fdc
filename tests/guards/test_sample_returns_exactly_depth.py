"""A generator returns as many copies as were asked for, the first among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.generators import build_generator
from tests.generators.made import SPECS, drawn, split_of


@pytest.mark.parametrize("spec", SPECS)
def test_sample_returns_exactly_depth(spec: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = build_generator(spec).fit(dataset, split_of(dataset))
    for case in (dataset.cases[1], dataset.cases[-1]):  # with and without a foreground
        whole = generator.sample(case, 16, 0)
        assert len(whole) == 16
        for depth in (1, 5):
            np.testing.assert_array_equal(generator.sample(case, depth, 0), whole[:depth])
