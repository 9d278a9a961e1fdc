from __future__ import annotations

import math

import numpy as np
import pytest

from s2s2.errors import EvaluationError
from s2s2.report.volumes.choice import extent, fullest, slice_dice, stops, worst


def naive_dice(prediction: np.ndarray, mask: np.ndarray, classes: int) -> list[float]:
    found = []
    for ours, theirs in zip(prediction, mask, strict=True):
        values = []
        for label in range(1, classes):
            both = predicted = labelled = 0
            for a, b in zip(ours.ravel().tolist(), theirs.ravel().tolist(), strict=True):
                both += a == label and b == label
                predicted += a == label
                labelled += b == label
            if predicted + labelled:
                values.append(2 * both / (predicted + labelled))
        found.append(sum(values) / len(values) if values else math.nan)
    return found


def drawn(seed: int, slices: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Label maps of three classes; many slices are empty in one or in both."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, (2, slices, 4, 5)) * (rng.random((2, slices, 4, 5)) < 0.4)
    return tuple((labels * (rng.random((2, slices, 1, 1)) < 0.7)).astype(np.uint8))


@pytest.mark.parametrize("seed", range(6))
def test_the_dice_of_slices_is_that_of_a_loop(seed: int) -> None:
    prediction, mask = drawn(seed)
    np.testing.assert_allclose(slice_dice(prediction, mask, 3), naive_dice(prediction, mask, 3))


@pytest.mark.parametrize("seed", range(6))
def test_the_slices_are_those_of_a_loop(seed: int) -> None:
    prediction, mask = drawn(seed)
    sizes = [int((each > 0).sum()) for each in mask]
    assert extent(mask).tolist() == sizes
    middle = len(mask) // 2
    best = max(range(len(mask)), key=lambda number: (sizes[number], -abs(number - middle)))
    assert sizes[fullest(extent(mask))] == sizes[best]
    assert abs(fullest(extent(mask)) - middle) == abs(best - middle)
    dice, chosen = naive_dice(prediction, mask, 3), None
    for number, value in enumerate(dice):
        if math.isnan(value):
            continue
        seen = sizes[number] + int((prediction[number] > 0).sum())
        if chosen is None or (value, -seen) < chosen[:2]:
            chosen = (value, -seen, number)
    assert chosen is not None
    assert worst(slice_dice(prediction, mask, 3), extent(mask) + extent(prediction)) == chosen[2]


def test_an_invented_slice_is_the_worst() -> None:
    mask, prediction = np.zeros((2, 5, 4, 4), np.uint8)
    mask[1:3], prediction[1:3], prediction[4, 0, 0] = 1, 1, 1
    assert worst(slice_dice(prediction, mask, 2), extent(mask) + extent(prediction)) == 4


def test_other_classes_are_refused() -> None:
    with pytest.raises(EvaluationError, match="class ids"):
        slice_dice(np.full((1, 2, 2), 7), np.zeros((1, 2, 2), int), 3)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("most", [2, 4, 12])
def test_stops_span_what_holds_something(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    occupied = rng.random(int(rng.integers(1, 60))) < 0.3
    inside = np.flatnonzero(occupied) if occupied.any() else np.arange(len(occupied))
    always = rng.choice(inside, 2).tolist()
    found = stops(occupied, always, most)
    assert list(found) == sorted(set(found))
    assert set(always) <= set(found)
    assert len(found) <= most
    assert inside[0] <= found[0] <= found[-1] <= inside[-1]
    assert len(found) == min(most, inside[-1] - inside[0] + 1)


def test_stops_are_evenly_spaced() -> None:
    found = np.array(stops(np.ones(80, bool)))
    assert (found[0], found[-1], len(found)) == (0, 79, 12)
    assert np.ptp(np.diff(found)) <= 1
