"""No Dice above 1, no distance beyond the image, whatever is compared."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from s2s2.metrics import Comparison

CLASSES = 4

PAIRS = array_shapes(min_dims=2, max_dims=3, max_side=9).flatmap(
    lambda shape: st.tuples(
        *[arrays(np.uint8, shape, elements=st.integers(0, CLASSES - 1)) for _ in range(2)]
    )
)


@settings(max_examples=150)
@given(PAIRS)
def test_overlap_lies_between_0_and_1(pair: tuple[np.ndarray, np.ndarray]) -> None:
    result, mirrored = Comparison(*pair, CLASSES), Comparison(*pair[::-1], CLASSES)
    for values in (result.dice, result.iou, result.precision, result.recall):
        assert np.nanmin(values, initial=0) >= 0
        assert np.nanmax(values, initial=0) <= 1
    assert (np.nan_to_num(result.iou) <= np.nan_to_num(result.dice)).all()
    np.testing.assert_array_equal(result.dice, mirrored.dice)
    np.testing.assert_array_equal(result.precision, mirrored.recall)
    np.testing.assert_array_equal(np.isnan(result.dice), [status == "absent" for status in result.status])


@settings(max_examples=80)
@given(PAIRS, st.tuples(*[st.floats(0.1, 5)] * 3))
def test_surface_lies_between_perfect_and_worst(
    pair: tuple[np.ndarray, np.ndarray], spacing: tuple[float, ...]
) -> None:
    step = spacing[: pair[0].ndim]
    result = Comparison(*pair, CLASSES, spacing=step)
    diagonal = np.linalg.norm(np.multiply(pair[0].shape, step))
    assert np.nanmin(result.nsd, initial=0) >= 0
    assert np.nanmax(result.nsd, initial=0) <= 1
    assert np.nanmax(result.hd95, initial=0) <= diagonal * (1 + 1e-12)
    assert np.nanmin(result.assd, initial=0) >= 0
    assert np.nanmax(result.assd, initial=0) <= diagonal * (1 + 1e-12)
    np.testing.assert_array_equal(np.isnan(result.hd95), np.isnan(result.nsd))
    np.testing.assert_array_equal(np.isnan(result.assd), np.isnan(result.nsd))


@settings(max_examples=80)
@given(PAIRS)
def test_a_volume_error_is_at_most_the_volume_and_flat_images_have_none(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    flat = pair[0].ndim == 2
    result = Comparison(*pair, CLASSES, spacing=(2.0,) * pair[0].ndim)
    errors = result.volume_error_ml
    np.testing.assert_array_equal(np.isnan(errors), [flat or found == "absent" for found in result.status])
    assert np.nanmin(errors, initial=0) >= 0
    assert np.nanmax(errors, initial=0) <= pair[0].size * 8 / 1000 * (1 + 1e-12)
    assert np.isnan(Comparison(*pair, CLASSES).volume_error_ml).all()
