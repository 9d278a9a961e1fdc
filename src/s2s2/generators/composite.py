"""The labelled region of a case in the surroundings of another patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from s2s2.data.case import Case
from s2s2.data.streams import stream
from s2s2.errors import ConfigError
from s2s2.generators.donors import Cache, Donors
from s2s2.generators.fill import Region, dark_surround, dilate, push_pull
from s2s2.generators.options import to_json
from s2s2.generators.placing import GRID, ORIENTATIONS, Outline, Placing, Points, choose, lattice
from s2s2.generators.pyramid import Image, collapse, gaussian, laplacian, levels_for
from s2s2.generators.regions import soften

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


GLOW = 0.1
"""Ground darker than this takes on the less light of the case the darker it is."""


@dataclass(frozen=True, slots=True)
class CompositeConfig:
    """What `Composite` may do.

    Args:
        donors: How many donors of other groups a copy chooses from.
        turn: Whether a donor may be turned and mirrored (8 orientations) or not.
        scale: Range of the scale that a donor is laid down with.
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


@dataclass(frozen=True, slots=True)
class _Subject:
    """A case, ready to be set into other surroundings."""

    image: Image
    weights: tuple[Image, ...]
    ring: tuple[npt.NDArray[np.intp], Image]
    outline: Outline
    points: Points
    near: Region


