from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch.nn import functional

from s2s2.data.transforms.acquisition import (
    Acquisition,
    add_noise,
    blur,
    compress,
    lose_resolution,
    vignette,
)
from s2s2.data.transforms.config import AcquisitionConfig
from s2s2.errors import ConfigError

CALM = AcquisitionConfig(1.0, (0, 0), (1, 1), (0, 0), (100, 100), (0, 0))


def drawn(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def smooth(shape: tuple[int, int, int] = (3, 64, 64)) -> np.ndarray:
    image = ndimage.gaussian_filter(drawn(shape), (0, 3, 3))
    return (image - image.min()) / (image.max() - image.min())


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("sigma", [0.5, 1.3, 2.0])
def test_blur_is_the_gaussian_of_scipy(sigma: float) -> None:
    image = drawn((2, 40, 50))
    expected = ndimage.gaussian_filter(image, (0, sigma, sigma), mode="nearest")
    np.testing.assert_allclose(blur(image, sigma), expected, atol=2e-5)


def means_of_areas(target: int, source: int) -> np.ndarray:
    """Rows that average the source over the interval which each target pixel covers."""
    weights, step = np.zeros((target, source)), source / target
    for row in range(target):
        for column in range(source):
            weights[row, column] = max(0, min(column + 1, (row + 1) * step) - max(column, row * step)) / step
    return weights


@pytest.mark.parametrize("factor", [1.0, 1.7, 2.0, 4.0])
def test_resolution_is_lost_to_means_of_areas(factor: float) -> None:
    image = drawn((3, 36, 52))
    down, across = (means_of_areas(round(length / factor), length) for length in (36, 52))
    smaller = torch.from_numpy(down @ image @ across.T)
    expected = functional.interpolate(smaller[None], (36, 52), mode="bilinear", align_corners=False)[0]
    np.testing.assert_allclose(lose_resolution(image, factor), expected.numpy(), atol=2e-5)


def test_vignette_is_the_formula() -> None:
    image = np.ones((1, 5, 9), np.float32)
    dark = vignette(image, 0.4)
    for row in range(5):
        for column in range(9):
            y, x = (row - 2) / 2, (column - 4) / 4
            assert dark[0, row, column] == pytest.approx(1 - 0.2 * (y * y + x * x), abs=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_compression_loses_more_at_less_quality(channels: int) -> None:
    image = smooth((channels, 64, 64))
    errors = [float(np.abs(compress(image, quality) - image).mean()) for quality in (95, 50, 10)]
    assert 0 < errors[0] < errors[1] < errors[2] < 0.1


def test_noise_is_normal_of_the_given_deviation() -> None:
    image = np.full((3, 128, 128), 0.5, np.float32)
    noise = ((add_noise(image, 0.05, rng()) - image) / 0.05).ravel().astype(float)
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.std() == pytest.approx(1, abs=0.01)
    assert stats.kurtosis(noise) == pytest.approx(-0.3, abs=0.05)  # four dice: -1.2 / 4
    for quantile in (0.05, 0.25, 0.75, 0.95):
        assert np.quantile(noise, quantile) == pytest.approx(stats.norm.ppf(quantile), abs=0.05)
    rows = noise.reshape(3, 128, 128)
    assert abs(np.corrcoef(rows[0].ravel(), rows[1].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(rows[:, :, 1:].ravel(), rows[:, :, :-1].ravel())[0, 1]) < 0.03


def test_probability_zero_changes_nothing() -> None:
    image = drawn((3, 32, 32))
    np.testing.assert_array_equal(Acquisition(AcquisitionConfig(probability=0))(image, rng()), image)


def test_blur_grows_with_the_working_grid() -> None:
    config = dataclasses.replace(CALM, blur_px=(1.0, 1.0))
    image = drawn((1, 64, 64))
    own, given = (Acquisition(config, size)(image, rng()) for size in (None, 256))
    np.testing.assert_allclose(own, compress(blur(image, 0.5), 100), atol=1e-6)
    np.testing.assert_allclose(given, compress(blur(image, 2.0), 100), atol=1e-6)


def test_padding_stays_black() -> None:
    inside = np.zeros((48, 48), bool)
    inside[:30, :40] = True
    image = drawn((3, 48, 48)) * inside
    for seed in range(20):
        changed = Acquisition(AcquisitionConfig(probability=1.0))(image, rng(seed), inside)
        assert not changed[:, ~inside].any()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_result_stays_in_range(channels: int) -> None:
    for seed in range(20):
        image = drawn((channels, 40, 56), seed)
        before = image.copy()
        changed = Acquisition()(image, rng(seed))
        assert changed.shape == image.shape
        assert changed.dtype == np.float32
        assert changed.min() >= 0
        assert changed.max() <= 1
        np.testing.assert_array_equal(image, before)


def test_same_stream_same_bytes() -> None:
    image = drawn((3, 32, 32))
    first, again, other = (Acquisition()(image, rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(AcquisitionConfig)])
def test_every_option_is_read(field: str) -> None:
    image = smooth()
    value = {
        "probability": 0.0,
        "blur_px": (8.0, 8.0),
        "resolution": (8.0, 8.0),
        "noise": (0.2, 0.2),
        "quality": (5.0, 5.0),
        "vignette": (0.8, 0.8),
    }[field]
    calm = dataclasses.replace(CALM, quality=(20, 20)) if field == "probability" else CALM
    before = Acquisition(calm)(image, rng())
    after = Acquisition(dataclasses.replace(calm, **{field: value}))(image, rng())
    assert np.abs(before - after).max() > 0.02


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: AcquisitionConfig(quality=(0, 50)),
            r"AcquisitionConfig.quality .* within \[1, 100\], got \(0, 50\)",
        ),
        (lambda: AcquisitionConfig(probability=2.0), r"AcquisitionConfig.probability .* within \[0, 1\]"),
        (lambda: Acquisition(size=0), r"size must be at least 1 px or None, got 0"),
    ],
)
def test_options_that_cannot_be_used_are_named(build, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build()
