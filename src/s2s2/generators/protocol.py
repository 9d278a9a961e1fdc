"""What a generator is: fitted on the training cases, it shows a mask in new ways."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from s2s2.core.progress import Progress
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.generators.cost import Cost

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split

EXACT = "exact"
"""Trait: the mask of a copy is right by construction, nothing has to be learnt for it."""
GEOMETRY = "geometry"
"""Trait: a copy keeps the geometry of the real image, so it is like it in structure."""


class Judge(Protocol):
    """Says how well images show the masks that they were made of.

    It stands for segmenters that never saw the group of the case they judge. One is
    handed to `Tunable.tune`; generators know no segmenter.
    """

    def __call__(
        self,
        images: npt.NDArray[np.float32],
        masks: npt.NDArray[np.uint8],
        case_ids: Sequence[str],
    ) -> npt.NDArray[np.floating[Any]]:
        """Return the agreement of each image with its mask, the mean Dice over the classes present.

        Shape:
            - images: (n, channel, height, width) in [0, 1], on the working grid, padded or not.
            - masks: (n, height, width), class ids.
            - returns: (n,), in [0, 1].
        """


@runtime_checkable
class Generator(Protocol):
    """Makes synthetic images that show the mask of a case.

    A copy depends on the seed, on the case and on its own number, and on nothing
    else: not on the depth asked for, nor on the order, nor on the process.

    A generator may also have `traits`, a set of `EXACT` and `GEOMETRY`; and, where
    many images are made faster together, `batch` and `sample_batch` as `Batched` has.
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


@runtime_checkable
class Batched(Generator, Protocol):
    """A generator that makes the copies of several masks together."""

    @property
    def batch(self) -> int:
        """How many images it makes at once."""

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns."""


@runtime_checkable
class Tunable(Generator, Protocol):
    """A generator whose network is tuned on the training cases and kept in a folder."""

    @property
    def folder(self) -> Path | None:
        """Where its weights are kept; None until it is placed."""

    @property
    def tuned(self) -> bool:
        """Whether a finished tuning lies there."""

    @property
    def weights(self) -> str:
        """A short digest of the weights in use, "" before there are any."""

    @property
    def licence(self) -> str:
        """Licence of a model from elsewhere that it builds on, "" where there is none."""

    def learning(self) -> dict[str, Any]:
        """Return the options that its weights depend on, of those that `config` returns."""

    def place(self, folder: Path) -> None:
        """Say where its weights are, or are to be kept."""

    def cost(self, dataset: Dataset, split: Split) -> Cost:
        """Return what tuning on the training cases, and a sample, take on this machine."""

    def tune(
        self, dataset: Dataset, split: Split, *, judge: Judge | None = None, progress: Progress | None = None
    ) -> Self:
        """Learn from the training cases; a tuning that was interrupted goes on.

        Raises:
            ConfigError: If it was not placed.
            GeneratorError: If it cannot be tuned on these cases.
        """


def traits(generator: Generator) -> frozenset[str]:
    """Return what a generator promises of its copies; nothing unless it says so.

    Example:
        >>> from s2s2.generators import Composite
        >>> sorted(traits(Composite()))
        ['exact']
    """
    return frozenset(getattr(generator, "traits", ()))


def common_traits(parts: Sequence[Generator]) -> frozenset[str]:
    """Return what all of these promise."""
    return frozenset.intersection(*map(traits, parts))


def sample_all(
    generator: Generator, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0
) -> list[Image]:
    """Return the copies of each case, made together where the generator can."""
    if isinstance(generator, Batched):
        return generator.sample_batch(cases, depth, seed, start=start)
    return [generator.sample(case, depth, seed, start=start) for case in cases]


def tunables(generator: object) -> tuple[Tunable, ...]:
    """Return the parts of a generator that are tuned: itself, those of a chain or a mixture, or none."""
    parts = getattr(generator, "parts", None)
    if parts is not None:
        return tuple(each for part in parts for each in tunables(part))
    return (generator,) if isinstance(generator, Tunable) else ()


def place_parts(parts: Sequence[Tunable], folder: Path) -> None:
    """Give each part a folder of its own name; parts that are alike share one, and are tuned once."""
    taken: list[tuple[str, dict[str, Any]]] = []
    for part in parts:
        recipe = part.name, part.learning()
        if recipe not in taken:
            taken.append(recipe)
        number = [name for name, _ in taken[: taken.index(recipe)]].count(part.name) + 1
        part.place(folder / (part.name if number == 1 else f"{part.name}-{number}"))
