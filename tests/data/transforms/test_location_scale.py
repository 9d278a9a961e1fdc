"""Location-scale views, each against a loop over pixels that draws in the same order."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from s2s2.data.transforms.config import SLAugConfig
from s2s2.data.transforms.location_scale import global_view, local_view
from s2s2.data.transforms.styles import KNOTS
from s2s2.errors import ConfigError


def bezier(place: float, across: np.ndarray, up: np.ndarray) -> float:
    """The height of the curve at a place, by bisection for its t."""
    low, high = 0.0, 1.0
    for _ in range(50):
        t = (low + high) / 2
        x = 3 * (1 - t) ** 2 * t * across[0] + 3 * (1 - t) * t**2 * across[1] + t**3
        low, high = (t, high) if x < place else (low, t)
    return 3 * (1 - t) ** 2 * t * up[0] + 3 * (1 - t) * t**2 * up[1] + t**3


def percentile(values: list[float], percent: float) -> float:
    values, place = sorted(values), percent / 100 * (len(values) - 1)
    left = min(int(place), len(values) - 2)
    return values[left] + (place - left) * (values[left + 1] - values[left])


def naive(values: list[float], rng: np.random.Generator, inverted: bool) -> list[float]:
    """Curve, factor and offset of a list of intensities, one after the other."""
    across, up = rng.random((2, 2))
    knots = [bezier(knot / (KNOTS - 1), across, up) for knot in range(KNOTS)]
    if inverted:
        knots = knots[::-1]
    low, high, bent = min(values), max(values), []
    for value in values:
        place = (value - low) / (high - low) * (KNOTS - 1)
        left = min(int(place), KNOTS - 2)
        bent.append(low + (high - low) * (knots[left] + (place - left) * (knots[left + 1] - knots[left])))
    factor = max(0.9, min(1.1, 1 + 0.1 * rng.standard_normal()))
    offset = 0.5 * rng.standard_normal()
    offset = max(-percentile(bent, 20), min(1 - percentile(bent, 80), offset))
    return [max(0.0, min(1.0, factor * value + offset)) for value in bent]


def drawn(channels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    image = (0.1 + 0.8 * rng.random((channels, 9, 7))).astype(np.float32)
    mask = rng.integers(0, 3, (9, 7)).astype(np.uint8)
    mask[mask == 2] = 4  # ids need not follow each other
    inside = np.ones((9, 7), bool)
    inside[-2:] = False
    image[:, ~inside] = 0
    return image, mask * inside, inside


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_a_global_view_is_a_loop_over_pixels(channels: int, padded: bool, seed: int) -> None:
    image, _, inside = drawn(channels)
    where = inside if padded else np.ones_like(inside)
    found = global_view(image, np.random.default_rng(seed), inside if padded else None)
    assert found.dtype == np.float32
    expected = naive(image[:, where].ravel().tolist(), np.random.default_rng(seed), inverted=False)
    assert_allclose(found[:, where].ravel(), expected, atol=4e-3)
    assert not found[:, ~where].any()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_a_local_view_is_a_loop_over_classes(channels: int, seed: int) -> None:
    image, mask, inside = drawn(channels)
    image[:, 0, 0] = 0.2  # too dark to change below
    config = SLAugConfig(threshold=0.2)
    found = local_view(image, mask, np.random.default_rng(seed), config, inside)
    rng, expected = np.random.default_rng(seed), np.zeros_like(image)
    for label in (0, 1, 4):
        region = inside & (mask == label)
        inverted = rng.random() < (0.5 if label else 1.0)
        expected[:, region] = np.reshape(
            naive(image[:, region].ravel().tolist(), rng, inverted), (channels, -1)
        )
    for place in np.ndindex(image.shape):
        if image[place] <= np.float32(0.2):
            expected[place] = image[place]
    assert_allclose(found, expected, atol=4e-3)
    assert_array_equal(found[:, 0, 0], image[:, 0, 0])


def test_a_global_view_keeps_the_order_of_intensities_and_a_class_alone_may_turn_it() -> None:
    image = np.linspace(0.3, 0.7, 64, dtype=np.float32).reshape(1, 8, 8)
    ones = np.ones((8, 8), np.uint8)
    rises = []
    for seed in range(60):
        assert (np.diff(global_view(image, np.random.default_rng(seed)).ravel()) >= -1e-6).all()
        background = local_view(image, 0 * ones, np.random.default_rng(seed)).ravel()
        assert (np.diff(background) <= 1e-6).all()
        steps = np.diff(local_view(image, ones, np.random.default_rng(seed)).ravel())
        assert (steps >= -1e-6).all() or (steps <= 1e-6).all()
        rises.append(bool(steps.sum() > 0))
    assert 15 < sum(rises) < 45


@pytest.mark.parametrize("image", [np.zeros((3, 4, 4), np.float32), np.ones((1, 4, 4), np.float32)])
def test_an_image_of_one_value_stays_finite(image: np.ndarray) -> None:
    mask = np.eye(4, dtype=np.uint8)
    for view in (
        global_view(image, np.random.default_rng(1)),
        local_view(image, mask, np.random.default_rng(1)),
    ):
        assert ((view >= 0) & (view <= 1)).all()
    nothing = np.zeros((4, 4), bool)
    assert not global_view(image, np.random.default_rng(1), nothing).any()
    assert not local_view(image, mask, np.random.default_rng(1), inside=nothing).any()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("inverted", 1.5, r"SLAugConfig\.inverted must be two numbers"),
        ("inverted_background", -0.1, r"SLAugConfig\.inverted_background"),
        ("threshold", 2.0, r"SLAugConfig\.threshold"),
        ("grid", 0, r"SLAugConfig\.grid is a number of cells, at least 1, got 0"),
    ],
)
def test_settings_that_cannot_work_are_refused(field: str, value: float, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SLAugConfig(**{field: value})
