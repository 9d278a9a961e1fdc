from __future__ import annotations

import math
import time

import numpy as np
import pytest

from s2s2.errors import EvaluationError, ShapeError
from s2s2.metrics import METRICS, Comparison

NAN = math.nan


def label_map(text: str) -> np.ndarray:
    return np.array([[int(letter) for letter in row] for row in text.split()])


def test_every_class_but_the_background_has_one_entry() -> None:
    result = Comparison(label_map("0123"), label_map("0123"), 5)
    assert result.dice.tolist()[:3] == [1, 1, 1]
    assert math.isnan(result.dice[3])
    assert result.status == ("scored", "scored", "scored", "absent")


@pytest.mark.parametrize(
    ("prediction", "mask", "status", "values"),
    [
        ("0110", "0110", "scored", (1, 1, 1, 1)),
        ("1110", "0111", "scored", (2 / 3, 1 / 2, 2 / 3, 2 / 3)),
        ("1000", "0110", "scored", (0, 0, 0, 0)),
        ("0000", "0110", "missed", (0, 0, NAN, 0)),
        ("0110", "0000", "false", (0, 0, 0, NAN)),
        ("0000", "0000", "absent", (NAN, NAN, NAN, NAN)),
    ],
)
def test_overlap_of_one_class(
    prediction: str, mask: str, status: str, values: tuple[float, float, float, float]
) -> None:
    result = Comparison(label_map(prediction), label_map(mask), 2)
    got = [result.dice[0], result.iou[0], result.precision[0], result.recall[0]]
    assert got == pytest.approx(values, nan_ok=True)
    assert result.status == (status,)


@pytest.mark.parametrize(
    ("prediction", "mask", "hd95", "nsd"),
    [
        ("000 000 000", "000 010 000", 5 * math.hypot(3, 3), 0),
        ("000 010 000", "000 000 000", 5 * math.hypot(3, 3), 0),
        ("000 000 000", "000 000 000", NAN, NAN),
        ("000 010 000", "000 010 000", 0, 1),
    ],
)
def test_surface_of_an_empty_class(prediction: str, mask: str, hd95: float, nsd: float) -> None:
    result = Comparison(label_map(prediction), label_map(mask), 2, spacing=(5.0, 5.0))
    assert result.hd95[0] == pytest.approx(hd95, nan_ok=True)
    assert result.nsd[0] == pytest.approx(nsd, nan_ok=True)


def test_the_diagonal_is_that_of_the_image_in_mm() -> None:
    mask = np.zeros((30, 40), int)
    mask[3, 3] = 1
    assert Comparison(0 * mask, mask, 2).hd95[0] == pytest.approx(50)
    assert Comparison(0 * mask, mask, 2, spacing=(2.0, 1.0)).hd95[0] == pytest.approx(math.hypot(60, 40))
    volume = np.stack([mask] * 5)
    missed = Comparison(0 * volume, volume, 2, spacing=(10.0, 2.0, 1.0))
    assert missed.hd95[0] == missed.assd[0] == pytest.approx(math.sqrt(50**2 + 60**2 + 40**2))


def test_a_volume_needs_its_spacing_for_a_volume_error() -> None:
    mask = np.zeros((2, 4, 4), int)
    mask[0, :2] = 1
    assert Comparison(0 * mask, mask, 2, spacing=(5.0, 10.0, 10.0)).volume_error_ml[0] == pytest.approx(4)
    assert math.isnan(Comparison(0 * mask, mask, 2).volume_error_ml[0])
    assert math.isnan(Comparison(0 * mask[0], mask[0], 2, spacing=(10.0, 10.0)).volume_error_ml[0])


def test_what_is_compared_by_default_stays_a_choice_of_few() -> None:
    assert [name for name, metric in METRICS.items() if metric.tested] == ["dice", "hd95", "nsd"]
    assert [METRICS[name].sign for name in ("assd", "volume_error_ml")] == [-1, -1]
    assert [METRICS[name].surface for name in ("assd", "volume_error_ml")] == [True, False]


