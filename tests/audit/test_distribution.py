"""KID and FID against naive loops and against what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from s2s2.audit.distribution import Sample, fid, kid


def sample(rows: int, groups: int, seed: int, shift: float = 0.0) -> Sample:
    rng = np.random.default_rng(seed)
    return Sample(rng.standard_normal((rows, 5)) + shift, np.arange(rows) % groups)


def by_loops(images: Sample, real: Sample) -> float:
    def mean_over_pairs(left: Sample, right: Sample) -> float:
        values = []
        for x, group in zip(*left, strict=True):
            for y, other in zip(*right, strict=True):
                if group != other:
                    values.append((sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3)
        return sum(values) / len(values)

    within = mean_over_pairs(images, images) + mean_over_pairs(real, real)
    return 1000 * (within - 2 * mean_over_pairs(images, real))


@pytest.mark.parametrize("rows", [(9, 6), (12, 4)])
def test_kid_is_what_naive_loops_give(rows: tuple[int, int]) -> None:
    images, real = sample(rows[0], 3, 0, shift=0.3), sample(rows[1], 3, 1)
    assert kid(images, real, draws=10, seed=0).mean == pytest.approx(by_loops(images, real))


def test_kid_of_copies_of_the_real_images_is_zero() -> None:
    real = sample(20, 5, 0)
    assert kid(real, real, draws=10, seed=0).mean == pytest.approx(0, abs=1e-9)


def test_kid_is_unbiased_where_nothing_differs() -> None:
    values = [
        kid(sample(12, 12, 2 * seed), sample(12, 12, 2 * seed + 1), draws=1, seed=0).mean
        for seed in range(200)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_kid_of_other_images_lies_above_its_interval_of_none() -> None:
    far = kid(sample(40, 20, 0, shift=1.0), sample(40, 20, 1), draws=200, seed=0)
    near = kid(sample(40, 20, 0), sample(40, 20, 1), draws=200, seed=0)
    assert far.low > near.high
    assert far.low < far.mean < far.high


def test_one_group_has_no_kid() -> None:
    assert np.isnan(kid(sample(4, 1, 0), sample(4, 1, 1), draws=5, seed=0).mean)


def test_fid_is_the_formula_with_a_matrix_root() -> None:
    images, real = sample(30, 3, 0, shift=0.5).features, sample(20, 3, 1).features
    left, right = np.cov(images, rowvar=False), np.cov(real, rowvar=False)
    gap = ((images.mean(0) - real.mean(0)) ** 2).sum()
    expected = gap + np.trace(left + right - 2 * np.real(sqrtm(left @ right)))
    assert fid(images, real) == pytest.approx(expected)


def test_fid_needs_two_images() -> None:
    assert np.isnan(fid(np.ones((1, 3)), np.ones((5, 3))))
