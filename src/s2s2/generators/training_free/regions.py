"""Regions of an image, its classes and tissues, and the statistics of each at each scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2s2.core.types import Image, Indices, LabelMap, Region
from s2s2.generators.training_free.fill import field_of_view, push_pull
from s2s2.generators.training_free.pyramid import expand, gaussian, laplacian, side

CLUSTER_SIDE = 40
"""Tissues are separated on the first scale whose longer side is no longer than this."""
ROUNDS = 8
"""Rounds of k-means; on so few colours it has settled by then."""
FEWEST = 12.0
"""A region of fewer pixels than this has no statistics of its own."""


@dataclass(frozen=True, slots=True)
class Style:
    """Statistics of each region at each scale.

    Regions are counted in one order everywhere: the classes 1, 2, .. of the
    class map, then the tissues of the background from dark to bright, then the
    whole image.

    Args:
        mean: Mean of a band's coefficients, in units of the image.
        spread: Their standard deviation.
        present: Whether the image shows the region.

    Shape:
        - mean, spread: (scale, region, channel).
        - present: (region,).
    """

    mean: Image
    spread: Image
    present: Region


@dataclass(frozen=True, slots=True)
class Anatomy:
    """An image taken apart into scales and regions.

    Args:
        image: The image itself.
        bands: Its Laplacian pyramid, finest first, the dark surround filled.
        weights: A band's share of each region that is present; they sum to one.
        regions: Which regions of the common order those are.
        surround: Weight of the dark surround, or None where there is none.
        style: The statistics of the bands.

    Shape:
        - image: (channel, height, width).
        - weights: (region present, height, width) of the band.
        - surround: (height, width).
    """

    image: Image
    bands: tuple[Image, ...]
    weights: tuple[Image, ...]
    regions: tuple[int, ...]
    surround: Image | None
    style: Style

    @property
    def nbytes(self) -> int:
        """Memory that this takes, in bytes."""
        return self.image.nbytes + sum(part.nbytes for part in (*self.bands, *self.weights))


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a mask alone says of the regions: the share of its classes at every scale.

    Args:
        classes: The classes that it shows, counted from 0 without the background.
        shares: Their shares, smooth at the borders; None where there is no class.
        background: What is left.

    Shape:
        - shares: (class shown, height, width) of each scale.
        - background: (1, height, width) of each scale.
    """

    classes: tuple[int, ...]
    shares: tuple[Image, ...] | None
    background: tuple[Image, ...]

    @property
    def nbytes(self) -> int:
        """Memory that this takes, in bytes."""
        return sum(part.nbytes for part in (*(self.shares or ()), *self.background))

    @classmethod
    def of(cls, mask: LabelMap, *, classes: int, levels: int) -> Labelled:
        """Measure a mask.

        Args:
            mask: Class ids below `classes`, 0 for the background, (height, width).
            classes: Number of classes with the background.
            levels: How often it is halved.
        """
        found = np.flatnonzero(np.bincount(mask.ravel(), minlength=classes)[1:classes])
        if not found.size:
            empty = gaussian(np.ones((1, *mask.shape), np.float32), levels)
            return cls((), None, tuple(np.ones_like(scale) for scale in empty))
        shares = soften(mask[None] == (found + 1).astype(np.uint8)[:, None, None], levels)
        background = (np.float32(1) - share.sum(axis=0, keepdims=True) for share in shares)
        return cls(tuple(found.tolist()), tuple(shares), tuple(background))


def dissect(image: Image, mask: LabelMap, labelled: Labelled, *, classes: int, tissues: int) -> Anatomy:
    """Take an image apart into scales and regions.

    Args:
        image: In [0, 1].
        mask: Class ids below `classes`, 0 for the background.
        labelled: What the mask says; the image is halved as often as it was.
        classes: Number of classes with the background.
        tissues: Sub-regions of the background, separated by their low-band colour.

    Shape:
        - image: (channel, height, width).
        - mask: (height, width).

    Example:
        >>> image = np.random.default_rng(0).random((3, 32, 48), np.float32)
        >>> mask = np.zeros((32, 48), np.uint8)
        >>> mask[8:24, 8:24] = 1
        >>> labelled = Labelled.of(mask, classes=2, levels=2)
        >>> anatomy = dissect(image, mask, labelled, classes=2, tissues=2)
        >>> anatomy.regions, [weights.shape for weights in anatomy.weights]
        ((0, 1, 2), [(3, 32, 48), (3, 16, 24), (3, 8, 12)])
    """
    levels = len(labelled.background) - 1
    hidden, grown = field_of_view(image, mask > 0)
    scales = gaussian(push_pull(image, grown), levels)
    bands = laplacian(scales)
    surround = soften(grown, levels) if hidden.any() else None
    shown = [np.float32(1) - share for share in surround] if surround is not None else None
    regions, weights = weigh(scales, labelled, shown, classes=classes, tissues=tissues)
    style = _measure(bands, weights, shown, regions, total=classes + tissues)
    alpha = surround[0][0] if surround is not None else None
    return Anatomy(image, tuple(bands), tuple(weights), regions, alpha, style)