class Composite:
    r"""A new image of the same mask from real parts.

    1. Of some donors of other groups, each in eight orientations, the one whose
       foreground lies and measures most alike is laid under the case.
    2. Its own foreground is taken out and filled from its surroundings.
    3. The case's colours move towards those of the ground that they now lie in, by
       the ratio of the two means in a ring round the mask.
    4. With the bands $B_l$ of a Laplacian pyramid and the mask's share $w_l$ of the
       pixels of scale $l$, the copy is $\sum_l w_l B_l(\text{case}) + (1 - w_l)
       B_l(\text{plate})$; inside the mask, `keep` of the case's own pixels remain.

    The foreground is the union of all classes, and it never moves: the mask of the
    copy is the mask of the case. A case without foreground gives the surroundings
    alone.

    Args:
        config: What it may do.

    Reference:
        Burt and Adelson, *A multiresolution spline with application to image
        mosaics*, ACM Transactions on Graphics 2(4), 1983.
    """

    name = "composite"

    def __init__(self, config: CompositeConfig | None = None) -> None:
        self._config = config or CompositeConfig()
        self._donors: Donors | None = None
        self._outlines: list[Outline] = []
        self._plates: Cache[tuple[Image, Image | None]] = self._empty()
        self._last: tuple[str, _Subject] | None = None

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The training cases it was fitted on."""
        return self._donors.ids if self._donors else ()

    def config(self) -> dict[str, Any]:
        """Return the configuration, ready for JSON."""
        return to_json(self._config)

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Measure the outline of every training case.

        Raises:
            SplitError: If all training cases are of one group.
        """
        self._donors = donors = Donors(dataset, split)
        self._plates = self._empty()
        self._last = None
        self._outlines = []
        for case in donors.cases:
            foreground = donors.mask(case) > 0
            self._outlines.append(
                Outline.of(foreground, self._hole(foreground), dark_surround(donors.image(case)))
            )
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return `depth` copies of a training case.

        Raises:
            SplitError: If it is not one.
        """
        if self._donors is None:
            raise ConfigError("composite: the generator was not fitted. Call fit(dataset, split) first.")
        position = self._donors.require(case)
        if self._last is None or self._last[0] != case.id:
            self._last = (case.id, self._subject(case, self._outlines[position], self._donors))
        subject = self._last[1]
        copies = np.empty((depth, *subject.image.shape), np.float32)
        for row, number in enumerate(range(start, start + depth)):
            copies[row] = self._compose(subject, case, stream(seed, self.name, case.id, number), self._donors)
        return copies

    def _empty(self) -> Cache[tuple[Image, Image | None]]:
        return Cache(self._config.cache_mb, lambda plate: plate[0].nbytes)

    def _hole(self, foreground: Region) -> Region:
        return dilate(foreground, self._config.margin * max(foreground.shape) / 128)

    def _subject(self, case: Case, outline: Outline, donors: Donors) -> _Subject:
        image, foreground = donors.image(case), donors.mask(case) > 0
        unit = max(foreground.shape) / 128
        hidden = dark_surround(image)
        grown = dilate(hidden, unit)
        ring = dilate(foreground, 6 * unit) & ~dilate(foreground, unit)
        levels = levels_for(max(foreground.shape), coarsest=self._config.coarsest)
        weights = soften(foreground, levels)
        filled = push_pull(image, grown & ~foreground)
        rows, columns = lattice(outline.shape, GRID)
        near = dilate(foreground, 12 * unit)[np.ix_(rows, columns)].ravel()
        places = np.flatnonzero(ring & ~grown)
        own = filled.reshape(len(filled), -1)[:, places]
        return _Subject(
            filled,
            tuple(weights),
            (np.flatnonzero(ring), own.mean(axis=1) if places.size else np.zeros(len(filled), np.float32)),
            outline,
            np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2).astype(float),
            near,
        )

    def _plate(self, donor: Case, donors: Donors) -> tuple[Image, Image | None]:
        """Return the donor without its foreground, and the colour of its dark surround."""
        image = donors.image(donor)
        hidden = dark_surround(image)
        outside = image[:, hidden].mean(axis=1) if hidden.any() else None
        return push_pull(image, self._hole(donors.mask(donor) > 0)), outside

    def _compose(self, subject: _Subject, case: Case, rng: np.random.Generator, donors: Donors) -> Image:
        placing = self._place(subject, case, rng, donors)
        donor = donors.cases[placing.donor]
        plate, outside = self._plates.get(donor.id, lambda: self._plate(donor, donors))
        ground = placing.warp(plate, subject.outline.shape, outside)
        if not subject.outline.area:
            return np.clip(ground, 0, 1, out=ground)
        own = subject.image * self._gain(subject, ground, rng)[:, None, None]
        levels = len(subject.weights) - 1
        bands = laplacian(gaussian(own - ground, levels))
        blend = collapse([share * band for share, band in zip(subject.weights, bands, strict=True)])
        # Light of the case must not glow in the dark outside the field of view.
        lit = np.minimum(ground.max(axis=0) * np.float32(1 / GLOW), 1)
        blend *= lit + (1 - lit) * subject.weights[0]
        blend += ground
        blend += np.float32(self._config.keep) * subject.weights[0] * (own - blend)
        return np.clip(blend, 0, 1, out=blend)

    def _place(self, subject: _Subject, case: Case, rng: np.random.Generator, donors: Donors) -> Placing:
        others = donors.others(case.group)
        chosen = rng.choice(others, min(self._config.donors, len(others)), replace=False)
        return choose(
            subject.outline,
            self._outlines,
            chosen,
            subject.points,
            subject.near,
            turns=ORIENTATIONS if self._config.turn else ORIENTATIONS[:1],
            scales=self._config.scale,
            noise=self._config.noise,
            rng=rng,
        )

    def _gain(self, subject: _Subject, ground: Image, rng: np.random.Generator) -> Image:
        """Return by how much each channel of the case is multiplied."""
        amount = np.float32(rng.uniform(*self._config.colour))
        places, own = subject.ring
        if not places.size:
            return np.ones(len(ground), np.float32)
        there = ground.reshape(len(ground), -1)[:, places]
        lit = there.max(axis=0) > np.float32(0.06)
        if lit.mean() < 0.2 or own.max() <= 0:
            return np.ones(len(ground), np.float32)
        floor = np.float32(0.02)
        ratio = (there[:, lit].mean(axis=1) + floor) / (own + floor)
        gain: Image = np.power(np.clip(ratio, 0.5, 1.6), amount)
        return gain
