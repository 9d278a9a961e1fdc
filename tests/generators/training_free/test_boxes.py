from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.errors import ConfigError
from s2s2.generators import Boxes, BoxesConfig
from tests.generators.made import drawn, split_of


def test_boxes_are_flat_and_never_on_the_mask(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = Boxes().fit(dataset, split_of(dataset))
    counts = set()
    for case in dataset.cases:
        image, mask = dataset.image(case), dataset.mask(case)
        for copy in generator.sample(case, 6, 0):
            changed = (copy != image).any(axis=0)
            assert not (changed & (mask > 0)).any()
            colours = {tuple(pixel) for pixel in copy[:, changed].T}
            assert len(colours) <= 3
            counts.add(len(colours))
    assert counts == {0, 1, 2, 3}


def test_boxes_have_the_sides_asked_for(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = Boxes(BoxesConfig(most=1, side=(0.25, 0.25))).fit(dataset, split_of(dataset))
    blank = dataset.cases[-1]
    sides = set()
    for copy in generator.sample(blank, 12, 0):
        rows, columns = np.nonzero((copy != dataset.image(blank)).any(axis=0))
        if rows.size:
            sides.add((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1))
    assert sides == {(12, 12)}  # a quarter of 48


def test_where_there_is_no_room_there_is_no_box(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    case = dataset.cases[0]
    image = dataset.image(case)
    covered = Boxes().restyle(image, np.ones(image.shape[1:], np.uint8), np.random.default_rng(1), case)
    np.testing.assert_array_equal(covered, image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"most": -1}, "most must be 0 or more, got -1"),
        ({"side": (0.0, 0.1)}, "side must be a range within 0 to 1"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BoxesConfig(**options)  # type: ignore[arg-type]
