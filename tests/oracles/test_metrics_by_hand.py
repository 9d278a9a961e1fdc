"""Metrics against tables that were worked out by hand, and against naive loops."""

from __future__ import annotations

import itertools
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
    # 10 there and 3 back, over all ten; the mean of the two means would be (10 / 6 + 3 / 4) / 2.
    assert result.assd[0] == pytest.approx(13 / 10)


def test_border_pixels_of_a_block_at_the_image_edge() -> None:
    # A block of 3 x 3 in the corner has 8 border pixels and one inner pixel, since the
    # image ends outside; the lone predicted pixel lies on the inner one.
    mask, prediction = np.zeros((2, 6, 6), int)
    mask[:3, :3], prediction[1, 1] = 1, 1
    result = Comparison(prediction, mask, 2, tolerance=1)
    # Back: four at 1, four at sqrt(2). 95th percentile of eight: sqrt(2). There: 1.
    assert result.hd95[0] == pytest.approx(math.sqrt(2))
    assert result.nsd[0] == pytest.approx((1 + 4) / (1 + 8))
    assert result.assd[0] == pytest.approx((1 + 4 + 4 * math.sqrt(2)) / (1 + 8))


def test_volume_error_of_three_classes() -> None:
    # Voxels of 2 x 0.5 x 1.5 mm are 1.5 mm3 each.
    mask, prediction = np.zeros((2, 3, 4, 5), int)
    mask[0, 0, :4], mask[1, 1, :3] = 1, 2
    prediction[2, 2, :2], prediction[1, 2, :5] = 1, 3
    result = Comparison(prediction, mask, 5, spacing=(2.0, 0.5, 1.5))
    # 4 and 2 voxels, wherever they are; 3 and none; none and 5; none at all.
    expected = [2 * 0.0015, 3 * 0.0015, 5 * 0.0015, math.nan]
    assert result.volume_error_ml.tolist() == pytest.approx(expected, nan_ok=True)
    assert result.status == ("scored", "missed", "false", "absent")


def naive_border(region: np.ndarray) -> list[tuple[int, ...]]:
    border = []
    for pixel in itertools.product(*map(range, region.shape)):
        for axis, step in itertools.product(range(region.ndim), (-1, 1)):
            other = tuple(place + step * (axis == along) for along, place in enumerate(pixel))
            outside = any(not 0 <= place < side for place, side in zip(other, region.shape, strict=True))
            if region[pixel] and (outside or not region[other]):
                border.append(pixel)
                break
    return border


def naive_distances(
    ours: list[tuple[int, ...]], theirs: list[tuple[int, ...]], step: tuple[float, ...]
) -> list[float]:
    return [
        min(
            math.sqrt(sum(((p - q) * size) ** 2 for p, q, size in zip(one, other, step, strict=True)))
            for other in theirs
        )
        for one in ours
    ]


def naive_values(
    prediction: np.ndarray, mask: np.ndarray, label: int, step: tuple[float, ...], tolerance: float
) -> tuple[float, float, float]:
    """HD95, NSD and ASSD of one class."""
    ours, theirs = naive_border(prediction == label), naive_border(mask == label)
    if not ours and not theirs:
        return math.nan, math.nan, math.nan
    if not ours or not theirs:
        diagonal = math.sqrt(sum((side * size) ** 2 for side, size in zip(mask.shape, step, strict=True)))
        return diagonal, 0, diagonal
    there, back = naive_distances(ours, theirs, step), naive_distances(theirs, ours, step)
    hd95 = max(np.percentile(there, 95), np.percentile(back, 95))
    within = sum(distance <= tolerance for distance in there + back)
    number = len(there) + len(back)
    return hd95, within / number, (sum(there) + sum(back)) / number


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("shape", "step"),
    [
        ((11, 14), (1.0, 1.0)),
        ((11, 14), (0.7, 1.9)),
        ((6, 7, 5), (1.0, 1.0, 1.0)),
        ((4, 7, 8), (3.1, 0.7, 0.9)),
        ((1, 7, 8), (5.0, 0.7, 0.7)),
    ],
)
def test_surfaces_equal_a_naive_loop(seed: int, shape: tuple[int, ...], step: tuple[float, ...]) -> None:
    # Class 1 and 2 are in both, 3 is missed, 4 is false and 5 is absent.
    rng = np.random.default_rng(seed)
    mask = rng.choice(4, p=[0.3, 0.4, 0.25, 0.05], size=shape)
    prediction = np.where(rng.random(shape) < 0.7, mask, rng.choice(3, size=shape))
    prediction[prediction == 3] = 4
    result = Comparison(prediction, mask, 6, spacing=step, tolerance=0.8)
    assert result.status[2:] == ("missed", "false", "absent")
    for label in range(1, 6):
        got = [values[label - 1] for values in (result.hd95, result.nsd, result.assd)]
        assert got == pytest.approx(naive_values(prediction, mask, label, step, 0.8), nan_ok=True)


@pytest.mark.parametrize("seed", range(3))
def test_overlap_of_a_volume_equals_a_naive_loop(seed: int) -> None:
    prediction, mask = np.random.default_rng(seed).integers(0, 4, (2, 5, 4, 6))
    prediction[prediction == 3] = 0
    result = Comparison(prediction, mask, 5, spacing=(5.0, 0.8, 0.9))
    for label in range(1, 5):
        tp = fp = fn = 0
        for ours, theirs in zip(prediction.flat, mask.flat, strict=True):
            tp += ours == theirs == label
            fp += ours == label != theirs
            fn += theirs == label != ours
        expected = [
            2 * tp / (2 * tp + fp + fn) if tp + fp + fn else math.nan,
            tp / (tp + fp + fn) if tp + fp + fn else math.nan,
            tp / (tp + fp) if tp + fp else math.nan,
            tp / (tp + fn) if tp + fn else math.nan,
            abs(fp - fn) * 5.0 * 0.8 * 0.9 / 1000 if tp + fp + fn else math.nan,
        ]
        metrics = (result.dice, result.iou, result.precision, result.recall, result.volume_error_ml)
        assert [values[label - 1] for values in metrics] == pytest.approx(expected, nan_ok=True)
