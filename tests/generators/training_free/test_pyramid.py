from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from s2s2.generators.training_free.pyramid import collapse, expand, gaussian, laplacian, levels_for, reduce


def halved(line: list[float]) -> list[float]:
    """The binomial kernel by hand; the last value goes on."""
    line = line + line[-1:] if len(line) % 2 else line
    at = lambda i: line[min(max(i, 0), len(line) - 1)]  # noqa: E731
    return [(at(i - 1) + 3 * at(i) + 3 * at(i + 1) + at(i + 2)) / 8 for i in range(0, len(line), 2)]


def doubled(line: list[float]) -> list[float]:
    """Linear interpolation between pixel centres by hand."""
    at = lambda i: line[min(max(i, 0), len(line) - 1)]  # noqa: E731
    out = []
    for i in range(len(line)):
        out += [0.75 * at(i) + 0.25 * at(i - 1), 0.75 * at(i) + 0.25 * at(i + 1)]
    return out


def by_loops(plane: np.ndarray, step) -> np.ndarray:
    rows = np.array([step(list(row)) for row in plane])
    return np.array([step(list(column)) for column in rows.T]).T


@pytest.mark.parametrize("shape", [(6, 8), (5, 7), (1, 4), (3, 1), (1, 1)])
def test_reduce_and_expand_are_what_loops_give(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random((2, *shape), np.float32)
    small = reduce(image)
    np.testing.assert_allclose(small, [by_loops(plane, halved) for plane in image], atol=1e-6)
    large = expand(image, (2 * shape[0], 2 * shape[1]))
    np.testing.assert_allclose(large, [by_loops(plane, doubled) for plane in image], atol=1e-6)
    assert large.dtype == small.dtype == np.float32


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4), st.integers(0, 5))
def test_the_bands_sum_to_the_image(height: int, width: int, channels: int, levels: int) -> None:
    image = np.random.default_rng(height * width).random((channels, height, width), np.float32)
    bands = laplacian(gaussian(image, levels))
    assert len(bands) == levels + 1
    np.testing.assert_allclose(collapse(bands), image, atol=2e-6)


def test_flat_images_have_empty_bands() -> None:
    bands = laplacian(gaussian(np.full((1, 17, 30), 0.3, np.float32), 3))
    for band in bands[:-1]:
        np.testing.assert_allclose(band, 0, atol=1e-6)
    np.testing.assert_allclose(bands[-1], 0.3, atol=1e-6)


def test_levels_stop_at_the_coarsest_side() -> None:
    assert [levels_for(side, coarsest=8) for side in (4, 8, 15, 16, 100, 256)] == [0, 0, 0, 1, 3, 5]
