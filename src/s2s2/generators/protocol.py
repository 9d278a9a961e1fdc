"""What a generator is: fitted on the training cases, it shows a mask in new ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from s2s2.data.case import Case
from s2s2.generators.pyramid import Image

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


@runtime_checkable
class Generator(Protocol):
    """Makes synthetic images that show the mask of a case.

    A copy depends on the seed, on the case and on its own number, and on nothing
    else: not on the depth asked for, nor on the order, nor on the process.
    """

    @property
    def name(self) -> str:
        """Name that a stack's manifest records."""

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases that the generator has seen."""

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Learn from the training cases of a split; no other case is read."""

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return the copies `start` to `start + depth - 1` of a training case.

        Shape:
            - returns: (depth, channel, height, width) on the working grid, in [0, 1].
        """

    def config(self) -> dict[str, Any]:
        """Return what the generator was built with, ready for JSON."""


@runtime_checkable
class Restyler(Generator, Protocol):
    """A generator that can be laid over the copies of another one."""

    def restyle(
        self, image: Image, mask: npt.NDArray[np.uint8], rng: np.random.Generator, case: Case
    ) -> Image:
        """Return the image with another look; what the mask labels stays in place.

        Args:
            image: Any image that shows the mask of `case`, in [0, 1].
            mask: That mask.
            rng: Where all chance comes from.
            case: The case, so that no look of its own group is taken.

        Shape:
            - image: (channel, height, width).
            - mask: (height, width).
            - returns: as `image`.
        """
