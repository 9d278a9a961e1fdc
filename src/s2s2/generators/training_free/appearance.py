"""Generator `appearance`: the case keeps its geometry and takes the style of another patient."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from s2s2.core.cache import Cache
from s2s2.core.types import Image, LabelMap
from s2s2.data.case import Case
from s2s2.errors import ConfigError
from s2s2.generators.base import EXACT, GEOMETRY, Restyler
from s2s2.generators.donors import Borrower, Donors
from s2s2.generators.training_free.pyramid import expand, levels_for, side
from s2s2.generators.training_free.regions import Anatomy, Labelled, Style, dissect

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


@dataclass(frozen=True, slots=True)
class AppearanceConfig:
    """Options of `Appearance`.

    Args:
        strength: Range of how far a region's style moves towards the donor's:
            0 stays, 1 arrives, more goes beyond.
        ratio: Range that the ratio of two standard deviations is clipped to.
        extrapolate: How far copies go beyond what donors show: 0 not at all, 0.5
            well beyond, with tints and contrasts no donor has.
        tissues: Sub-regions of the background, separated by colour.
        coarsest: Longer side of the coarsest scale in pixels.
        cache_mb: Memory for images taken apart, and as much for their masks, in MiB.
    """

    strength: tuple[float, float] = (0.5, 1.2)
    ratio: tuple[float, float] = (0.3, 3.0)
    extrapolate: float = 0.0
    tissues: int = 3
    coarsest: int = 8
    cache_mb: int = 128

    def __post_init__(self) -> None:
        low, high = self.ratio
        if not 0 < low <= 1 <= high:
            raise ConfigError(f"appearance: ratio must be a range round 1 above 0, got {self.ratio}.")
        if not 0 <= self.strength[0] <= self.strength[1]:
            raise ConfigError(f"appearance: strength must be a range from 0 on, got {self.strength}.")
        if not 0 <= self.extrapolate <= 2:
            raise ConfigError(f"appearance: extrapolate must lie in 0 to 2, got {self.extrapolate}.")
        if self.tissues < 1 or self.coarsest < 1:
            raise ConfigError(
                f"appearance: tissues and coarsest must be 1 or more, got {self.tissues} and {self.coarsest}."
            )


class Appearance(Borrower, Restyler):
    r"""Moves the statistics of every region and scale towards a donor's.

    The image is taken apart into the bands $B_l$ of a Laplacian pyramid. With the
    mean $\mu_{lr}$ and the standard deviation $\sigma_{lr}$ of band $l$ in region
    $r$, the same of the donor ($\mu', \sigma'$) and a random strength $s_r$,

    $$B_l \leftarrow \sum_r w_{lr} \bigl[(B_l - \mu_{lr}) (\sigma'_{lr} / \sigma_{lr})^{s_r}
        + \mu_{lr} + s_r (\mu'_{lr} - \mu_{lr})\bigr],$$

    with weights $w_{lr}$ that sum to one and are smooth where regions meet. Regions
    are the classes and the tissues of the background, dark to bright; the dark
    surround of a field of view stays as it is. A class that the donor lacks is
    taken from another donor that shows it; one that no donor shows moves as the
    image as a whole does.

    `extrapolate` $= e$ multiplies the deviations by log-normal gains of width
    $\propto e$ for each scale and region, four fifths of their variance shared between the
    channels, shifts the coarsest band and mixes the channels by a matrix near the
    identity whose rows sum to one.

    Args:
        config: Its options.

    Reference:
        Reinhard et al., *Color transfer between images*, IEEE CG&A 2001 (one scale,
        one region); Heeger and Bergen, *Pyramid-based texture analysis/synthesis*,
        SIGGRAPH 1995 (scales); Billot et al., *SynthSeg*, Medical Image Analysis
        2023 (random contrasts, unlabelled tissue clustered).
    """

    name = "appearance"
    traits = frozenset({EXACT, GEOMETRY})
    options: AppearanceConfig

    def __init__(self, config: AppearanceConfig | None = None) -> None:
        self.options = config or AppearanceConfig()
        self._styles: tuple[Style, ...] = ()
        self._levels = 0
        self._range = np.float32(1)
        self._white = 1.0
        self._keep_nothing()

    def _keep_nothing(self) -> None:
        self._cache: Cache[Anatomy] = Cache(self.options.cache_mb, renewed=True)
        self._masks: Cache[Labelled] = Cache(self.options.cache_mb, renewed=True)

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Measure the style of every training case.

        Raises:
            SplitError: If all training cases are of one group.
        """
        donors = Donors(dataset, split)
        longest = min(max(donors.mask(case).shape) for case in donors.cases)
        self._levels = levels_for(longest, coarsest=self.options.coarsest)
        self._donors = donors
        self._keep_nothing()
        styles, white = [], 0.0
        for case in donors.cases:
            anatomy = self._anatomy(case, donors)
            white = max(white, float(anatomy.image.max()))
            styles.append(anatomy.style)
        self._styles, self._white = tuple(styles), white or 1.0
        # The coarsest band's spread over all cases: what a shift of brightness is measured by.
        means = np.stack([style.mean[-1, -1] for style in self._styles])
        spreads = np.stack([style.spread[-1, -1] for style in self._styles])
        spread = np.sqrt(np.mean(spreads**2) + np.mean(means.var(axis=0)))
        self._range = np.float32(max(1e-6, 2 * spread))
        return self

    def _maker(self, case: Case, donors: Donors) -> Callable[[np.random.Generator], Image]:
        anatomy = self._anatomy(case, donors)
        return lambda rng: self._restyle(anatomy, rng, case.group)

    def restyle(self, image: Image, mask: LabelMap, rng: np.random.Generator, case: Case) -> Image:
        """Return any image of the case's mask with the style of a donor of another group."""
        donors = self._fitted()
        donors.require(case)
        return self._restyle(self._dissect(image, mask, donors.classes), rng, case.group)

    def _anatomy(self, case: Case, donors: Donors) -> Anatomy:
        """Return a case taken apart, which its copies share."""
        return self._cache.get(
            case.id, lambda: self._dissect(donors.image(case), donors.mask(case), donors.classes)
        )

    def _dissect(self, image: Image, mask: LabelMap, classes: int) -> Anatomy:
        # Copies of another generator are all different, but their mask is one.
        labelled = self._masks.get(
            (mask.shape, hashlib.blake2b(mask.tobytes(), digest_size=16).digest()),
            lambda: Labelled.of(mask, classes=classes, levels=self._levels),
        )
        return dissect(image, mask, labelled, classes=classes, tissues=self.options.tissues)

    def _restyle(self, anatomy: Anatomy, rng: np.random.Generator, group: str) -> Image:
        target = self._borrow(anatomy, rng, group)
        gain, mean = self._aim(anatomy.style, target, rng)
        if self.options.extrapolate > 0:
            gain, mean = self._go_beyond(gain, mean, rng)
        shift = mean - anatomy.style.mean * gain
        styled = _apply(anatomy, gain, shift)
        if self.options.extrapolate > 0 and len(styled) > 1:
            styled = _mix(styled, self.options.extrapolate, rng)
        if anatomy.surround is not None:
            styled += anatomy.surround * (anatomy.image - styled)
        return np.clip(styled, 0, 1, out=styled)

    def _borrow(self, anatomy: Anatomy, rng: np.random.Generator, group: str) -> Style:
        """Return the style of a donor, its missing regions borrowed or marked as absent."""
        others = rng.permutation(self._fitted().others(group))
        donor = self._styles[others[0]]
        mean, spread, present = donor.mean.copy(), donor.spread.copy(), donor.present.copy()
        for region in anatomy.regions:
            lender = next((self._styles[i] for i in others if self._styles[i].present[region]), None)
            if lender is not None and not present[region]:
                mean[:, region], spread[:, region] = lender.mean[:, region], lender.spread[:, region]
                present[region] = True
        return Style(mean, spread, present)

    def _aim(self, own: Style, target: Style, rng: np.random.Generator) -> tuple[Image, Image]:
        """Return the gain and the new mean of every scale, region and channel."""
        scales, regions, _ = own.mean.shape
        strength = rng.uniform(*self.options.strength, (1, regions, 1)).astype(np.float32)
        wobble = rng.uniform(*self.options.strength, (scales, 1, 1)).astype(np.float32)
        floor = np.float32(1e-3) * self._range
        ratio = (target.spread + floor) / (own.spread + floor)
        # Half of it is shared between the channels: else the edges turn coloured.
        ratio = np.sqrt(ratio * np.exp(np.log(ratio).mean(axis=-1, keepdims=True)))
        gain = np.clip(ratio, *self.options.ratio) ** ((strength + wobble) / 2)
        mean = own.mean + strength * (target.mean - own.mean)
        # A region that no donor shows moves as the image as a whole moves.
        alone = ~(own.present & target.present)
        gain[:, alone] = gain[:, -1:]
        mean[:, alone] = own.mean[:, alone] + (mean - own.mean)[:, -1:]
        return gain.astype(np.float32), mean.astype(np.float32)

    def _go_beyond(self, gain: Image, mean: Image, rng: np.random.Generator) -> tuple[Image, Image]:
        """Widen the gains and shift the coarsest band beyond what donors show."""
        amount = self.options.extrapolate
        scales, regions, channels = gain.shape
        shared, single = rng.standard_normal((scales, regions, 1)), rng.standard_normal(gain.shape)
        gain = gain * np.exp(amount * GAIN_WIDTH * (np.sqrt(0.8) * shared + np.sqrt(0.2) * single))
        shift = rng.standard_normal(1) + 0.6 * rng.standard_normal(channels)
        shift = (
            shift + 0.5 * rng.standard_normal((regions, 1)) + 0.3 * rng.standard_normal((regions, channels))
        )
        mean = mean.copy()
        mean[-1] += np.float32(amount) * SHIFT_WIDTH * self._range * shift
        np.clip(mean[-1], 0.05 * self._white, 0.9 * self._white, out=mean[-1])
        return gain.astype(np.float32), mean


GAIN_WIDTH = 0.7
"""Standard deviation of the logarithm of a gain at `extrapolate` 1."""
SHIFT_WIDTH = np.float32(0.5)
"""Standard deviation of a shift at `extrapolate` 1, in units of the data's own range."""
MIX_WIDTH = 0.35
"""Standard deviation of an entry of the mixing matrix at `extrapolate` 1."""


def _apply(anatomy: Anatomy, gain: Image, shift: Image) -> Image:
    """Return the sum of all bands, each multiplied and shifted region by region."""
    rows = list(anatomy.regions)
    image: Image | None = None
    for level in reversed(range(len(anatomy.bands))):
        band, weights = anatomy.bands[level], anatomy.weights[level]
        maps = np.einsum(
            "rhw,rc->chw", weights, np.concatenate([gain[level, rows], shift[level, rows]], axis=1)
        )
        styled = maps[: len(band)]
        styled *= band
        styled += maps[len(band) :]
        if image is not None:
            styled += expand(image, side(styled))
        image = styled
    return image if image is not None else anatomy.image


def _mix(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """Mix the channels by a matrix near the identity that leaves grey as it is."""
    channels = len(image)
    noise = rng.standard_normal((channels, channels)) * amount * MIX_WIDTH
    noise -= noise.mean(axis=1, keepdims=True)
    matrix = (np.eye(channels) + noise * np.sqrt(3 / channels)).astype(np.float32)
    mixed: Image = np.einsum("dhw,dc->chw", image, np.ascontiguousarray(matrix.T))
    return mixed
