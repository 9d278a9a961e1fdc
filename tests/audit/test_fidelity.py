from __future__ import annotations

import math

import numpy as np
import pytest

from s2s2.audit.fidelity import FidelityRule, agreement


def test_agreement_counts_the_classes_of_the_mask_alone() -> None:
    mask = np.array([[1, 1, 0, 0], [1, 1, 0, 0]], np.uint8)
    perfect = agreement(mask, mask, 3)
    assert perfect.mean == 1
    assert math.isnan(perfect.classes[1])
    half = mask.copy()
    half[0] = 2
    found = agreement(half, mask, 3)
    assert found.mean == found.classes[0] == pytest.approx(2 * 2 / (2 + 4))
    assert math.isnan(found.classes[1])


def test_a_mask_without_foreground_agrees_by_its_background() -> None:
    mask = np.zeros((4, 4), np.uint8)
    predicted = mask.copy()
    predicted[0, 0] = 1
    assert agreement(predicted, mask, 2).mean == 15 / 16


def test_the_drop_is_what_naive_loops_give() -> None:
    readings = np.random.default_rng(0).random((7, 4))
    falls = []
    for row in readings:
        for place, value in enumerate(row):
            others = [other for number, other in enumerate(row) if number != place]
            falls.append(sum(others) / len(others) - value)
    rule = FidelityRule.fit(readings, 0.1)
    assert rule.drop == pytest.approx(np.quantile(falls, 0.9), abs=1e-6)
    assert rule.agreement == pytest.approx(np.median(readings[:, 0]), abs=1e-6)


def test_about_the_quantile_of_true_images_is_marked() -> None:
    rng = np.random.default_rng(0)
    cases = rng.uniform(0.2, 0.9, 300)
    readings = cases[:, None] + 0.05 * rng.standard_normal((300, 5))
    rule = FidelityRule.fit(readings, 0.05)
    fresh = cases + 0.05 * rng.standard_normal(300)
    marked = rule.unfaithful(fresh, readings.mean(axis=1))
    assert 0.01 < marked.mean() < 0.06


def test_a_case_that_is_hard_is_its_own_measure() -> None:
    rule = FidelityRule(drop=0.2, agreement=0.8)
    assert not rule.unfaithful(np.array([0.1, 0.3]), 0.25).any()
    assert rule.unfaithful(np.array([0.1, 0.3, 0.75, 0.85]), 0.9).tolist() == [True, True, False, False]
    # Read far below its own image, yet as well as most real images are.
    assert rule.unfaithful(np.array([0.7, 0.81]), 1.05).tolist() == [True, False]
