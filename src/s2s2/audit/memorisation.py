r"""Memorisation: copies that are nearly a training image.

Such a copy is no new image, leaves the consistency loss empty, and breaches privacy.

The nearest real training image of a copy lies at $d_1$, the nearest of any other patient at
$d_2$. An image that copies nothing lies about as far from one patient as from the next, so
$d_1 / d_2$ is near 1; the real images show how near, when each is compared with those of
other patients alone. A copy of an image lies much nearer to it; the real images in other
light show how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from s2s2.core.types import Floats, Image, Indices, Region
from s2s2.data.grid import resize_image, working_shape


class Nearest(NamedTuple):
    """The nearest real image of each of n images.

    Args:
        case: Index of the real image, (n,).
        first: Its distance, (n,).
        second: Distance of the nearest real image of another group than that one's, (n,);
            infinite where there is none.
    """

    case: Indices
    first: Floats
    second: Floats

    @property
    def ratio(self) -> Floats:
        """First to second distance, in [0, 1]."""
        return np.divide(
            self.first, self.second, out=np.ones_like(self.first), where=np.asarray(self.second) > 0
        )


def nearest(distance: Floats, groups: Indices) -> Nearest:
    """Find the nearest real image and the nearest of another group.

    Args:
        distance: Of every image to every real image; infinite where a real image must not count.
        groups: Group of every real image.

    Shape:
        - distance: (n, real).
        - groups: (real,).

    Example:
        >>> found = nearest(np.array([[0.1, 0.15, 0.5]]), np.array([0, 0, 1]))
        >>> int(found.case[0]), float(found.ratio[0])
        (0, 0.2)
    """
    index = distance.argmin(axis=1)
    first = distance[np.arange(len(distance)), index]
    others = np.where(groups[index][:, None] == groups, np.inf, distance)
    return Nearest(index, first, others.min(axis=1))


def structural_similarity(images: Image, real: Image, size: int) -> Floats:
    """Return the SSIM of each image to a real one, on a grid of at most `size` pixels.

    Shape:
        - images: (n, channel, height, width), in [0, 1].
        - real: (channel, height, width), in [0, 1].
        - returns: (n,), in [-1, 1]; NaN where an image is smaller than the window of 7 pixels.

    Reference:
        Wang et al., *Image quality assessment: from error visibility to structural
        similarity*, IEEE TIP 2004.
    """
    import torch
    from monai.metrics.regression import compute_ssim_and_cs

    shape = (real.shape[1], real.shape[2])
    if max(shape) > size:
        shape = working_shape(shape, size)
    if min(shape) < 7:
        return np.full(len(images), np.nan)
    small = torch.from_numpy(np.stack([resize_image(image, shape) for image in images]))
    own = torch.from_numpy(resize_image(real, shape))[None].expand_as(small)
    values, _ = compute_ssim_and_cs(
        small, own, spatial_dims=2, kernel_size=(7, 7), kernel_sigma=(1.5, 1.5), data_range=1.0
    )
    return values.flatten(1).double().mean(1).numpy()


@dataclass(frozen=True, slots=True)
class MemorisationRule:
    """Which copies are nearly a training image.

    Args:
        ratio: First to second distance below which a copy lies too near to one patient.
        duplicate: Distance to a real image up to which a copy is that image, saved again.
    """

    ratio: float
    duplicate: float

    @classmethod
    def fit(cls, real: Floats, relighted: Floats, saved: Floats, quantile: float) -> MemorisationRule:
        """Set the rule by real images.

        The line for the ratio lies halfway between real images, which copy none of another
        patient, and real images in other light, which copy one in another style: at the
        quantiles that turn towards each other.

        Args:
            real: First to second distance of every real image among those of other groups.
            relighted: First to second distance of real images in other light and colour.
            saved: Distances of real images to themselves after they were compressed again and
                moved in light by too little to see.
            quantile: Share of each that may lie beyond its end, in (0, 0.5).

        Example:
            >>> ends = np.array([0.9]), np.array([0.5]), np.array([0.1])
            >>> MemorisationRule.fit(*ends, 0.05)
            MemorisationRule(ratio=0.7, duplicate=0.1)
        """
        low = float(np.quantile(real, quantile))
        middle = (low + float(np.quantile(relighted, 1 - quantile))) / 2
        return cls(round(min(low, middle), 6), round(float(np.quantile(saved, 1 - quantile)), 6))

    def memorised(self, first: Floats, second: Floats, *, excused: Region) -> Region:
        """Return which copies are nearly a training image.

        A generator that keeps the real image's geometry by design gives copies that lie nearer to
        their own image than to any other, whatever their style. Where it is their own that is
        nearest they are excused from the ratio, and judged by their distance alone.

        Args:
            first: Distance to the nearest real image.
            second: Distance to the nearest of another group than that one's.
            excused: Which copies may lie near to one real image, their own.
        """
        return (first <= self.duplicate) | (~excused & (first < self.ratio * second))
