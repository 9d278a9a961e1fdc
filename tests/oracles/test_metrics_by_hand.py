"""Metrics against tables that were worked out by hand, and against naive loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from s2s2.metrics import Comparison

MASK = np.array(
    [
        [0, 1, 1, 0, 0],
        [0, 1, 1, 0, 2],
        [0, 0, 0, 2, 2],
        [3, 0, 0, 2, 2],
    ]
)
PREDICTION = np.array(
    [
        [0, 1, 1, 1, 0],
        [0, 1, 0, 2, 2],
        [0, 0, 0, 2, 2],
        [0, 0, 4, 2, 0],
    ]
)
# class: pixels in the mask, in the prediction, in both
# 1: 4, 4, 3    2: 5, 5, 4    3: 1, 0, 0    4: 0, 1, 0    5: 0, 0, 0
TABLE = {
    "dice": [6 / 8, 8 / 10, 0, 0, math.nan],
    "iou": [3 / 5, 4 / 6, 0, 0, math.nan],
    "precision": [3 / 4, 4 / 5, math.nan, 0, math.nan],
    "recall": [3 / 4, 4 / 5, 0, math.nan, math.nan],
}


@pytest.mark.parametrize("metric", TABLE)
def test_overlap_table(metric: str) -> None:
    result = Comparison(PREDICTION, MASK, 6)
    assert getattr(result, metric).tolist() == pytest.approx(TABLE[metric], nan_ok=True)
    assert result.status == ("scored", "scored", "missed", "false", "absent")


def test_surface_of_two_bars() -> None:
    # Bars of one row: every pixel is border. The mask covers columns 0 to 3, the
    # prediction 2 to 7. Prediction to mask: 0 0 1 2 3 4; mask to prediction: 2 1 0 0.
    mask, prediction = np.zeros((2, 3, 8), int)
    mask[1, 0:4], prediction[1, 2:8] = 1, 1
    # 95th percentile of six numbers: place 0.95 * 5 = 4.75, between 3 and 4.
    result = Comparison(prediction, mask, 2, tolerance=1)
    assert result.hd95[0] == pytest.approx(3.75)
    # Within 1: three of six and three of four.
    assert result.nsd[0] == pytest.approx(6 / 10)


def test_border_pixels_of_a_block_at_the_image_edge() -> None:
    # A block of 3 x 3 in the corner has 8 border pixels and one inner pixel, since the
    # image ends outside; the lone predicted pixel lies on the inner one.
    mask, prediction = np.zeros((2, 6, 6), int)
    mask[:3, :3], prediction[1, 1] = 1, 1
    result = Comparison(prediction, mask, 2, tolerance=1)
    # Back: four at 1, four at sqrt(2). 95th percentile of eight: sqrt(2). There: 1.
    assert result.hd95[0] == pytest.approx(math.sqrt(2))
    assert result.nsd[0] == pytest.approx((1 + 4) / (1 + 8))


def naive_border(region: np.ndarray) -> list[tuple[int, int]]:
    height, width = region.shape
    border = []
    for row, column in zip(*np.nonzero(region), strict=True):
        neighbours = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        if any(not (0 <= r < height and 0 <= c < width) or not region[r, c] for r, c in neighbours):
            border.append((int(row), int(column)))
    return border


def naive_distances(
    ours: list[tuple[int, int]], theirs: list[tuple[int, int]], step: tuple[float, float]
) -> list[float]:
    return [min(math.hypot((r - s) * step[0], (c - d) * step[1]) for s, d in theirs) for r, c in ours]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("step", [(1.0, 1.0), (0.7, 1.9)])
def test_surface_equals_a_naive_loop(seed: int, step: tuple[float, float]) -> None:
    rng = np.random.default_rng(seed)
    prediction, mask = (rng.random((2, 11, 14)) < 0.5).astype(int)
    ours, theirs = naive_border(prediction == 1), naive_border(mask == 1)
    there, back = naive_distances(ours, theirs, step), naive_distances(theirs, ours, step)
    result = Comparison(prediction, mask, 2, spacing=step, tolerance=0.8)
    assert result.hd95[0] == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    within = sum(distance <= 0.8 for distance in there + back)
    assert result.nsd[0] == pytest.approx(within / (len(there) + len(back)))
