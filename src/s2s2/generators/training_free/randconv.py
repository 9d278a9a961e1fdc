"""Generator `randconv`: the case keeps its geometry and takes a random style that no scanner has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from s2s2.core.cache import Cache
from s2s2.core.types import Image, LabelMap
from s2s2.data.case import Case
from s2s2.data.transforms.styles import (
    NO_CONTRAST,
    bends,
    moments,
    random_convolution,
    random_curve,
    standardised,
)
from s2s2.generators.base import EXACT, GEOMETRY, Restyler
from s2s2.generators.donors import Borrower, Donors
from s2s2.generators.options import check
from s2s2.generators.training_free.pyramid import expand, gaussian, levels_for
from s2s2.generators.training_free.regions import CLUSTER_SIDE, Labelled, weigh

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


@dataclass(frozen=True, slots=True)
class RandConvConfig:
    """Options of `RandConv`.

    Args:
        width: How far styles go, 0 to 1: 0 (gentle) stays near the brightness and contrast of the
            image and never turns dark into bright, 1 (wide) takes any brightness and contrast and
            either polarity.
        kind: `convolution` draws a random convolution for each copy, `curve` a random intensity
            curve for each region, `either` one or the other.
        apart: Probability that every class and tissue moves on its own, 0 to 1.
        shift: Standard deviation of a region's own change of brightness, in units of the range.
        tint: Standard deviation of a colour cast, of the whole image and half as much of each
            region, in units of the range; grey images have none.
        tissues: Sub-regions of the background, separated by colour.
        cache_mb: Memory for the regions of cases, in MiB.
    """

    width: float = 1.0
    kind: Literal["convolution", "curve", "either"] = "either"
    apart: float = 0.6
    shift: float = 0.15
    tint: float = 0.12
    tissues: int = 2
    cache_mb: int = 128

    def __post_init__(self) -> None:
        shares = dict.fromkeys(("width", "apart", "shift", "tint"), (0.0, 1.0))
        check("randconv", self, {**shares, "tissues": (1, 16), "cache_mb": (0, float("inf"))})


MEAN, SPREAD = (0.1, 0.85), (0.08, 0.3)
"""Range of a wide copy's mean and standard deviation."""
NUDGE, STRETCH = 0.15, 0.4
"""Standard deviation of a gentle copy's mean, and of the logarithm of its standard deviation."""


