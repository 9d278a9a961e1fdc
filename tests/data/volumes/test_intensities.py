from __future__ import annotations

import numpy as np
import pytest

from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.intensities import Scaling, Statistics, looks_like_ct
from s2s2.errors import ConfigError


def measured(values: np.ndarray) -> Statistics:
    return Statistics.of(iter(values.astype(np.float32)), values.size)


def test_statistics_equal_a_plain_computation_and_count_what_is_missing() -> None:
    values = np.random.default_rng(0).normal(10, 3, (4, 8, 8))
    values[0, 0, :3] = [np.nan, np.inf, -np.inf]
    found = measured(values)
    finite = values[np.isfinite(values)].astype(np.float32)
    assert (found.low, found.high, found.missing) == (float(finite.min()), float(finite.max()), 3)
    assert not found.whole
    assert measured(np.arange(-8, 8).reshape(1, 4, 4)).whole


def test_a_window_clips_and_scales_as_by_hand() -> None:
    scaling = Scaling.of(measured(np.zeros((1, 2, 2))), "CT", VolumeConfig(window=(-100.0, 300.0)))
    assert scaling.pixels(np.array([-500, -100, 0, 100, 300, 900], np.float32)).tolist() == [
        0,
        0,
        16384,
        32768,
        65535,
        65535,
    ]


def test_percentiles_are_those_of_numpy() -> None:
    values = np.random.default_rng(1).gamma(2, 50, (3, 20, 20)).astype(np.float32)
    scaling = Scaling.of(measured(values), "MR", VolumeConfig(percentiles=(1.0, 99.0)))
    low, high = np.percentile(values, (1, 99))
    expected = np.rint(np.clip((values - low) / (high - low), 0, 1) * 65535)
    assert np.abs(scaling.pixels(values).astype(float) - expected).max() <= 1


def test_zscore_puts_the_mean_in_the_middle_and_eight_deviations_across() -> None:
    values = np.random.default_rng(2).normal(500, 40, (3, 30, 30)).astype(np.float32)
    config = VolumeConfig(intensities="zscore", percentiles=(0.0, 100.0))
    pixels = Scaling.of(measured(values), "", config).pixels(values) / 65535
    expected = (values - values.mean()) / values.std() / 8 + 0.5
    np.testing.assert_allclose(pixels, np.clip(expected, 0, 1), atol=1e-4)


def test_one_value_everywhere_becomes_black_without_a_warning() -> None:
    values = np.full((2, 4, 4), 7.0, np.float32)
    assert Scaling.of(measured(values), "MR", VolumeConfig()).pixels(values).max() == 0


@pytest.mark.parametrize(
    ("values", "modality", "expected"),
    [
        ([-1000, 40, 3000], "", True),
        ([-1000.5, 40, 3000], "", False),
        ([0, 40, 3000], "", False),
        ([0, 40, 3000], "CT", True),
        ([-1000, 40, 3000], "MR", False),
    ],
)
def test_ct_is_known_by_the_file_or_by_whole_numbers_from_air_on(
    values: list[float], modality: str, expected: bool
) -> None:
    assert looks_like_ct(measured(np.array([[values]])), modality) is expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": (5.0, 5.0)}, "--volumes.window takes a lower and an upper limit, got 5 and 5"),
        ({"percentiles": (99.0, 1.0)}, "--volumes.percentiles takes two numbers from 0 to 100"),
        ({"neighbours": -1}, "--volumes.neighbours must be at least 0, got -1"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        VolumeConfig(**options)  # type: ignore[arg-type]
