"""Generator `composite`: the labelled region of a case in the surroundings of another patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from s2s2.core.cache import Cache
from s2s2.core.types import Image, Indices
from s2s2.data.case import Case
from s2s2.errors import ConfigError
from s2s2.generators.base import EXACT
from s2s2.generators.donors import Borrower, Donors
from s2s2.generators.training_free.parts import Plate, Subject, outline
from s2s2.generators.training_free.placing import ORIENTATIONS, Outline, choose
from s2s2.generators.training_free.pyramid import collapse, gaussian, laplacian

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


GLOW = 0.1
"""Ground below this share of white takes on the less of the case's light the darker it is."""
GAIN = (0.5, 1.6)
"""Range of the factor that a channel of the case is multiplied by at most."""


@dataclass(frozen=True, slots=True)
class CompositeConfig:
    """Options of `Composite`.

    Args:
        donors: How many donors of other groups a copy chooses from.
        turn: Whether a donor may be turned and mirrored (8 orientations) or not.
        scale: Range of the factor that a donor is enlarged by.
        noise: Standard deviation of the noise on a donor's score; more makes
            copies more varied, less makes them fit better.
        margin: How far round its foreground a donor is repaired, in pixels of an
            image whose longer side is 128 px.
        colour: Range of how far the case's colours move towards the surroundings.
        keep: Share of the case's own pixels inside the mask.
        coarsest: Longer side of the coarsest scale of the blend, in pixels.
        cache_mb: Memory for repaired donors, in MiB.
    """

    donors: int = 32
    turn: bool = True
    scale: tuple[float, float] = (0.8, 1.25)
    noise: float = 0.25
    margin: float = 3.0
    colour: tuple[float, float] = (0.3, 1.0)
    keep: float = 0.5
    coarsest: int = 8
    cache_mb: int = 512

    def __post_init__(self) -> None:
        if self.donors < 1:
            raise ConfigError(f"composite: donors must be 1 or more, got {self.donors}.")
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ConfigError(f"composite: scale must be a range above 0, got {self.scale}.")
        if not 0 <= self.colour[0] <= self.colour[1] <= 1:
            raise ConfigError(f"composite: colour must be a range within 0 to 1, got {self.colour}.")
        if not 0 <= self.keep <= 1:
            raise ConfigError(f"composite: keep must lie in 0 to 1, got {self.keep}.")
        if self.noise < 0 or self.margin < 0 or self.coarsest < 1:
            raise ConfigError(
                "composite: noise and margin must be 0 or more and coarsest 1 or more, got "
                f"{self.noise}, {self.margin} and {self.coarsest}."
            )


