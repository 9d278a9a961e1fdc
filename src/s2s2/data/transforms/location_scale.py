"""Location-scale augmentation: random intensity curves, factors and offsets for an image or each class of it.

The global view of an image keeps which pixels are darker; the local view gives every
class of the mask intensities of its own. `s2s2.objective.SaliencyBalancing` learns from both.

Reference:
    Su et al., *Rethinking data augmentation for single-source domain generalization in
    medical image segmentation* (SLAug), AAAI 2023, arXiv:2211.14805.
"""

from __future__ import annotations

import numpy as np

from s2s2.core.types import Image, LabelMap, Region
from s2s2.data.transforms.config import SLAugConfig
from s2s2.data.transforms.styles import bend, random_curve

SCALE_DEVIATION, LOCATION_DEVIATION = 0.1, 0.5
"""Standard deviations of the factor, about 1 and cut off at one of them, and of the offset."""
TAIL = 20
"""So many percent of the pixels at most may leave [0, 1] by the offset, at either end."""


def global_view(image: Image, rng: np.random.Generator, inside: Region | None = None) -> Image:
    """Return the image with all its intensities through one random rising curve, factor and offset.

    Args:
        image: Values in [0, 1].
        rng: Stream of this view.
        inside: Where the image is not padding; the padding stays 0. None: everywhere.

    Shape:
        - image: (channel, height, width).
        - inside: (height, width).
        - returns: as `image`, in [0, 1].

    Example:
        >>> image = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 3, 4)
        >>> view = global_view(image, np.random.default_rng(0))
        >>> view.shape, bool((np.diff(view.ravel()) >= 0).all())
        ((1, 3, 4), True)
    """
    if inside is None or inside.all():
        return _restyled(image, rng, inverted=False)
    view = np.zeros(image.shape, np.float32)
    _restyle(view, image, inside, rng, inverted=False)
    return view


def local_view(
    image: Image,
    mask: LabelMap,
    rng: np.random.Generator,
    config: SLAugConfig | None = None,
    inside: Region | None = None,
) -> Image:
    """Return the image with a random curve, factor and offset for each class of its mask, the background too.

    Args:
        image: Values in [0, 1].
        mask: Class ids, 0 for the background.
        rng: Stream of this view.
        config: How often a curve falls, and which pixels are too dark to change.
        inside: As in `global_view`.

    Shape:
        - image: (channel, height, width).
        - mask, inside: (height, width).
        - returns: as `image`, in [0, 1].

    Example:
        >>> image = np.full((1, 1, 4), 0.5, np.float32)
        >>> view = local_view(image, np.array([[0, 0, 1, 1]], np.uint8), np.random.default_rng(0))
        >>> len(np.unique(view))
        2
    """
    config = config or SLAugConfig()
    where = np.ones(mask.shape, bool) if inside is None else inside
    view = np.zeros(image.shape, np.float32)
    for label in np.flatnonzero(np.bincount(mask[where])):
        probability = config.inverted if label else config.inverted_background
        inverted = bool(rng.random() < probability)
        _restyle(view, image, where & (mask == label), rng, inverted=inverted)
    np.copyto(view, image, where=(image <= config.threshold) & where)
    return view


def _restyle(view: Image, image: Image, region: Region, rng: np.random.Generator, *, inverted: bool) -> None:
    """Write the new values of a region of an image into a view."""
    pixels = np.flatnonzero(region)
    if not len(pixels):
        return
    values = image.reshape(len(image), -1)[:, pixels]
    view.reshape(len(image), -1)[:, pixels] = _restyled(values, rng, inverted=inverted)


def _restyled(values: Image, rng: np.random.Generator, *, inverted: bool) -> Image:
    """Put values through a curve from the least of them to the greatest, then scale and shift them."""
    low, high = float(values.min()), float(values.max())
    styled = bend(values, random_curve(rng, inverted, ordered=False))
    styled *= np.float32(high - low)
    styled += np.float32(low)
    factor = np.clip(rng.normal(1, SCALE_DEVIATION), 1 - SCALE_DEVIATION, 1 + SCALE_DEVIATION)
    dark, bright = np.percentile(styled, (TAIL, 100 - TAIL))
    offset = np.clip(rng.normal(0, LOCATION_DEVIATION), -dark, 1 - bright)
    styled *= np.float32(factor)
    styled += np.float32(offset)
    return np.clip(styled, 0, 1, out=styled)
