"""Regions of two label maps: their sizes, their overlap and the distances between their borders.

Label maps are flat images or volumes, of any integer type and any order in memory. They are gone
through in slabs that fit into the cache of a processor: no copy of a whole volume is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from s2s2.core.types import Floats, RawLabels, Region

_SLAB = 2**18
"""Pixels of a slab; what is computed from it, at a byte each, stays in the cache."""


def overlaps(prediction: RawLabels, mask: RawLabels, classes: int) -> tuple[Floats, Floats, Floats]:
    """Count the pixels of each class: predicted rightly, predicted at all, and in the mask.

    Args:
        prediction: Class ids from 0 to classes - 1.
        mask: Class ids from 0 to classes - 1.
        classes: Number of classes with the background.

    Shape:
        - prediction, mask: (height, width) or (slice, height, width).
        - each result: (classes - 1,).

    Example:
        >>> [counts.tolist() for counts in overlaps(np.array([[1, 1, 0]]), np.array([[0, 1, 2]]), 3)]
        [[1.0, 0.0], [2.0, 0.0], [1.0, 1.0]]
    """
    order, narrow = _slowest_first(mask), np.min_scalar_type(classes)
    maps = [labels.transpose(order) for labels in (prediction, mask)]
    counted = np.zeros((3, classes - 1))
    for slab in _slabs(maps[0].shape):
        # A table of all pairs of classes needs 64-bit numbers, and ten times as long.
        ours, theirs = (labels[slab].astype(narrow, copy=False) for labels in maps)
        for label in range(1, classes):
            parts = ours == label, theirs == label
            counted[:, label - 1] += [np.count_nonzero(part) for part in (parts[0] & parts[1], *parts)]
    return counted[0], counted[1], counted[2]


def surface_distances(
    prediction: RawLabels, mask: RawLabels, label: int, step: Floats
) -> tuple[Floats, Floats]:
    """Measure the distance from each border pixel of a class to the other border, both ways.

    The border of a class is its pixels with a neighbour outside the class, of four in an image and of
    six in a volume; the grid ends outside.

    Args:
        prediction: Class ids.
        mask: Class ids.
        label: The class, which both have.
        step: Distance of two neighbours along each axis.

    Shape:
        - prediction, mask: (height, width) or (slice, height, width).
        - step: (axis,).
        - results: (border pixel of the prediction,) and (border pixel of the mask,).

    Example:
        >>> there, back = surface_distances(np.array([[0, 1, 1]]), np.array([[1, 1, 0]]), 1, np.ones(2))
        >>> there.tolist(), back.tolist()
        ([0.0, 1.0], [1.0, 0.0])
    """
    order = _slowest_first(mask)
    ours, theirs = (_border(labels.transpose(order), label) * step[order] for labels in (prediction, mask))
    return _to_nearest(ours, theirs), _to_nearest(theirs, ours)


def _to_nearest(points: Floats, others: Floats) -> Floats:
    """Return the distance from each point to the nearest of the others."""
    # Imported here, since validation asks for the overlap alone.
    from scipy.spatial import cKDTree

    # A tree of border pixels is exact like a distance transform, and its cost follows the size of the
    # border instead of the size of the grid. A plain tree takes a third of the time of a balanced, compact
    # one where the borders are far apart, and four fifths where they are close.
    tree = cKDTree(others, leafsize=32, balanced_tree=False, compact_nodes=False)
    distances: Floats = tree.query(points)[0]
    return distances


def _slowest_first(labels: RawLabels) -> list[int]:
    """Return the axes in the order of memory, so that slabs along the first one are contiguous."""
    return sorted(range(labels.ndim), key=lambda axis: -abs(labels.strides[axis]))


def _slabs(shape: tuple[int, ...]) -> Iterator[slice]:
    """Divide the first axis into parts of about `_SLAB` pixels."""
    thickness = max(1, _SLAB // max(1, math.prod(shape[1:])))
    return (slice(start, min(start + thickness, shape[0])) for start in range(0, shape[0], thickness))


def _border(labels: RawLabels, label: int) -> Floats:
    """Return the coordinates of each border pixel of a class, which has one at least: (pixel, axis)."""
    box = _box(labels, label)
    inner, corner = labels[box], np.array([span.start for span in box], float)
    found = []
    for slab in _slabs(inner.shape):
        framed = _framed(inner, slab, label)
        edge = _within(framed) & ~_surrounded(framed)
        # In this way it takes half the time of argwhere.
        border = np.stack(np.unravel_index(np.flatnonzero(edge), edge.shape), axis=1) + corner
        border[:, 0] += slab.start
        found.append(border)
    return np.concatenate(found)


def _box(labels: RawLabels, label: int) -> tuple[slice, ...]:
    """Return the smallest box that holds a class."""
    held = [np.zeros(side, bool) for side in labels.shape]
    for slab in _slabs(labels.shape):
        region = labels[slab] == label
        held[0][slab] = region.reshape(len(region), -1).any(axis=1)
        shadow = region.any(axis=0)
        for axis in range(shadow.ndim):
            others = tuple(other for other in range(shadow.ndim) if other != axis)
            held[axis + 1] |= shadow.any(axis=others)
    ends = (np.flatnonzero(places)[[0, -1]] for places in held)
    return tuple(slice(int(first), int(last) + 1) for first, last in ends)


def _framed(labels: RawLabels, slab: slice, label: int) -> Region:
    """Return where a class lies in a slab, with one layer more on each side; the grid ends outside."""
    framed = np.zeros((slab.stop - slab.start + 2, *(side + 2 for side in labels.shape[1:])), bool)
    first, last = max(slab.start - 1, 0), min(slab.stop + 1, len(labels))
    layers = slice(first - slab.start + 1, last - slab.start + 1)
    framed[layers, *[slice(1, -1)] * (labels.ndim - 1)] = labels[first:last] == label
    return framed


def _surrounded(framed: Region) -> Region:
    """Return which pixels of a framed region have all their neighbours in it."""
    inside = np.ones([side - 2 for side in framed.shape], bool)
    for axis in range(framed.ndim):
        for shift in (slice(None, -2), slice(2, None)):
            inside &= framed[tuple(shift if other == axis else slice(1, -1) for other in range(framed.ndim))]
    return inside


def _within(framed: Region) -> Region:
    """Return a framed region without its frame."""
    return framed[(slice(1, -1),) * framed.ndim]