class RandConv(Borrower, Restyler):
    r"""Gives a copy a random texture, polarity, brightness, contrast and colour, region by region.

    A copy is $\operatorname{clip}(m + t + s\,p\,\bar{x} + \sum_r w_r (d_r + t_r))$ with the texture
    $\bar{x}$ of a random convolution or of random intensity curves, standardised in each channel, the
    polarity $p = \pm 1$, a random mean $m$, contrast $s$ and tint $t$, and for each region $r$ with
    smooth weights $w_r$ a change of brightness $d_r$ and tint $t_r$ of its own. Regions are the
    classes and the tissues of the background. With probability 1 - `width` the polarity of the
    image as a whole is kept; else it is either, with even chances.

    Where a class moves on its own, its brightness says nothing of it any more, so a network
    must learn its shape and its borders. No acquisition augmentation does this: it does not
    know the mask.

    Args:
        config: Its options.

    Reference:
        Xu et al., RandConv, ICLR 2021; Ouyang et al., GIN, IEEE TMI 2023 (random networks);
        arXiv:2512.01510 (a random convolution for each class); Su et al., SLAug, AAAI 2023
        (intensity curves for each class); Billot et al., SynthSeg, Medical Image
        Analysis 2023 (any contrast of any region).
    """

    name = "randconv"
    traits = frozenset({EXACT, GEOMETRY})
    options: RandConvConfig

    def __init__(self, config: RandConvConfig | None = None) -> None:
        self.options = config or RandConvConfig()
        self._cache: Cache[Image] = Cache(self.options.cache_mb, renewed=True)

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Note the training cases; there is nothing to learn, and one patient is enough."""
        self._donors = Donors(dataset, split, groups=1)
        self._cache = Cache(self.options.cache_mb, renewed=True)
        return self

    def _maker(self, case: Case, donors: Donors) -> Callable[[np.random.Generator], Image]:
        image = donors.image(case)
        weights = self._cache.get(case.id, lambda: self._regions(image, donors.mask(case)))
        return lambda rng: self._restyle(image, weights, rng)

    def restyle(self, image: Image, mask: LabelMap, rng: np.random.Generator, case: Case) -> Image:
        """Return any image of the case's mask in a random style."""
        self._fitted().require(case)
        return self._restyle(image, self._regions(image, mask), rng)

    def _regions(self, image: Image, mask: LabelMap) -> Image:
        """Return the share of every pixel in each class and tissue, (region, height, width)."""
        levels, classes = max(1, levels_for(max(mask.shape), coarsest=CLUSTER_SIDE)), self._fitted().classes
        scales, labelled = gaussian(image, levels), Labelled.of(mask, classes=classes, levels=levels)
        return weigh(scales, labelled, None, classes=classes, tissues=self.options.tissues)[1][0]

    def _restyle(self, image: Image, weights: Image, rng: np.random.Generator) -> Image:
        width, (middle, spread) = np.float32(self.options.width), moments(image)
        if flat := spread < NO_CONTRAST:
            image = _blotches(image.shape, rng)
            middle = moments(image)[0]
        copy = _standardised_channels(self._texture(image, weights, rng))
        drawn = rng.random()
        turned = drawn < width / 2
        if drawn >= width:
            _keep_polarity(copy, image)
        # Both draws are made at every width, so that a wider style is the same one, gone further.
        near = (
            middle + rng.normal(0, NUDGE),
            spread * np.exp(rng.normal(0, STRETCH)),
        )
        far = rng.uniform(*MEAN), rng.uniform(*SPREAD)
        mean = (1 - width) * np.clip(near[0], *MEAN) + width * far[0]
        contrast = SPREAD[0] if flat else near[1] ** (1 - width) * far[1] ** width
        copy *= np.float32(-contrast if turned else contrast)
        copy += np.float32(mean) + self._tint(rng, len(image))
        if rng.random() < self.options.apart:
            self._part(copy, weights, rng)
        return np.clip(copy, 0, 1, out=copy)

    def _texture(self, image: Image, weights: Image, rng: np.random.Generator) -> Image:
        """Return the image after a random convolution, or after a random curve in each region."""
        bent = rng.random() < 0.5 if self.options.kind == "either" else self.options.kind == "curve"
        if not bent:
            return random_convolution(image, rng)
        curves = (random_curve(rng, inverted=bool(rng.random() < self.options.width / 2)) for _ in weights)
        result = np.zeros(image.shape, np.float32)
        for weight, styled in zip(weights, bends(image, curves), strict=True):
            styled *= weight
            result += styled
        return result

    def _part(self, copy: Image, weights: Image, rng: np.random.Generator) -> None:
        """Move the brightness and the colour of every region on their own, in place."""
        for weight in weights:
            moved = np.float32(rng.normal(0, self.options.shift)) + self._tint(rng, len(copy)) / 2
            for channel, step in zip(copy, moved.ravel(), strict=False):
                channel += step * weight

    def _tint(self, rng: np.random.Generator, channels: int) -> Image:
        """Return a colour cast, (channel, 1, 1)."""
        cast = rng.normal(0, self.options.tint, (channels, 1, 1)).astype(np.float32)
        return cast if channels > 1 else np.zeros_like(cast)


def _standardised_channels(image: Image) -> Image:
    """Return the image with mean 0 and standard deviation 1 in each channel."""
    return np.stack([standardised(channel) for channel in image])


def _keep_polarity(copy: Image, image: Image) -> None:
    """Turn back, in place, every channel that a random network has inverted."""
    brightness = standardised(image.mean(axis=0))
    for channel in copy:
        if float((channel * brightness).mean()) < 0:
            np.negative(channel, out=channel)


def _blotches(shape: tuple[int, ...], rng: np.random.Generator) -> Image:
    """Return soft random blotches in place of an image that shows nothing, so that no copy is blank."""
    size = (shape[-2], shape[-1])
    sides = [size]
    while max(sides[-1]) > 4:
        sides.append(tuple((side + 1) // 2 for side in sides[-1]))  # type: ignore[arg-type]
    field = rng.random((1, *sides[-1]), np.float32)
    for finer in reversed(sides[:-1]):
        field = expand(field, finer)
    return np.repeat(field, shape[0], axis=0)
