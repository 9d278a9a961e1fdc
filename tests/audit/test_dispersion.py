from __future__ import annotations

import numpy as np
import pytest
import torch

from s2s2.audit.dispersion import mask_shares, most_similar, scatter, soft_iou
from s2s2.audit.features import masked_mean


def test_scatter_is_what_naive_loops_give() -> None:
    rows = np.random.default_rng(0).standard_normal((5, 4))
    total = 0.0
    for column in range(4):
        mean = sum(rows[:, column]) / 5
        total += sum((value - mean) ** 2 for value in rows[:, column]) / 4
    assert scatter(rows) == pytest.approx(total**0.5)
    assert scatter(np.ones((3, 4))) == 0
    assert np.isnan(scatter(rows[:1]))


def test_scatter_over_the_root_of_the_depth_is_that_of_the_mean() -> None:
    """The mean of n copies scatters by sigma_g / sqrt(n): what the method's condition speaks of."""
    rng = np.random.default_rng(0)
    copies = rng.standard_normal((4000, 9, 3))
    means = copies.mean(axis=1)
    sigma_g = np.mean([scatter(stack) ** 2 for stack in copies]) ** 0.5
    assert scatter(means) == pytest.approx(sigma_g / 3, rel=0.05)


def test_soft_iou_of_masks() -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[16:48, 24:72] = 1
    other = np.zeros_like(mask)
    other[16:48, 48:96] = 1
    shares = np.stack([mask_shares(labels, 3) for labels in (mask, mask, other, 2 * mask, 0 * mask)])
    found = soft_iou(shares[0], shares)
    assert found == pytest.approx(np.array([1, 1, 24 / 72, 0, 0]), abs=1e-6)
    assert soft_iou(shares[4], shares)[4] == 1
    allowed = np.array([False, True, True, True, True])
    assert most_similar(shares, 0, allowed, 2).tolist() == [1, 2]


def test_the_mean_over_the_foreground_is_what_naive_loops_give() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((2, 3, 4, 4)).astype(np.float32)
    mask = np.zeros((8, 8), np.uint8)
    mask[:3, :3] = 2
    expected = np.zeros((2, 3))
    for row in range(4):
        for column in range(4):
            weight = (mask[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] > 0).mean()
            expected += weight * features[:, :, row, column]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert masked_mean({"a": torch.from_numpy(features)}, mask, 2) == pytest.approx(expected, abs=1e-6)
    two = masked_mean({"a": torch.from_numpy(features), "b": torch.from_numpy(features)}, mask, 2)
    assert np.linalg.norm(two, axis=1) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(2, 6, 3), (2, 3, 4, 4)])
def test_tokens_and_empty_masks_are_averaged_over_all_positions(shape: tuple[int, ...]) -> None:
    features = torch.rand(shape)
    expected = features.mean(1) if len(shape) == 3 else features.mean((2, 3))
    expected /= expected.norm(dim=1, keepdim=True)
    assert masked_mean({"a": features}, np.zeros((8, 8), np.uint8), 2) == pytest.approx(
        expected.numpy(), abs=1e-6
    )


def test_a_network_without_taps_has_no_features() -> None:
    assert masked_mean({}, np.zeros((8, 8), np.uint8), 3).shape == (3, 0)
