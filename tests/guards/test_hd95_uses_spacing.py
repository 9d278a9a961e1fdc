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


def test_the_tolerance_is_in_the_unit_of_the_spacing() -> None:
    mask, lower = np.zeros((2, 40, 40), int)
    mask[10:20, 10:20], lower[14:24, 10:20] = 1, 1
    assert Comparison(lower, mask, 2, tolerance=2).nsd[0] < 1
    assert Comparison(lower, mask, 2, spacing=(0.5, 0.5), tolerance=2).nsd[0] == 1
