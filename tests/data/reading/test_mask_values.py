from __future__ import annotations

import numpy as np
import pytest

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
