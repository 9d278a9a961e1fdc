from __future__ import annotations

import numpy as np
import pytest

from s2s2.audit.memorisation import MemorisationRule, nearest, structural_similarity


def by_loops(distance: np.ndarray, groups: np.ndarray) -> list[tuple[int, float, float]]:
    found = []
    for row in distance:
        place = min(range(len(row)), key=lambda number: row[number])
        second = min(
            (value for value, group in zip(row, groups, strict=True) if group != groups[place]),
            default=np.inf,
        )
        found.append((place, row[place], second))
    return found


def test_the_nearest_of_two_groups_is_what_naive_loops_give() -> None:
    rng = np.random.default_rng(0)
    distance, groups = rng.random((20, 9)), rng.integers(4, size=9)
    found = nearest(distance, groups)
    assert list(zip(*found, strict=True)) == by_loops(distance, groups)
    assert found.ratio == pytest.approx(found.first / found.second)
    assert ((found.ratio >= 0) & (found.ratio <= 1)).all()


def test_a_single_group_has_no_second() -> None:
    found = nearest(np.array([[0.2, 0.1]]), np.zeros(2, np.intp))
    assert found.second[0] == np.inf
    assert found.ratio[0] == 0


def test_the_line_lies_between_copies_and_real_images() -> None:
    real, relighted = np.linspace(0.8, 1.0, 21), np.linspace(0.2, 0.5, 21)
    rule = MemorisationRule.fit(real, relighted, np.full((4, 2), 0.1), 0.05)
    assert np.quantile(relighted, 0.95) < rule.ratio < np.quantile(real, 0.05)


def test_the_line_never_marks_more_real_images_than_asked_for() -> None:
    real = np.linspace(0.2, 1.0, 41)
    rule = MemorisationRule.fit(real, np.full(5, 0.9), np.full((4, 2), 0.1), 0.05)
    assert (real < rule.ratio).mean() <= 0.05


def test_a_generator_that_keeps_the_geometry_is_judged_by_distance() -> None:
    rule = MemorisationRule(ratio=0.7, duplicate=0.1)
    first, second = np.array([0.05, 0.3, 0.3, 0.5]), np.full(4, 0.6)
    nobody, own = np.zeros(4, bool), np.array([True, True, False, True])
    assert rule.memorised(first, second, excused=nobody).tolist() == [True, True, True, False]
    assert rule.memorised(first, second, excused=own).tolist() == [True, False, True, False]


def test_ssim_is_one_for_the_image_itself_and_falls_with_noise() -> None:
    rng = np.random.default_rng(0)
    real = rng.random((3, 40, 24), dtype=np.float32)
    noisy = [real + scale * rng.standard_normal(real.shape).astype(np.float32) for scale in (0, 0.05, 0.3)]
    values = structural_similarity(np.clip(np.stack(noisy), 0, 1), real, 64)
    assert values[0] == pytest.approx(1, abs=1e-5)
    assert values[0] > values[1] > values[2]


def test_ssim_of_a_window_is_the_formula() -> None:
    """One channel, one window of 7 x 7: means, variances and covariance with Gaussian weights."""
    rng = np.random.default_rng(1)
    x, y = rng.random((2, 7, 7))
    line = np.exp(-((np.arange(7) - 3) ** 2) / (2 * 1.5**2))
    weights = np.outer(line, line) / line.sum() ** 2
    mean = [float((weights * image).sum()) for image in (x, y)]
    variance = [float((weights * image**2).sum()) - m**2 for image, m in zip((x, y), mean, strict=True)]
    both = float((weights * x * y).sum()) - mean[0] * mean[1]
    expected = (2 * mean[0] * mean[1] + 1e-4) * (2 * both + 9e-4)
    expected /= (mean[0] ** 2 + mean[1] ** 2 + 1e-4) * (variance[0] + variance[1] + 9e-4)
    found = structural_similarity(x[None, None].astype(np.float32), y[None].astype(np.float32), 64)
    assert found[0] == pytest.approx(expected, abs=1e-4)


def test_an_image_below_the_window_has_no_ssim() -> None:
    assert np.isnan(
        structural_similarity(np.zeros((2, 1, 5, 60), np.float32), np.zeros((1, 5, 60), np.float32), 64)
    ).all()
