r"""Dispersion of a stack: do its copies scatter less than real images of similar masks?

Seen as Bayesian updating, a stack of $n$ copies whose features scatter with $\sigma_g$ tells
more about the clean meaning of a mask than one real image does where $\sigma_g / \sqrt n \le
\sigma$, with the scatter $\sigma$ of real images that show the same mask. There is one real
image of each mask, so those of the most similar masks of other patients stand in: $\sigma$ also
contains the differences of their masks, and is rather too large than too small.
"""

from __future__ import annotations

import math

import numpy as np

from s2s2.core.types import Floats, Indices, LabelMap, Region, Vectors
from s2s2.data.grid import resize_image

_GRID = 32


def scatter(features: Vectors | Floats) -> float:
    r"""Return the root of the total variance, $\sqrt{\sum_i \lVert f_i - \bar f \rVert^2 / (n - 1)}$.

    Shape:
        - features: (n, entries).

    Returns:
        0 or more; NaN for fewer than two rows.

    Example:
        >>> round(scatter(np.array([[0.0, 0.0], [3.0, 4.0]])), 4)
        3.5355
    """
    if len(features) < 2:
        return math.nan
    return float(np.sqrt(features.astype(np.float64).var(axis=0, ddof=1).sum()))


def mask_shares(mask: LabelMap, classes: int) -> Vectors:
    """Return the share of each foreground class in each field of a coarse square grid.

    Shape:
        - mask: (height, width).
        - returns: (classes - 1) * 32 * 32 entries in [0, 1].
    """
    one_hot = (mask[None] == np.arange(1, classes)[:, None, None]).astype(np.float32)
    return resize_image(one_hot, (_GRID, _GRID)).ravel()


def soft_iou(shares: Vectors, others: Vectors) -> Floats:
    r"""Return the soft IoU $\sum \min(a, b) / \sum \max(a, b)$ of a mask with others; 1 for two empty ones.

    Shape:
        - shares: (entries,).
        - others: (n, entries).
        - returns: (n,).

    Example:
        >>> soft_iou(np.array([1, 1, 0], np.float32), np.array([[1, 0, 0], [1, 1, 0]], np.float32)).tolist()
        [0.5, 1.0]
    """
    both = np.minimum(shares, others).sum(axis=1, dtype=np.float64)
    either = np.maximum(shares, others).sum(axis=1, dtype=np.float64)
    return np.where(either > 0, both / np.maximum(either, 1e-12), 1.0)


def most_similar(shares: Vectors, index: int, allowed: Region, neighbours: int) -> Indices:
    """Return the indices of the most similar masks among those allowed, the most similar first.

    Args:
        shares: Of every case, (case, entries).
        index: The case that is asked for.
        allowed: Which cases may be taken: those of other groups, held out of the same network.
        neighbours: How many at most.
    """
    candidates = np.flatnonzero(allowed)
    order = np.argsort(-soft_iou(shares[index], shares[candidates]), kind="stable")
    return candidates[order[:neighbours]]
