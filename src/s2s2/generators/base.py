"""Abstract base classes of all generators: what a generator of synthetic images must offer.

A generator of your own is a subclass of `Generator` with a name, `case_ids`, `fit` and
`sample`; all else has a default. One that can change the style of another generator's
copies is a `Restyler`, one whose network learns is a `LearningGenerator`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from s2s2.core.types import Image, LabelMap
from s2s2.data.case import Case
from s2s2.errors import ConfigError, SplitError
from s2s2.generators.options import to_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from s2s2.data import Dataset, Split
    from s2s2.generators.learning import LearningGenerator

EXACT = "exact"
"""Trait: the mask of a copy is right by construction, nothing has to be learnt for it."""
GEOMETRY = "geometry"
"""Trait: a copy keeps the geometry of the real image, so it is like it in structure."""


class Generator(ABC):
    """Makes synthetic images (copies) that show the mask of a case.

    A copy depends on the seed, on the case and on its own number, and on nothing
    else: not on the depth asked for, nor on the order, nor on the process. A generator
    must be picklable to work in several processes.
    """

    options: DataclassInstance | None = None
    """What it was built with; `config` records it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name that a stack's manifest records."""

    @property
    @abstractmethod
    def case_ids(self) -> tuple[str, ...]:
        """The cases that the generator has seen, none before it is fitted."""

    @property
    def traits(self) -> frozenset[str]:
        """What it promises of its copies: `EXACT`, `GEOMETRY`, both or nothing."""
        return frozenset()

    @property
    def batch(self) -> int:
        """How many images it makes at once."""
        return 1

    @property
    def weights(self) -> str:
        """A short digest of the weights in use, "" where there are none (yet)."""
        return "+".join(part.weights for part in self.learners if part.weights)

    @property
    def parts(self) -> tuple[Generator, ...]:
        """The generators that share the copies."""
        return (self,)

    def part_of(self, number: int) -> int:
        """Return the position of the part that makes the copy of this number."""
        return 0

    def is_exact(self, number: int) -> bool:
        """Return whether the mask of the copy of this number is right by construction."""
        return EXACT in self.parts[self.part_of(number)].traits

    @property
    def exact(self) -> bool:
        """Whether the masks of all copies are right by construction."""
        return all(EXACT in part.traits for part in self.parts)

    @property
    def learners(self) -> tuple[LearningGenerator, ...]:
        """What has to be tuned: itself, some of the generators it is made of, or nothing."""
        return ()

    @property
    def tuned(self) -> bool:
        """Whether everything that has to be tuned is."""
        return all(part.tuned for part in self.learners)

    def place(self, folder: Path) -> None:
        """Set the folder in which the weights of what has to be tuned are, or are to be kept."""
        for part in self.learners:
            part.place(folder)

    @abstractmethod
    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Learn from the training cases of a split; no other case is read."""

    @abstractmethod
    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return the copies `start` to `start + depth - 1` of a training case.

        Shape:
            - returns: (depth, channel, height, width) on the working grid, in [0, 1].
        """

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns, made together where that is faster."""
        return [self.sample(case, depth, seed, start=start) for case in cases]

    def config(self) -> dict[str, Any]:
        """Return what the generator was built with, ready for JSON."""
        return {} if self.options is None else to_json(self.options)


class Restyler(Generator):
    """A generator that can be applied to the copies of another one."""

    @abstractmethod
    def restyle(self, image: Image, mask: LabelMap, rng: np.random.Generator, case: Case) -> Image:
        """Return the image in another style; what the mask labels stays where it is.

        Args:
            image: Any image that shows the mask of `case`, in [0, 1].
            mask: That mask.
            rng: Where all chance comes from.
            case: The case, so that no style of its own group is taken.

        Shape:
            - image: (channel, height, width).
            - mask: (height, width).
            - returns: as `image`.
        """


def unfitted(name: str) -> ConfigError:
    """Return what to raise where a copy is asked of a generator that has seen no case."""
    return ConfigError(f"{name}: the generator was not fitted. Call fit(dataset, split) first.")


def require_training_case(case: Case, known: Collection[str]) -> None:
    """Refuse a case that is not among those that a generator was fitted on.

    Raises:
        SplitError: If it is not.
    """
    if case.id not in known:
        raise SplitError(
            f"Copies are made of training cases alone, got {case.id!r}, which is not among the {len(known)} "
            "cases that the generator was fitted on. Fit it on the split that trains on this case."
        )
