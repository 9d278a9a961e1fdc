r"""Kernel inception distance (KID) and Frechet distance (FID) between copies and real images.

KID is the squared maximum mean discrepancy under the kernel
$k(x, y) = (x^T y / d + 1)^3$. Its estimate here is unbiased: no pair of images of one patient
counts, neither an image with itself nor a copy with the real image of its mask,

$$\mathrm{KID} = \overline{k(x, x')} + \overline{k(y, y')} - 2\, \overline{k(x, y)}
  \quad\text{over pairs of two patients},$$

so it may fall a little below 0 where the two do not differ. Features are those of the ImageNet
encoder, not of Inception: values compare within s2s2, not with papers. The Frechet distance
$\lVert \mu_x - \mu_y \rVert^2 + \operatorname{tr}(C_x + C_y - 2 (C_x C_y)^{1/2})$ is given for
comparison alone: with fewer images than some thousands it is biased upwards, the more the fewer.

Reference:
    Binkowski et al., *Demystifying MMD GANs*, ICLR 2018, arXiv:1801.01401 (KID); Heusel et al.,
    *GANs trained by a two time-scale update rule*, NeurIPS 2017, arXiv:1706.08500 (FID).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from s2s2.core.streams import stream
from s2s2.core.types import Floats, Indices
from s2s2.statistics import Interval, percentile_interval, resampled_counts

_BLOCK = 2048
SCALE = 1000.0
"""KID is given in thousandths, as is usual."""


class Sample(NamedTuple):
    """Images of one kind.

    Args:
        features: Shape (image, entries).
        groups: Number of each image's group, (image,).
    """

    features: Floats
    groups: Indices


def kid(images: Sample, real: Sample, *, draws: int, seed: int) -> Interval:
    """Return the kernel inception distance in thousandths, with an interval over drawn groups.

    Args:
        images: For instance copies.
        real: For instance the real training images, their groups numbered alike.
        draws: Number of resamplings.
        seed: Of the resampling.

    Returns:
        NaN where one of the two holds no pair of two groups.
    """
    size = 1 + int(max(images.groups.max(), real.groups.max()))
    pairs = [_pairs(*both, size) for both in ((images, images), (real, real), (images, real))]
    once = np.ones((1, size))
    value = float(_distance(pairs, once)[0])
    if not np.isfinite(value):
        return Interval(np.nan, np.nan, np.nan)
    counts = resampled_counts(stream(seed, "audit", "kid"), size, draws)
    return percentile_interval(value, _distance(pairs, counts))


def fid(images: Floats, real: Floats) -> float:
    """Return the Frechet distance of two sets of features, NaN for fewer than two rows.

    Shape:
        - images: (n, entries).
        - real: (m, entries).
    """
    if min(len(images), len(real)) < 2:
        return float("nan")
    left, right = np.cov(images, rowvar=False), np.cov(real, rowvar=False)
    values, vectors = np.linalg.eigh(left)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    # The trace of the root of a product is that of the root of this symmetric matrix.
    both = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ right @ root), 0)).sum()
    gap = ((images.mean(0) - real.mean(0)) ** 2).sum()
    return float(gap + np.trace(left) + np.trace(right) - 2 * both)


def _pairs(left: Sample, right: Sample, size: int) -> tuple[Floats, Floats]:
    """Return sum of the kernel and number of pairs for each two groups, (group, group), none within."""
    sums = np.zeros((size, size))
    of_right = (right.groups[:, None] == np.arange(size)).astype(np.float64)
    for start in range(0, len(left.features), _BLOCK):
        block = left.features[start : start + _BLOCK]
        kernel = (block @ right.features.T / block.shape[1] + 1) ** 3
        np.add.at(sums, left.groups[start : start + _BLOCK], kernel @ of_right)
    counts = np.outer(np.bincount(left.groups, minlength=size), np.bincount(right.groups, minlength=size))
    different = 1 - np.eye(size)
    return sums * different, counts * different


def _distance(pairs: list[tuple[Floats, Floats]], counts: Floats) -> Floats:
    """Return the distance for each row of group counts, (draw,)."""
    means = []
    for sums, numbers in pairs:
        total = np.einsum("bg,bg->b", counts @ sums, counts)
        weight = np.einsum("bg,bg->b", counts @ numbers, counts)
        means.append(np.divide(total, weight, out=np.full(len(counts), np.nan), where=weight > 0))
    distance: Floats = SCALE * (means[0] + means[1] - 2 * means[2])
    return distance