def soften(region: Region, levels: int) -> list[Image]:
    """Return a region's share of the pixels at each scale, smooth at the finest too.

    Shape:
        - region: (height, width) or (region, height, width).
        - returns: (region, height, width) of each scale.
    """
    share = region.reshape(-1, *side(region)).astype(np.float32)
    scales = gaussian(share, max(1, levels))
    scales[0] = expand(scales[1], side(share))
    return scales[: levels + 1]


def weigh(
    scales: list[Image],
    labelled: Labelled,
    shown: list[Image] | None,
    *,
    classes: int,
    tissues: int,
) -> tuple[tuple[int, ...], list[Image]]:
    """Return the regions that are present and their shares of every scale.

    Args:
        scales: The image and its halvings, finest first; one of them, the last if need be, is
            coarse enough to tell the tissues apart.
        labelled: What the mask says, at the same scales.
        shown: Share of each pixel, at each scale, that is no dark surround; None: all.
        classes: Number of classes with the background.
        tissues: Sub-regions of the background.

    Returns:
        Numbers of the regions in the order of `Style`, and for each scale their shares,
        (region, height, width), which sum to one.
    """
    levels, background = len(scales) - 1, labelled.background
    anchor = next((i for i, scale in enumerate(scales) if max(side(scale)) <= CLUSTER_SIDE), levels)
    inside = background[anchor][0] > 0.5
    if shown is not None:
        inside &= shown[anchor][0] > 0.5
    labels = cluster(scales[anchor], inside, tissues)
    seen = np.unique(labels)
    shares = gaussian((labels[None] == seen[:, None, None]).astype(np.float32), levels - anchor)
    for scale in reversed(scales[:anchor]):
        shares.insert(0, expand(shares[0], side(scale)))
    weights = [share * rest for share, rest in zip(shares, background, strict=True)]
    if labelled.shares is not None:
        weights = [np.concatenate(pair) for pair in zip(labelled.shares, weights, strict=True)]
    return (*labelled.classes, *(classes - 1 + seen).tolist()), weights


def cluster(colours: Image, inside: Region, count: int) -> Indices:
    """Sort pixels into `count` tissues by colour, ordered from dark to bright.

    K-means from the quantiles of brightness: no random start, so that an image
    is divided in the same way every time.

    Args:
        colours: A coarse scale of the image.
        inside: The pixels that define the tissues; all are sorted into them.
        count: How many tissues; some may turn out empty.

    Shape:
        - colours: (channel, height, width).
        - inside: (height, width).
        - returns: (height, width), tissue numbers from 0 to `count` - 1.

    Example:
        >>> colours = np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 2, 8)
        >>> cluster(colours, np.ones((2, 8), bool), 2).tolist()
        [[0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1]]
    """
    points = colours[:, inside].T
    if count < 2 or len(points) < 4 * count:
        return np.zeros(side(colours), np.intp)
    order = np.argsort(points.mean(axis=1), kind="stable")
    centres = np.stack([points[part].mean(axis=0) for part in np.array_split(order, count)])
    for _ in range(ROUNDS):
        labels = _nearest(points.T, centres)
        sizes = np.bincount(labels, minlength=count)
        sums = np.stack([np.bincount(labels, channel, minlength=count) for channel in points.T], axis=1)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres).astype(
            np.float32
        )
    centres = centres[np.argsort(centres.mean(axis=1), kind="stable")]
    return _nearest(colours.reshape(len(colours), -1), centres).reshape(side(colours))


def _nearest(points: Image, centres: Image) -> Indices:
    """Return the number of the nearest centre of every column of `points`."""
    distances = ((points[None] - centres[:, :, None]) ** 2).sum(axis=1)
    return np.asarray(distances.argmin(axis=0))


def _measure(
    bands: list[Image],
    weights: list[Image],
    shown: list[Image] | None,
    regions: tuple[int, ...],
    *,
    total: int,
) -> Style:
    """Return the weighted mean and standard deviation of every region, scale and channel."""
    channels = len(bands[0])
    mean = np.zeros((len(bands), total, channels), np.float32)
    spread = np.zeros_like(mean)
    present = np.zeros(total, bool)
    rows = [*regions, total - 1]
    for level, (band, share) in enumerate(zip(bands, weights, strict=True)):
        known = (share if shown is None else share * shown[level]).reshape(len(share), -1)
        size, first, second = _moments(band.reshape(channels, -1), known)
        mean[level, rows] = first / size
        spread[level, rows] = np.sqrt(np.maximum(second / size - (first / size) ** 2, 0))
        if level == 0:
            present[rows] = size[:, 0] >= FEWEST
    return Style(mean, spread, present)


def _moments(values: Image, shares: Image) -> tuple[Image, Image, Image]:
    """Return the weight, the sum and the sum of squares by region, the whole image last.

    `einsum` and not a matrix product: a BLAS sums in another order when it has
    more threads, and a copy may not depend on that.
    """
    size = shares.sum(axis=1, keepdims=True)
    first = np.einsum("rn,cn->rc", shares, values)
    second = np.einsum("rn,cn->rc", shares, values * values)
    parts = (np.concatenate([part, part.sum(axis=0, keepdims=True)]) for part in (size, first, second))
    size, first, second = parts
    return np.maximum(size, np.float32(1e-6)), first, second
