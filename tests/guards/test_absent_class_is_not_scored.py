"""A class that is in neither label map says nothing; a false alarm never scores well."""

from __future__ import annotations

import numpy as np
import pytest

from s2s2.metrics import METRICS, Comparison


def test_absent_class_is_not_scored() -> None:
    mask = np.zeros((16, 16), int)
    mask[4:8, 4:8] = 1
    result = Comparison(mask, mask, 3)
    assert result.status[1] == "absent"
    for metric in METRICS.values():
        assert np.isnan(metric.compute(result)[1])


@pytest.mark.parametrize("shape", [(16, 16), (12, 16, 16)])
def test_false_alarm_gets_the_worst_value(shape: tuple[int, ...]) -> None:
    mask = np.zeros(shape, int)
    prediction = mask.copy()
    prediction[4:8, 4:8] = 1
    result = Comparison(prediction, mask, 2)
    assert result.status == ("false",)
    assert (result.dice[0], result.iou[0], result.nsd[0]) == (0, 0, 0)
    assert result.hd95[0] == result.assd[0] == np.linalg.norm(shape)


@pytest.mark.parametrize("shape", [(16, 16), (12, 16, 16)])
def test_missed_object_gets_the_worst_value(shape: tuple[int, ...]) -> None:
    mask = np.zeros(shape, int)
    mask[4:8, 4:8] = 1
    result = Comparison(0 * mask, mask, 2)
    assert result.status == ("missed",)
    assert (result.dice[0], result.nsd[0]) == (0, 0)
    assert result.hd95[0] == result.assd[0] == np.linalg.norm(shape)
