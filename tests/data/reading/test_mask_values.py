from __future__ import annotations

import numpy as np
import pytest

from s2s2.data.files import MaskFile
from s2s2.data.reading.mask_values import Levels, looks_soft, unpack


def test_values_are_counted() -> None:
    grey = np.array([[0, 7], [7, 7]], np.uint8)
    assert Levels.count(grey).counts == {0: 1, 7: 3}
    colours = np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8)
    assert Levels.count(colours).counts == {(1, 2, 3): 1, 9: 1}
    assert Levels.count(grey).grey
    assert not Levels.count(colours).grey


def test_codes_are_unpacked() -> None:
    assert unpack(0x010203) == (1, 2, 3)
    assert unpack(0x050505) == 5


@pytest.mark.parametrize(
    ("counts", "soft"),
    [
        ({0: 900, 1: 5, 3: 5, 252: 5, 255: 100}, True),  # compression: all near the ends
        ({0: 900, **dict.fromkeys(range(20, 240, 2), 1), 255: 200}, True),  # blur: too close to be labels
        ({0: 900, 255: 100}, False),
        ({0: 900, 1: 50, 255: 50}, False),  # three labels
        ({0: 900, 1: 5, 2: 5, 3: 5, 4: 5}, False),  # small ids
        ({0: 900, **dict.fromkeys(range(25, 256, 25), 5)}, False),  # evenly spaced codes
        ({0: 500, **dict.fromkeys(range(20, 240, 2), 20), 255: 200}, False),  # a photograph
        ({(1, 2, 3): 5, 0: 5}, False),
    ],
)
def test_soft_masks_are_told_from_labels(counts: dict[int, int], soft: bool) -> None:
    assert looks_soft(Levels(dict(counts))) is soft


def _levels(pixels: np.ndarray) -> Levels:
    return Levels.of(MaskFile(pixels))


def test_levels_on_edges_are_told_from_levels_that_fill_regions() -> None:
    fine = np.zeros((64, 64))
    rows, columns = np.mgrid[:64, :64]
    fine[(rows - 30) ** 2 + (columns - 34) ** 2 < 400] = 255
    drawn = fine.reshape(32, 2, 32, 2).mean((1, 3)).astype(np.uint8)  # four shares of a pixel: 5 levels
    assert len(np.unique(drawn)) == 5
    assert _levels(drawn).between == "edges"
    assert looks_soft(_levels(drawn))
    classes = (np.arange(32) // 7 * 63).astype(np.uint8)[None].repeat(32, 0)
    assert _levels(classes).between == "regions"
    assert not looks_soft(_levels(np.maximum(classes, drawn)))
    lines = np.zeros((32, 32), np.uint8)
    lines[4::8] = np.array([63, 126, 189, 255], np.uint8)[:, None]
    assert _levels(lines).between is None
    assert not looks_soft(_levels(lines))
    assert _levels(np.array([[0, 255]], np.uint8)).between is None