def test_a_distance_of_exactly_the_tolerance_is_forgiven() -> None:
    prediction, mask = np.zeros((2, 20, 20), int)
    prediction[5:9, 5:9], mask[5:9, 8:12] = 1, 1
    assert Comparison(prediction, mask, 2, tolerance=3).nsd[0] == 1
    assert Comparison(prediction, mask, 2, tolerance=2.9).nsd[0] < 1
    # 0.1 * 3 is a little more than 0.3 in floating point.
    assert Comparison(prediction, mask, 2, spacing=(0.1, 0.1), tolerance=0.3).nsd[0] == 1


def test_without_foreground_classes_nothing_is_measured() -> None:
    mask = np.zeros((4, 4), int)
    assert Comparison(mask, mask, 1).dice.shape == (0,)
    assert Comparison(mask, mask, 1).hd95.shape == (0,)


@pytest.mark.parametrize("classes", [1, 2, 5, 256, 300])
def test_pixels_are_counted_as_a_loop_counts_them(classes: int) -> None:
    rng = np.random.default_rng(classes)
    prediction, mask = rng.integers(0, classes, (2, 30, 40))
    expected = np.zeros((3, classes))
    for ours, theirs in zip(prediction.flat, mask.flat, strict=True):
        expected[0, ours] += ours == theirs
        expected[1, ours] += 1
        expected[2, theirs] += 1
    np.testing.assert_array_equal(Comparison(prediction, mask, classes).counts, expected[:, 1:])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint64, np.int64])
def test_any_integer_type_counts_alike(dtype: type) -> None:
    labels = (np.arange(256).reshape(16, 16) % 200).astype(dtype)
    assert Comparison(labels, labels, 200).dice.min() == 1


def test_shapes_must_agree() -> None:
    mask = np.zeros((4, 5), int)
    with pytest.raises(
        ShapeError, match=r"one shape, .* got \(4, 4\) and \(4, 5\)\. Take the prediction back"
    ):
        Comparison(mask[:, :4], mask, 2)
    for shape in ((4,), (1, 2, 4, 5)):
        with pytest.raises(ShapeError, match=r"\(height, width\) or \(slice, height, width\), got"):
            Comparison(np.zeros(shape, int), np.zeros(shape, int), 2)


def test_class_ids_must_lie_in_the_range() -> None:
    mask = np.zeros((4, 5), int)
    with pytest.raises(
        EvaluationError, match=r"prediction holds class ids from 2 to 2, but there are 2 classes"
    ):
        Comparison(mask + 2, mask, 2)
    with pytest.raises(EvaluationError, match="mask holds class ids from -1 to -1"):
        Comparison(mask, mask - 1, 2)


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -1.0), (math.inf, 1.0), (1.0,)])
def test_spacing_must_be_one_positive_number_for_each_axis(spacing: tuple[float, float]) -> None:
    mask = np.zeros((4, 5), int)
    with pytest.raises(EvaluationError, match=r"spacing is .* must be 2 numbers in mm, all above 0, one"):
        Comparison(mask, mask, 2, spacing=spacing)
    with pytest.raises(EvaluationError, match=r"must be 3 numbers in mm.* of shape \(1, 4, 5\)"):
        Comparison(mask[None], mask[None], 2, spacing=spacing)


@pytest.mark.parametrize("tolerance", [-1.0, math.nan])
def test_tolerance_must_not_be_negative(tolerance: float) -> None:
    mask = np.zeros((4, 5), int)
    with pytest.raises(EvaluationError, match="tolerance of the surface Dice is"):
        Comparison(mask, mask, 2, tolerance=tolerance)


def test_surface_of_192_px_is_quick() -> None:
    rows, columns = np.mgrid[:192, :192]
    prediction = ((rows - 90) ** 2 + (columns - 90) ** 2 < 60**2).astype(int)
    mask = ((rows - 100) ** 2 + (columns - 95) ** 2 < 55**2).astype(int)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        Comparison(prediction, mask, 2)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.010
