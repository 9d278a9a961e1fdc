"""A class that is in neither label map says nothing; a false alarm never scores well."""

from __future__ import annotations

import numpy as np

from s2s2.metrics import Comparison


def test_absent_class_is_not_scored() -> None:
    mask = np.zeros((16, 16), int)
    mask[4:8, 4:8] = 1
    result = distances = Comparison(mask, mask, 3)
    assert result.status[1] == "absent"
    for values in (result.dice, result.iou, result.precision, result.recall, distances.hd95, distances.nsd):
        assert np.isnan(values[1])


def test_false_alarm_gets_the_worst_value() -> None:
    mask = np.zeros((16, 16), int)
    prediction = mask.copy()
    prediction[4:8, 4:8] = 1
    result = distances = Comparison(prediction, mask, 2)
    assert result.status == ("false",)
    assert (result.dice[0], result.iou[0], distances.nsd[0]) == (0, 0, 0)
    assert distances.hd95[0] == np.hypot(16, 16)


def test_missed_object_gets_the_worst_value() -> None:
    mask = np.zeros((16, 16), int)
    mask[4:8, 4:8] = 1
    result = distances = Comparison(0 * mask, mask, 2)
    assert result.status == ("missed",)
    assert (result.dice[0], distances.nsd[0], distances.hd95[0]) == (0, 0, np.hypot(16, 16))
