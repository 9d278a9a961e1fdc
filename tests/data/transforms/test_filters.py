from __future__ import annotations

import math

import numpy as np
import pytest

from s2s2.data.transforms.filters import Band, bilinear, gaussian, separable


def dense(band: Band, source: int) -> np.ndarray:
    """Return the whole matrix, row by row."""
    matrix = np.zeros((band.target, source))
    rows = band.weights.reshape(-1, band.weights.shape[2])
    block = band.weights.shape[1]
    for row in range(band.target):
        first = band.first[row // block]
        matrix[row, first : first + rows.shape[1]] = rows[row]
    return matrix


def naive(target: int, source: int, reach: float, weigh) -> np.ndarray:
    matrix = np.zeros((target, source))
    for row in range(target):
        for column in range(source):
            away = abs((row + 0.5) * source / target - (column + 0.5))
            if away <= reach:
                matrix[row, column] = weigh(away)
        matrix[row] /= matrix[row].sum()
    return matrix


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 33, 70])
@pytest.mark.parametrize("sigma", [0.1, 0.3, 1.0, 2.7, 20.0])
def test_a_blur_is_the_naive_matrix(length: int, sigma: float) -> None:
    expected = naive(length, length, int(4 * sigma + 0.5), lambda away: math.exp(-(away**2) / sigma**2 / 2))
    np.testing.assert_allclose(dense(gaussian(length, sigma), length), expected, atol=1e-6)


@pytest.mark.parametrize("source", [1, 2, 9, 31, 64, 97])
@pytest.mark.parametrize("target", [1, 3, 16, 17, 50, 97])
def test_a_resampling_is_the_naive_matrix(target: int, source: int) -> None:
    width = max(1.0, source / target)
    expected = naive(target, source, width, lambda away: 1 - away / width)
    np.testing.assert_allclose(dense(bilinear(target, source), source), expected, atol=2e-6)


@pytest.mark.parametrize("length", [17, 128, 352])
@pytest.mark.parametrize("share", [0.001, 0.003, 0.015, 0.06, 0.3])
def test_no_weight_is_subnormal(length: int, share: float) -> None:
    coarse = max(1, round(length * share))
    for band in (gaussian(length, length * share), bilinear(coarse, length), bilinear(length, coarse)):
        assert (band.weights[band.weights != 0] > np.finfo(np.float32).tiny).all()


def test_columns_and_rows_are_filtered_by_their_own_band() -> None:
    image = np.random.default_rng(0).random((3, 40, 23), dtype=np.float32)
    down, across = bilinear(17, 40), gaussian(23, 1.5)
    expected = dense(down, 40) @ image @ dense(across, 23).T
    result = separable(image, down, across)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-5)
