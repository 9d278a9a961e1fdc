"""Counts, borders and distances of regions, whatever the slabs and the order in memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from s2s2 import regions
from s2s2.metrics import Comparison
from s2s2.regions import overlaps, surface_distances

SHAPE, STEP = (13, 11, 9), np.array([3.0, 0.7, 1.1])


@pytest.fixture
def maps() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 3, SHAPE).astype(np.uint8)
    return np.where(rng.random(SHAPE) < 0.6, mask, rng.integers(0, 3, SHAPE)).astype(np.uint8), mask


@pytest.mark.parametrize("slab", [1, 150, 500])
def test_the_size_of_the_slabs_changes_nothing(
    maps: tuple[np.ndarray, np.ndarray], slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = overlaps(*maps, 3), surface_distances(*maps, 2, STEP)
    monkeypatch.setattr(regions, "_SLAB", slab)
    np.testing.assert_array_equal(overlaps(*maps, 3), whole[0])
    for ours, expected in zip(surface_distances(*maps, 2, STEP), whole[1], strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_the_order_of_the_axes_changes_no_metric(
    maps: tuple[np.ndarray, np.ndarray], order: tuple[int, ...]
) -> None:
    expected = Comparison(*maps, 3, spacing=STEP.tolist())
    turned = [labels.transpose(order) for labels in maps]
    for pair in (turned, [np.ascontiguousarray(turned[0]), turned[1]], [labels[::-1] for labels in turned]):
        found = Comparison(*pair, 3, spacing=STEP[list(order)].tolist())
        for name in ("dice", "hd95", "nsd", "assd", "volume_error_ml"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)


def test_a_box_at_every_edge_of_the_grid_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "_SLAB", 40)
    for corner in np.ndindex(2, 2, 2):
        mask = np.zeros((6, 5, 4), np.uint8)
        block = tuple(slice(-3, None) if last else slice(0, 3) for last in corner)
        mask[block] = 1
        there, back = surface_distances(mask, mask, 1, np.ones(3))
        # All voxels of a block of 3 x 3 x 3 but the middle one.
        assert len(there) == len(back) == 26


def test_a_volume_is_scored_without_a_copy_of_it() -> None:
    shape = (60, 256, 256)
    mask = np.zeros(shape, np.uint8)
    mask[10:50, 40:200, 60:220], mask[20:30, 210:240, 20:50] = 1, 2
    prediction = np.roll(mask, (1, 2, 3), axis=(0, 1, 2))
    tracemalloc.start()
    pair = Comparison(prediction, mask, 3, spacing=(2.5, 0.8, 0.8))
    values = pair.dice, pair.hd95, pair.nsd, pair.assd, pair.volume_error_ml
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(values).all()
    assert peak < 3 * mask.size
