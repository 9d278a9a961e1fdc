"""Field of view of an image, and filling of holes from their surroundings."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from s2s2.core.types import Image, Region
from s2s2.generators.training_free.pyramid import expand, reduce, side

DARK = 0.06
"""Below this share of an image's range a pixel at the rim counts as no tissue."""
BLACK = 0.2
"""Nor is anything a surround that is brighter than this share of the image's white."""
SPILL = 0.05
"""Up to this share of a foreground may lie in the surround: its label spills over the rim."""


def field_of_view(image: Image, foreground: Region) -> tuple[Region, Region]:
    """Return the dark surround of an image, and the same with the rim it shades.

    A foreground that is dark itself, such as air, is none of the surround; a few
    labelled pixels beyond the rim are.

    Args:
        image: Any range.
        foreground: Union of all classes.

    Shape:
        - image: (channel, height, width).
        - foreground: (height, width).
        - returns: (height, width) each.
    """
    hidden = dark_surround(image)
    pixels = max(hidden.shape) / 128
    if (hidden & foreground).sum() > SPILL * foreground.sum():
        hidden &= ~foreground
        return hidden, dilate(hidden, pixels) & ~foreground
    return hidden, dilate(hidden, pixels)


def dark_surround(image: Image) -> Region:
    """Return where the image shows nothing: the dark frame outside the field of view.

    Endoscopes, fundus cameras and scanners leave a black surround. It is what is
    darker than 6% of the image's range, solid and connected to the image's edge.

    Args:
        image: Any range.

    Shape:
        - image: (channel, height, width).
        - returns: (height, width), True outside the field of view.

    Example:
        >>> image = np.full((1, 32, 32), 0.5, np.float32)
        >>> image[:, :, :8] = 0
        >>> dark_surround(image)[16, [0, 7, 8, 31]].tolist()
        [True, True, False, False]
    """
    brightness = image.max(axis=0)
    low, high = np.percentile(brightness[::4, ::4], (0, 99))
    dark: Region = brightness <= min(low + DARK * (high - low), BLACK * high)
    if high <= low or not _touches_edge(dark):
        return np.zeros(dark.shape, bool)
    coarse = dark[::2, ::2]
    labels, count = ndimage.label(coarse)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    # A patch of 3 x 3 dark cells: noise has none.
    solid = labels[ndimage.minimum_filter(coarse.view(np.uint8), 3, mode="nearest") > 0]
    outside = np.zeros(count + 1, bool)
    outside[np.intersect1d(rim, solid)] = True
    height, width = dark.shape
    dark &= dilate((outside[labels] & coarse).repeat(2, 0).repeat(2, 1)[:height, :width], 2)
    return dark


def _touches_edge(region: Region) -> bool:
    return bool(region[0].any() or region[-1].any() or region[:, 0].any() or region[:, -1].any())


def dilate(region: Region, pixels: float) -> Region:
    """Grow a region by a square of `pixels` on each side (rounded, separable, exact)."""
    width = 2 * round(pixels) + 1
    if width <= 1 or not region.any():
        return region
    grown = ndimage.maximum_filter1d(region.view(np.uint8), width, axis=0, mode="nearest")
    grown = ndimage.maximum_filter1d(grown, width, axis=1, mode="nearest")
    region = grown.view(np.bool_)
    return region


def push_pull(image: Image, hole: Region) -> Image:
    r"""Fill a hole smoothly from the pixels round it.

    Push: the known pixels are averaged into ever coarser grids until every cell
    knows a value. Pull: from coarse to fine, a cell that knows only a share $w$ of
    its pixels takes $w$ parts of its own value and $1 - w$ of the coarser one.

    Args:
        image: Any range.
        hole: True where pixels are to be replaced; a hole over the whole image
            leaves it as it is.

    Shape:
        - image: (channel, height, width).
        - hole: (height, width).
        - returns: as `image`.

    Example:
        >>> image = np.full((1, 16, 16), 0.25, np.float32)
        >>> hole = np.zeros((16, 16), bool)
        >>> hole[4:12, 4:12] = True
        >>> image[:, hole] = 1.0
        >>> bool(np.allclose(push_pull(image, hole), 0.25))
        True

    Reference:
        Gortler et al., *The Lumigraph*, SIGGRAPH 1996.
    """
    if not hole.any() or hole.all():
        return image
    known = (~hole).astype(np.float32)[None]
    weighted, share = [image * known], [known]
    while share[-1].min() < 0.5 and max(side(share[-1])) > 1:
        weighted.append(reduce(weighted[-1]))
        share.append(reduce(share[-1]))
    filled: Image = np.divide(weighted[-1], np.maximum(share[-1], 1e-6, dtype=np.float32))
    for values, weight in zip(reversed(weighted[:-1]), reversed(share[:-1]), strict=True):
        filled = np.add(values, (1 - weight) * expand(filled, side(weight)), dtype=np.float32)
    return filled
