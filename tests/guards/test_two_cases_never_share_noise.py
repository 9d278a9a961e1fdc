"""A seed gives every case and every copy chance of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data import Dataset
from s2s2.generators import build_generator
from tests.drawn import draw_site
from tests.generators.made import SPECS, split_of


@pytest.mark.parametrize("spec", SPECS)
def test_two_cases_never_share_noise(spec: str, tmp_path: Path) -> None:
    root = draw_site(tmp_path, cases=12, frames_per_group=1)
    for folder in ("images", "masks"):  # two cases that differ in nothing but their name
        Image.open(root / folder / "case_00.png").save(root / folder / "case_01.png")
    (root / "groups.csv").write_text(
        (root / "groups.csv").read_text().replace("case_01,group_1", "case_01,group_0")
    )
    dataset = Dataset.open(root, size=40)
    generator = build_generator(spec).fit(dataset, split_of(dataset))
    first, second = (generator.sample(dataset.case(name), 8, 0) for name in ("case_00", "case_01"))
    shared = sum(bool((copy == other).all()) for copy, other in zip(first, second, strict=True))
    # A copy without a box is the image itself: that happens to one in four, and by chance to both.
    assert shared <= (2 if spec == "boxes" else 0)
    assert len({copy.tobytes() for copy in first}) >= (4 if spec == "boxes" else 8)
    assert not np.array_equal(first, generator.sample(dataset.case("case_00"), 8, 1))
