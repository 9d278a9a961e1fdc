"""Choice of the slices of a volume that are shown: by rule, never by hand."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from s2s2.core.types import Floats, Indices, RawLabels, Region
from s2s2.metrics import Comparison

MOST_STOPS = 12
"""Slices that a slider goes through; each is a picture, and the page is sent by mail."""


def slice_dice(prediction: RawLabels, mask: RawLabels, classes: int) -> Floats:
    r"""Return the Dice of each slice, mean over the classes that it shows.

    $$\mathrm{Dice}_s = \frac{1}{|C_s|} \sum_{c \in C_s} \frac{2 |P_{sc} \cap M_{sc}|}{|P_{sc}| + |M_{sc}|}$$

    where $C_s$ holds the classes but the background that the prediction P or the mask M has in slice s.

    Args:
        prediction: Class ids.
        mask: Class ids.
        classes: Number of classes with the background.

    Shape:
        - prediction, mask: (slice, row, column).
        - returns: (slice,), in [0, 1], NaN where neither has anything.

    Raises:
        EvaluationError: If a label map holds other class ids.
        ShapeError: If the shapes differ.

    Example:
        >>> slice_dice(np.array([[[1, 1]], [[0, 0]]]), np.array([[[0, 1]], [[0, 0]]]), 2).round(3).tolist()
        [0.667, nan]
    """
    found = np.full(len(mask), np.nan)
    for number, (ours, theirs) in enumerate(zip(prediction, mask, strict=True)):
        values = Comparison(ours, theirs, classes).dice
        if np.isfinite(values).any():
            found[number] = np.nanmean(values)
    return found


def extent(labels: RawLabels) -> Indices:
    """Return the number of pixels of each slice that are not background.

    Shape:
        - labels: (slice, row, column).
        - returns: (slice,).
    """
    found: Indices = np.count_nonzero(labels, axis=(1, 2))
    return found


def fullest(extents: Indices) -> int:
    """Return the slice with the largest extent, the middle one where all are empty.

    Of several that are equally large it is the one nearest to the middle of the volume.

    Example:
        >>> fullest(np.array([0, 4, 9, 0])), fullest(np.zeros(5, int)), fullest(np.array([3, 3, 3, 3, 3]))
        (2, 2, 2)
    """
    largest = np.flatnonzero(extents == extents.max())
    return int(largest[np.abs(largest - len(extents) // 2).argmin()])


def worst(dice: Floats, extents: Indices) -> int | None:
    """Return the slice with the lowest Dice; of several the one where most is to be seen.

    Args:
        dice: Of each slice, NaN where it does not count.
        extents: Pixels of mask and prediction together in each slice.

    Returns:
        None where no slice counts.

    Example:
        >>> worst(np.array([np.nan, 0.0, 0.0, 0.8]), np.array([0, 3, 7, 50])), worst(np.array([np.nan]), [0])
        (2, None)
    """
    if not np.isfinite(dice).any():
        return None
    lowest = np.flatnonzero(dice == np.nanmin(dice))
    return int(lowest[np.asarray(extents)[lowest].argmax()])


def stops(occupied: Region, always: Iterable[int] = (), most: int = MOST_STOPS) -> tuple[int, ...]:
    """Return the slices that a slider goes through: evenly spaced from the first that holds something.

    Args:
        occupied: Whether mask or prediction has something in a slice; where none has, all slices count.
        always: Slices that must be among them, each in the place of the nearest other.
        most: How many at most, 2 or more.

    Shape:
        - occupied: (slice,).

    Example:
        >>> stops(np.arange(80) // 40 == 1, [50], most=5)
        (40, 50, 60, 69, 79)
    """
    inside = np.flatnonzero(occupied) if occupied.any() else np.arange(len(occupied))
    first, last = int(inside[0]), int(inside[-1])
    wanted = list(dict.fromkeys(always))
    found = np.rint(np.linspace(first, last, min(most, last - first + 1))).astype(int).tolist()
    for each in wanted:
        others = [stop for stop in found if stop not in wanted]
        if each in found:
            continue
        if len(found) >= most and others:
            found.remove(min(others, key=lambda stop: abs(stop - each)))
        found.append(each)
    return tuple(sorted(found))
