"""A distance in mm follows the size of the pixels, along each axis by itself."""

from __future__ import annotations

import numpy as np
import pytest

from s2s2.metrics import Comparison


def test_hd95_uses_spacing() -> None:
    mask, lower, righter = np.zeros((3, 40, 40), int)
    mask[10:20, 10:20], lower[14:24, 10:20], righter[10:20, 14:24] = 1, 1, 1
    spacing = (0.5, 3.0)
    assert Comparison(lower, mask, 2).hd95[0] == pytest.approx(4)
    assert Comparison(righter, mask, 2).hd95[0] == pytest.approx(4)
    assert Comparison(lower, mask, 2, spacing=spacing).hd95[0] == pytest.approx(4 * 0.5)
    # Along the rows the nearest border pixel of the moved block may lie above or below.
    assert (
        Comparison(righter, mask, 2, spacing=spacing).hd95[0]
        > 2 * Comparison(lower, mask, 2, spacing=spacing).hd95[0]
    )


@pytest.mark.parametrize("axis", range(3))
def test_every_axis_of_a_volume_has_its_own_spacing(axis: int) -> None:
    mask = np.zeros((30, 30, 30), int)
    mask[10:14, 10:14, 10:14] = 1
    moved = np.roll(mask, 4, axis=axis)
    spacing = (5.0, 0.8, 0.9)
    # From the far face of a block the nearest border is 4 voxels along the axis that it moved.
    pixels, mm = Comparison(moved, mask, 2), Comparison(moved, mask, 2, spacing=spacing)
    assert pixels.hd95[0] == 4
    assert mm.hd95[0] == pytest.approx(4 * spacing[axis])
    assert mm.assd[0] <= mm.hd95[0]


def test_the_tolerance_is_in_the_unit_of_the_spacing() -> None:
    mask, lower = np.zeros((2, 40, 40), int)
    mask[10:20, 10:20], lower[14:24, 10:20] = 1, 1
    assert Comparison(lower, mask, 2, tolerance=2).nsd[0] < 1
    assert Comparison(lower, mask, 2, spacing=(0.5, 0.5), tolerance=2).nsd[0] == 1
