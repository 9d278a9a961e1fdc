"""Metrics against MONAI's functions.

They agree on Dice, IoU, precision, recall, HD95, ASSD and surface Dice wherever a class is
in both label maps, in images and volumes, at any spacing, on border pixels at the edge, and
on 0 for a missed class. They differ by rule where one of the two label maps lacks the class:
HD95 and ASSD are infinite or NaN there and the diagonal here, and the Dice of a false alarm
is NaN there and 0 here.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from s2s2.metrics import Comparison

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from monai.metrics import (
        compute_average_surface_distance,
        compute_dice,
        compute_hausdorff_distance,
        compute_iou,
        compute_surface_dice,
        get_confusion_matrix,
    )

CLASSES = 4


def one_hot(labels: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.from_numpy(labels), CLASSES).movedim(-1, 0)[None].float()


FLAT, VOLUME = (48, 61), (14, 40, 37)


def blobs(seed: int, shape: tuple[int, ...] = FLAT) -> tuple[np.ndarray, np.ndarray]:
    """Two label maps of smooth regions that resemble each other and reach the edge."""
    rng, width = np.random.default_rng(seed), 6 if len(shape) == 2 else (2, 5, 5)
    fields = np.stack([gaussian_filter(rng.standard_normal(shape), width) for _ in range(CLASSES)])
    noise = np.stack([gaussian_filter(rng.standard_normal(shape), width) for _ in range(CLASSES)])
    moved = fields + 0.5 * noise
    return moved.argmax(0), fields.argmax(0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [FLAT, VOLUME])
def test_overlap_agrees(seed: int, shape: tuple[int, ...]) -> None:
    prediction, mask = blobs(seed, shape)
    result = Comparison(prediction, mask, CLASSES)
    ours, theirs = one_hot(prediction), one_hot(mask)
    np.testing.assert_allclose(
        result.dice, compute_dice(ours, theirs, include_background=False)[0], rtol=1e-6
    )
    np.testing.assert_allclose(result.iou, compute_iou(ours, theirs, include_background=False)[0], rtol=1e-6)
    counts = get_confusion_matrix(ours, theirs, include_background=False)[0].numpy()
    tp, fp, fn = counts[:, 0], counts[:, 1], counts[:, 3]
    np.testing.assert_allclose(result.precision, tp / (tp + fp), rtol=1e-6)
    np.testing.assert_allclose(result.recall, tp / (tp + fn), rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        (FLAT, None),
        (FLAT, (0.5, 0.5)),
        (FLAT, (1.3, 0.4)),
        (VOLUME, None),
        (VOLUME, (5.0, 0.8, 0.8)),
        (VOLUME, (1.3, 0.4, 2.6)),
    ],
)
@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy.*:FutureWarning")
def test_surface_agrees(seed: int, shape: tuple[int, ...], spacing: tuple[float, ...] | None) -> None:
    prediction, mask = blobs(seed, shape)
    result = Comparison(prediction, mask, CLASSES, spacing, tolerance=1.5)
    ours, theirs = one_hot(prediction), one_hot(mask)
    hd95 = compute_hausdorff_distance(ours, theirs, percentile=95, spacing=spacing)[0]
    nsd = compute_surface_dice(ours, theirs, [1.5] * (CLASSES - 1), spacing=spacing)[0]
    assd = compute_average_surface_distance(ours, theirs, symmetric=True, spacing=spacing)[0]
    np.testing.assert_allclose(result.hd95, hd95, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result.assd, assd, rtol=1e-5)
    np.testing.assert_allclose(result.nsd, nsd, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:the (prediction|ground truth) of class.*:UserWarning")
@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 20)])
def test_empty_classes_agree_but_for_the_worst_distance(shape: tuple[int, ...]) -> None:
    mask, prediction = np.zeros((2, *shape), int)
    mask[4:9, 4:9], prediction[12:15, 12:15] = 1, 2
    diagonal = 20 * math.sqrt(len(shape))
    ours, theirs = one_hot(prediction), one_hot(mask)
    result = Comparison(prediction, mask, CLASSES)
    nsd = compute_surface_dice(ours, theirs, [2.0] * (CLASSES - 1))[0]
    np.testing.assert_allclose(result.nsd, nsd)
    hd95 = compute_hausdorff_distance(ours, theirs, percentile=95)[0].numpy()
    assert not np.isfinite(hd95).any()
    assd = compute_average_surface_distance(ours, theirs, symmetric=True)[0].numpy()
    assert not np.isfinite(assd).any()
    np.testing.assert_allclose(result.hd95, [diagonal, diagonal, np.nan])
    np.testing.assert_allclose(result.assd, [diagonal, diagonal, np.nan])
    dice = compute_dice(ours, theirs, include_background=False)[0]
    np.testing.assert_allclose(Comparison(prediction, mask, CLASSES).dice[[0, 2]], dice[[0, 2]])
    # A false alarm is NaN there and 0 here.
    assert torch.isnan(dice[1])
    assert Comparison(prediction, mask, CLASSES).dice[1] == 0