class Composite(Borrower):
    r"""A new image of the same mask from real parts.

    1. Of some donors of other groups, each in eight orientations, the one whose
       foreground is most similar in position and size is placed under the case.
    2. Its own foreground is taken out and filled from its surroundings.
    3. The case's colours move towards those of the ground that they now lie in, by
       the ratio of the two means in a ring round the mask.
    4. With the bands $B_l$ of a Laplacian pyramid and the mask's share $w_l$ of the
       pixels of scale $l$, the copy is $\sum_l w_l B_l(\text{case}) + (1 - w_l)
       B_l(\text{ground})$; inside the mask, `keep` of the case's own pixels remain.
       Thin parts, such as vessels, are added by their contrast.

    The foreground is the union of all classes, and it never moves: the mask of the
    copy is the mask of the case. A case without foreground gives the surroundings
    alone.

    Args:
        config: Its options.

    Reference:
        Burt and Adelson, *A multiresolution spline with application to image
        mosaics*, ACM Transactions on Graphics 2(4), 1983.
    """

    name = "composite"
    traits = frozenset({EXACT})
    options: CompositeConfig

    def __init__(self, config: CompositeConfig | None = None) -> None:
        self.options = config or CompositeConfig()
        self._outlines: list[Outline] = []
        self._white = 1.0
        self._plates: Cache[Plate] = Cache(self.options.cache_mb, renewed=True)
        self._subjects: Cache[Subject] = Cache(0, renewed=True)

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Measure the outline of every training case.

        Raises:
            SplitError: If all training cases are of one group.
        """
        self._donors = donors = Donors(dataset, split)
        self._plates, self._subjects = Cache(self.options.cache_mb, renewed=True), Cache(0, renewed=True)
        self._outlines, white = [], 0.0
        for case in donors.cases:
            image = donors.image(case)
            white = max(white, float(image.max()))
            self._outlines.append(outline(image, donors.mask(case) > 0, self.options.margin))
        self._white = white or 1.0
        return self

    def _maker(self, case: Case, donors: Donors) -> Callable[[np.random.Generator], Image]:
        own = self._outlines[donors.require(case)]
        subject = self._subjects.get(
            case.id,
            lambda: Subject.of(
                donors.image(case),
                donors.mask(case) > 0,
                coarsest=self.options.coarsest,
                margin=self.options.margin,
            ),
        )

        def make(rng: np.random.Generator) -> Image:
            ground = self._ground(own, subject, donors.others(case.group), donors, rng)
            return np.clip(self._blend(subject, ground, rng) if own.radius else ground, 0, 1)

        return make

    def _ground(
        self,
        own: Outline,
        subject: Subject,
        others: Indices,
        donors: Donors,
        rng: np.random.Generator,
    ) -> Image:
        """Return the surroundings: a donor without its foreground, placed under the case."""
        placing = choose(
            own,
            self._outlines,
            rng.choice(others, min(self.options.donors, len(others)), replace=False),
            subject.points,
            subject.zone,
            turns=ORIENTATIONS if self.options.turn else ORIENTATIONS[:1],
            scales=self.options.scale,
            noise=self.options.noise,
            rng=rng,
        )
        donor = donors.cases[placing.donor]
        plate = self._plates.get(
            donor.id,
            lambda: Plate.of(donors.image(donor), donors.mask(donor) > 0, self.options.margin),
        )
        return placing.warp(plate.image, own.shape, plate.outside)

    def _blend(self, subject: Subject, ground: Image, rng: np.random.Generator) -> Image:
        """Return the case set into the ground."""
        ratio = self._ratio(subject, ground)[:, None, None]
        own = subject.image * np.power(ratio, np.float32(rng.uniform(*self.options.colour)))
        bands = laplacian(gaussian(own - ground, len(subject.weights) - 1))
        blend = collapse([share * band for share, band in zip(subject.weights, bands, strict=True)])
        # Light of the case must not glow in the dark outside the field of view.
        lit = np.minimum(ground.max(axis=0) * np.float32(1 / (GLOW * self._white)), 1)
        blend *= lit + (1 - lit) * subject.weights[0]
        blend += ground
        blend += np.float32(self.options.keep) * subject.weights[0] * (own - blend)
        # A thread has no colour of its own to keep: it is darker or brighter than its ground.
        blend += subject.thin * (ground + subject.contrast * ratio - blend)
        return blend

    def _ratio(self, subject: Subject, ground: Image) -> Image:
        """Return how much brighter each channel of the ground is than the case's own ground."""
        there = ground.reshape(len(ground), -1)[:, subject.ring]
        lit = there.max(axis=0, initial=0) > GLOW / 2 * self._white
        if subject.ring_mean is None or not lit.any():
            return np.ones(len(ground), np.float32)
        floor = np.float32(0.02 * self._white)
        ratio = (there[:, lit].mean(axis=1) + floor) / (subject.ring_mean + floor)
        # Half of it is shared between the channels: else a pale object turns blue or green.
        ratio = np.sqrt(ratio * np.exp(np.log(ratio).mean()))
        clipped: Image = np.clip(ratio, *GAIN)
        return clipped
