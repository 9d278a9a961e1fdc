"""Filters of one axis as bands of a matrix: Gaussian blur and bilinear resampling.

Each pixel of the result is a weighted sum of a few neighbours, so nearly all of the matrix
is zero. Only a band of it is multiplied, block by block: exact, and for the widths of a blur
several times as fast as the whole matrix or a convolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from s2s2.core.types import Image, Indices

BLOCK = 16
"""Pixels of the result that share one block: more multiply more zeros, fewer need more calls."""


class Band(NamedTuple):
    """The part of a matrix (target, source) that is not zero, in blocks of `BLOCK` rows.

    Args:
        first: The source pixel where each block begins.
        weights: (block, row, source pixel from `first` on); the rows add up to 1. The rows
            beyond `target` repeat the last one.
        target: Pixels of the result.
    """

    first: Indices
    weights: Image
    target: int


def gaussian(length: int, sigma: float) -> Band:
    """Return the Gaussian blur of an axis, cut off at 4 sigma, with weights that add up to 1 at borders too.

    Args:
        length: Of the axis in pixels.
        sigma: Standard deviation in pixels, above 0.
    """
    reach = int(4 * sigma + 0.5)
    return _band(length, length, reach, lambda away: np.exp(np.float32(-0.5 / sigma**2) * np.square(away)))


def bilinear(target: int, source: int) -> Band:
    """Return the bilinear resampling of an axis, antialiased where it shrinks.

    Args:
        target: Length of the result in pixels.
        source: Length of what is resampled.
    """
    width = max(1.0, source / target)
    return _band(target, source, width, lambda away: np.maximum(1 - away * np.float32(1 / width), 0))


def separable(image: Image, down: Band, across: Band) -> Image:
    """Filter the columns of each channel by one band and the rows by another.

    Shape:
        - image: (channel, height, width).
        - returns: (channel, height of `down`, width of `across`).
    """
    channels, height, _ = image.shape
    wide = np.empty((channels, height, across.target), np.float32)
    for rows, columns, weights in _blocks(across):
        np.matmul(image[:, :, columns], weights.T, out=wide[:, :, rows])
    result = np.empty((channels, down.target, across.target), np.float32)
    for rows, columns, weights in _blocks(down):
        np.matmul(weights, wide[:, columns], out=result[:, rows])
    return result


def _blocks(band: Band) -> list[tuple[slice, slice, Image]]:
    """Return the target, the source and the weights of each block."""
    width = band.weights.shape[2]
    return [
        (
            slice(start, min(start + BLOCK, band.target)),
            slice(first, first + width),
            weights[: band.target - start],
        )
        for start, first, weights in zip(
            range(0, band.target, BLOCK), band.first.tolist(), band.weights, strict=True
        )
    ]


def _band(target: int, source: int, reach: float, weigh: Callable[[Image], Image]) -> Band:
    """Weigh the source pixels whose centres lie within `reach` of the centre of each target pixel."""
    step = source / target
    blocks = -(-target // BLOCK)
    width = min(source, math.ceil((min(BLOCK, target) - 1) * step + 2 * reach) + 1)
    centre = (np.minimum(np.arange(blocks * BLOCK), target - 1) + 0.5) * step - 0.5
    first = np.clip(np.ceil(centre[::BLOCK] - reach), 0, source - width).astype(np.intp)
    near = (centre.reshape(blocks, BLOCK) - first[:, None]).astype(np.float32)
    away = np.abs(near[:, :, None] - np.arange(width, dtype=np.float32))
    weights = weigh(away)
    weights[away > reach] = 0
    weights /= weights.sum(axis=2, keepdims=True)
    return Band(first, weights, target)
