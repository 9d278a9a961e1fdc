"""Random convolutions and curves, each against a naive loop."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from s2s2.data.transforms.styles import (
    BIAS,
    KNOTS,
    LAYERS,
    SLOPE,
    bend,
    moments,
    random_convolution,
    random_curve,
    standardised,
)


def naive_convolution(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The network pixel by pixel, drawn in the same order."""

    def standard(values: np.ndarray) -> np.ndarray:
        return (values - values.mean()) / (values.std() + 1e-4)

    start = layer = standard(image.astype(np.float64))
    channels, height, width = image.shape
    hidden = max(2, min(4, channels + 1))
    for number in range(LAYERS):
        out = channels if number == LAYERS - 1 else hidden
        wide = rng.random() < 0.5
        mixing = rng.standard_normal((out, len(layer))) / np.sqrt(len(layer))
        columns = rows = np.tile([0.0, 1.0, 0.0], (out, 1))
        if wide:
            columns, rows = rng.standard_normal((2, out, 3)) / np.sqrt(3)
        bias = BIAS * rng.standard_normal((out, 1, 1))
        result = np.zeros((out, height, width))
        for o, y, x, i, j in np.ndindex(out, height, width, 3, 3):
            row, column = min(max(y + i - 1, 0), height - 1), min(max(x + j - 1, 0), width - 1)
            mixed = sum(mixing[o, c] * layer[c, row, column] for c in range(len(layer)))
            result[o, y, x] += columns[o, i] * rows[o, j] * mixed
        result += bias
        layer = result if number == LAYERS - 1 else np.where(result > 0, result, SLOPE * result)
    share = np.float32(rng.random())
    return share * standard(layer) + (1 - share) * start


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_random_convolution_is_a_loop_over_pixels(channels: int, seed: int) -> None:
    image = np.random.default_rng(9).random((channels, 6, 5), np.float32)
    found = random_convolution(image, np.random.default_rng(seed))
    assert_allclose(found, naive_convolution(image, np.random.default_rng(seed)), atol=2e-5)


def test_kernels_of_both_sizes_are_drawn() -> None:
    # A kernel of one pixel gives equal pixels equal values; one of 3 x 3 looks at their neighbours.
    image = np.zeros((1, 9, 9), np.float32)
    image[0, 4, 4] = image[0, 0, 0] = 1
    local = [
        np.unique(random_convolution(image, np.random.default_rng(seed)).round(4)).size == 2
        for seed in range(60)
    ]
    assert 0 < sum(local) < 60


def test_a_curve_is_a_bezier_curve_solved_for_its_height() -> None:
    curve = random_curve(np.random.default_rng(5), inverted=False)
    (x1, x2), (y1, y2) = np.sort(np.random.default_rng(5).random((2, 2)), axis=1)
    for place, height in zip(np.linspace(0, 1, KNOTS), curve, strict=True):
        low, high = 0.0, 1.0
        for _ in range(50):  # bisection for the t of this place
            t = (low + high) / 2
            across = 3 * (1 - t) ** 2 * t * x1 + 3 * (1 - t) * t**2 * x2 + t**3
            low, high = (t, high) if across < place else (low, t)
        assert height == pytest.approx(3 * (1 - t) ** 2 * t * y1 + 3 * (1 - t) * t**2 * y2 + t**3, abs=2e-3)


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_is_monotone_from_end_to_end(seed: int) -> None:
    rising = random_curve(np.random.default_rng(seed), inverted=False)
    falling = random_curve(np.random.default_rng(seed), inverted=True)
    assert (np.diff(rising) >= 0).all()
    assert (rising[0], rising[-1]) == (0, 1)
    np.testing.assert_array_equal(falling, rising[::-1])


def test_bending_is_interpolation_between_darkest_and_brightest() -> None:
    image = np.random.default_rng(0).uniform(0.2, 0.7, (2, 5, 6)).astype(np.float32)
    curve = random_curve(np.random.default_rng(1), inverted=True)
    places = (image - image.min()) / (image.max() - image.min()) * (KNOTS - 1)
    expected = np.interp(places.ravel(), np.arange(KNOTS), curve).reshape(image.shape)
    assert_allclose(bend(image, curve), expected, atol=1e-5)


@pytest.mark.parametrize(("mean", "deviation"), [(0.5, 0.2), (0.9, 0.002), (-30.0, 4.0)])
def test_moments_and_standardising_are_those_of_double_precision(mean: float, deviation: float) -> None:
    image = np.random.default_rng(0).normal(mean, deviation, (3, 40, 50)).astype(np.float32)
    exact = image.astype(float)
    assert_allclose(moments(image), (exact.mean(), exact.std()), rtol=1e-5)
    assert_allclose(standardised(image), (exact - exact.mean()) / (exact.std() + 1e-4), atol=1e-3)


def test_an_image_of_one_colour_bends_to_one_colour() -> None:
    bent = bend(np.full((1, 4, 4), 0.3, np.float32), random_curve(np.random.default_rng(0), inverted=False))
    assert np.ptp(bent) == 0
    assert np.isfinite(standardised(bent)).all()
