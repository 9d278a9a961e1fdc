"""Dice, HD95, surface Dice and ASSD of label maps: MONAI's time over that of s2s2, for equal values.

The label maps are smooth random blobs of two classes in an image of 512 px and in a volume of 64
slices of 192 px, the mask a few pixels away from the prediction. Both sides take turns, and the
fastest round counts.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage

from benchmarks.rows import row
from s2s2.metrics import Comparison

FLAT, VOLUME, CLASSES, TOLERANCE, ROUNDS, GOAL = (512, 512), (64, 192, 192), 3, 2.0, 12, 5.0
LabelMap = npt.NDArray[np.uint8]
Values = dict[str, npt.NDArray[np.float64]]


def run() -> list[dict[str, Any]]:
    """Return the ratios of the overlap alone, and of overlap and surfaces together, and of a volume."""
    prediction, mask = label_maps()
    surfaces = ("dice", "hd95", "nsd", "assd")
    return [
        row("Dice at 512 px, MONAI / s2s2", ratio(prediction, mask, ("dice",)), "times faster", GOAL),
        row(
            "Dice, HD95 and surface Dice at 512 px, MONAI / s2s2",
            ratio(prediction, mask, ("dice", "hd95", "nsd")),
            "times faster",
            GOAL,
        ),
        row(
            "Dice, HD95, surface Dice and ASSD of 64 x 192 x 192 voxels, MONAI / s2s2",
            ratio(*label_maps(VOLUME, (4, 12, 12)), surfaces, rounds=3),
            "times faster",
            GOAL,
        ),
    ]


def label_maps(
    shape: tuple[int, ...] = FLAT, smoothness: float | tuple[float, ...] = 25
) -> tuple[LabelMap, LabelMap]:
    """Return a prediction and a mask."""
    field = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), smoothness)
    field = (field - field.mean()) / field.std()
    mask = ((field > 0.5).astype(np.uint8) + (field > 1.5)).astype(np.uint8)
    return np.roll(mask, (3, -2), axis=(-2, -1)), mask


def ratio(prediction: LabelMap, mask: LabelMap, names: tuple[str, ...], rounds: int = ROUNDS) -> float:
    """Return how many times as long MONAI takes.

    Raises:
        RuntimeError: If the values differ.
    """
    sides: list[Callable[[LabelMap, LabelMap, tuple[str, ...]], Values]] = [theirs, ours]
    best = [float("inf")] * 2
    for _ in range(rounds):
        found = []
        for place, side in enumerate(sides):
            started = time.process_time()
            found.append(side(prediction, mask, names))
            best[place] = min(best[place], time.process_time() - started)
        for name in names:
            if not np.allclose(found[0][name], found[1][name], rtol=1e-5, equal_nan=True):
                raise RuntimeError(f"{name}: MONAI {found[0][name]}, s2s2 {found[1][name]}")
    return best[0] / best[1]


def ours(prediction: LabelMap, mask: LabelMap, names: tuple[str, ...]) -> Values:
    """Return the values of s2s2."""
    pair = Comparison(prediction, mask, CLASSES, tolerance=TOLERANCE)
    return {name: getattr(pair, name) for name in names}


def theirs(prediction: LabelMap, mask: LabelMap, names: tuple[str, ...]) -> Values:
    """Return the values of MONAI."""
    from monai.metrics import (
        compute_average_surface_distance,
        compute_dice,
        compute_hausdorff_distance,
        compute_surface_dice,
    )

    compute = {
        "dice": lambda p, m: compute_dice(p, m, include_background=False),
        "hd95": lambda p, m: compute_hausdorff_distance(p, m, percentile=95),
        "nsd": lambda p, m: compute_surface_dice(p, m, [TOLERANCE] * (CLASSES - 1)),
        "assd": lambda p, m: compute_average_surface_distance(p, m, symmetric=True),
    }
    one_hot = [
        torch.nn.functional.one_hot(torch.from_numpy(labels).long(), CLASSES).movedim(-1, 0)[None]
        for labels in (prediction, mask)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: compute[name](*one_hot)[0].numpy() for name in names}


if __name__ == "__main__":
    for line in run():
        print(*line.values())
