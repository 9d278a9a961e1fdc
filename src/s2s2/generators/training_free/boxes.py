"""Generator `boxes`: flat rectangles outside the mask, where devices write text and draw overlays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from s2s2.core.types import Image, LabelMap
from s2s2.data.case import Case
from s2s2.errors import ConfigError
from s2s2.generators.base import EXACT, GEOMETRY, Restyler
from s2s2.generators.donors import Borrower, Donors

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split

TRIES = 12
"""How many positions are tried for one box; it shrinks by a third after every third try."""


@dataclass(frozen=True, slots=True)
class BoxesConfig:
    """Options of `Boxes`.

    Args:
        most: Most boxes in a copy; the number is drawn evenly from 0 to this.
        side: Range of a box's sides, as a share of the image's longer side.
    """

    most: int = 3
    side: tuple[float, float] = (0.06, 0.22)

    def __post_init__(self) -> None:
        if self.most < 0:
            raise ConfigError(f"boxes: most must be 0 or more, got {self.most}.")
        if not 0 < self.side[0] <= self.side[1] <= 1:
            raise ConfigError(f"boxes: side must be a range within 0 to 1, got {self.side}.")


class Boxes(Borrower, Restyler):
    """Covers parts of the background with flat rectangles of random size and colour.

    They stand for what no donor of one site shows: the text, the maps and the
    pictures in pictures of another site's devices. No box touches the mask; where
    there is no room for one, there is none.

    Args:
        config: How many and how large.

    Reference:
        DeVries and Taylor, *Improved regularization of convolutional neural
        networks with cutout*, arXiv:1708.04552 (squares without a meaning).
    """

    name = "boxes"
    traits = frozenset({EXACT, GEOMETRY})
    options: BoxesConfig

    def __init__(self, config: BoxesConfig | None = None) -> None:
        self.options = config or BoxesConfig()

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Note the training cases; there is nothing to learn, and one patient is enough."""
        self._donors = Donors(dataset, split, groups=1)
        return self

    def _maker(self, case: Case, donors: Donors) -> Callable[[np.random.Generator], Image]:
        image, mask = donors.image(case), donors.mask(case)
        return lambda rng: self.restyle(image, mask, rng, case)

    def restyle(self, image: Image, mask: LabelMap, rng: np.random.Generator, case: Case) -> Image:
        """Return the image under boxes."""
        covered = image.copy()
        for _ in range(rng.integers(self.options.most + 1)):
            colour = rng.random((len(image), 1, 1), np.float32)
            place = self._place(mask, rng)
            if place is not None:
                covered[:, place[0], place[1]] = colour
        return covered

    def _place(self, mask: LabelMap, rng: np.random.Generator) -> tuple[slice, slice] | None:
        """Return a rectangle without foreground, or None where none was found."""
        sides = rng.uniform(*self.options.side, 2) * max(mask.shape)
        for attempt in range(TRIES):
            lengths = np.maximum(1, np.minimum(sides * (2 / 3) ** (attempt // 3), mask.shape)).astype(int)
            top, left = (
                int(rng.integers(n - length + 1)) for n, length in zip(mask.shape, lengths, strict=True)
            )
            place = slice(top, top + int(lengths[0])), slice(left, left + int(lengths[1]))
            if not mask[place].any():
                return place
        return None
