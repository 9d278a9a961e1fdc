"""Donors: the training cases that a generator may take pixels and styles from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from s2s2.core.streams import stream
from s2s2.core.types import Image, Indices, LabelMap
from s2s2.data.case import Case
from s2s2.errors import SplitError
from s2s2.generators.base import Generator, require_training_case, unfitted

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


class Donors:
    """The training cases of a split. No other case can be read through it.

    Args:
        dataset: The data set; only the cases of `split.train` are kept.
        split: Names of the training cases.
        groups: How many groups (patients, videos) there must be: 2 where a copy takes something
            from a donor of another group, 1 where it takes nothing.

    Raises:
        SplitError: If the training cases are of fewer groups.
    """

    def __init__(self, dataset: Dataset, split: Split, groups: int = 2) -> None:
        self._dataset = dataset.subset(split.train)
        self.cases: tuple[Case, ...] = tuple(self._dataset.cases)
        self.ids: tuple[str, ...] = tuple(case.id for case in self.cases)
        self.classes = len(dataset.class_map)
        self._position = {name: index for index, name in enumerate(self.ids)}
        self._groups = np.array([case.group for case in self.cases])
        found = sorted(set(self._groups.tolist()))
        if len(found) < groups:
            raise SplitError(
                f"The training split must hold cases of two groups or more, got {len(self.cases)} of "
                f"{', '.join(map(repr, found)) or 'none'}. A copy is made from the case and a donor of "
                "another group (patient, video): give more groups to training, or correct the groups."
            )

    def require(self, case: Case) -> int:
        """Return the position of a training case.

        Raises:
            SplitError: If it is not one.
        """
        require_training_case(case, self._position)
        return self._position[case.id]

    def others(self, group: str) -> Indices:
        """Return the positions of the cases that are not of this group."""
        return np.flatnonzero(self._groups != group)

    def image(self, case: Case) -> Image:
        """Return the image of a training case on the working grid."""
        self.require(case)
        return self._dataset.image(case)

    def mask(self, case: Case) -> LabelMap:
        """Return the mask of a training case on the working grid."""
        self.require(case)
        return self._dataset.mask(case)


class Borrower(Generator):
    """A generator that rearranges training images."""

    _donors: Donors | None = None

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The training cases it was fitted on."""
        return self._donors.ids if self._donors else ()

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return `depth` copies of a training case.

        Raises:
            SplitError: If it is not one.
        """
        donors = self._fitted()
        donors.require(case)
        make = self._maker(case, donors)
        copies = [make(stream(seed, self.name, case.id, number)) for number in range(start, start + depth)]
        return np.stack(copies) if copies else np.empty((0, *donors.image(case).shape), np.float32)

    @abstractmethod
    def _maker(self, case: Case, donors: Donors) -> Callable[[np.random.Generator], Image]:
        """Return what makes a copy of a case with chance from a stream of random numbers."""

    def _fitted(self) -> Donors:
        if self._donors is None:
            raise unfitted(self.name)
        return self._donors
