"""Generators that learn: the base class of those whose network is tuned and kept in a folder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from s2s2.core.progress import Progress
from s2s2.core.timing import duration
from s2s2.core.types import Floats, Image, LabelMap, Vectors
from s2s2.data.case import Case
from s2s2.errors import ConfigError
from s2s2.generators.base import Generator, require_training_case, unfitted

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from s2s2.data import Dataset, Split


class Judge(Protocol):
    """Says how well images show the masks that they were made of.

    It stands for segmenters that never saw the group of the case they judge. One is
    handed to `LearningGenerator.tune`; generators know no segmenter.
    """

    def __call__(self, images: Image, masks: LabelMap, case_ids: Sequence[str]) -> Floats | Vectors:
        """Return the agreement of each image with its mask, the mean Dice over the classes present.

        Shape:
            - images: (n, channel, height, width) in [0, 1], on the working grid, padded or not.
            - masks: (n, height, width), class ids.
            - returns: (n,), in [0, 1].
        """


@dataclass(frozen=True)
class Cost:
    """Time that a generator that learns takes on this machine.

    Args:
        tuning_s: The whole tuning, in s.
        image_s: A sample, in s.
    """

    tuning_s: float
    image_s: float

    def words(self, images: int) -> str:
        """Return both in words.

        Example:
            >>> Cost(7200, 0.5).words(1000)
            'tuning about 2 h 0 min, 1000 images about 8 min 20 s'
        """
        return (
            f"tuning about {duration(self.tuning_s)}, {images} images about {duration(images * self.image_s)}"
        )


class LearningGenerator(Generator):
    """A generator whose network is tuned on the training cases and kept in a folder."""

    sampling: ClassVar[type[DataclassInstance] | None] = None
    """The options that say how images are made: with others, the weights are the same."""
    batched_by: ClassVar[str] = "batch"
    """The option that says how many images are made at once."""
    _folder: Path | None = None
    _weights: str = ""

    @property
    def folder(self) -> Path | None:
        """Where its weights are kept; None until it is placed."""
        return self._folder

    @property
    def weights(self) -> str:
        """A short digest of the weights in use, "" before there are any."""
        return self._weights

    @property
    def learners(self) -> tuple[LearningGenerator, ...]:
        """Itself."""
        return (self,)

    @property
    def tuned(self) -> bool:
        """Whether a finished tuning lies in its folder, and all its files."""
        from s2s2.generators.tuning.record import is_tuned

        return is_tuned(self._folder)

    @property
    def licence(self) -> str:
        """Licence of a model from elsewhere that it builds on, "" where there is none."""
        return ""

    def learning(self) -> dict[str, Any]:
        """Return the options that its weights depend on, of those that `config` returns."""
        how = {field.name for field in fields(self.sampling)} if self.sampling is not None else set()
        return {name: value for name, value in self.config().items() if name not in how}

    def place(self, folder: Path) -> None:
        """Set the folder in which its weights are, or are to be kept."""
        self._folder = Path(folder)

    @abstractmethod
    def cost(self, dataset: Dataset, split: Split) -> Cost:
        """Return what tuning on the training cases, and a sample, take on this machine."""

    @abstractmethod
    def tune(
        self, dataset: Dataset, split: Split, *, judge: Judge | None = None, progress: Progress | None = None
    ) -> Self:
        """Learn from the training cases; a tuning that was interrupted goes on, a finished one is loaded.

        Args:
            dataset: All cases; those of `split.train` alone are read.
            split: Says which these are.
            judge: Of samples while tuning; the weights whose samples agree best are kept.
            progress: Called with steps done, steps in all, and words.

        Raises:
            ConfigError: If it was not placed.
            GeneratorError: If it cannot be tuned on these cases, or its folder holds another tuning.
        """

    @abstractmethod
    def make(self, wanted: Sequence[tuple[Case, int]], seed: int) -> list[Image]:
        """Return the copies of these cases that have these numbers, (channel, height, width) each."""

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Load the tuning of its folder, or tune there; raises what `tune` does."""
        return self.tune(dataset, split)

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return `depth` copies of a training case.

        Raises:
            SplitError: If it is not one.
            GeneratorError: If memory runs out.
        """
        return self.sample_batch([case], depth, seed, start=start)[0]

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns, made together."""
        from s2s2.generators.tuning.memory import memory_errors

        known = set(self.case_ids)
        if not known:
            raise unfitted(self.name)
        for case in cases:
            require_training_case(case, known)
        wanted = [(case, number) for case in cases for number in range(start, start + depth)]
        half = f"{self.name}({self.batched_by}={self.batch // 2}, ...)"
        advice = f"Try {half}, or a smaller resolution." if self.batch > 1 else "Choose a smaller resolution."
        with memory_errors(f"while making {self.batch} images at once", advice):
            images = self.make(wanted, seed)
        return [np.stack(images[row * depth : (row + 1) * depth]) for row in range(len(cases))]

    def _placed(self) -> Path:
        if self._folder is None:
            raise ConfigError(
                f"{self.name}: it is not known where the weights are to be kept. Call place(folder) first, "
                "or give `s2s2 tune` an output folder."
            )
        return self._folder


def place_apart(learners: Sequence[LearningGenerator], folder: Path) -> None:
    """Give each learner a folder of its own name; learners that are alike share one, and are tuned once."""
    taken: list[tuple[str, dict[str, Any]]] = []
    for part in learners:
        recipe = part.name, part.learning()
        if recipe not in taken:
            taken.append(recipe)
        number = [name for name, _ in taken[: taken.index(recipe)]].count(part.name) + 1
        part.place(folder / (part.name if number == 1 else f"{part.name}-{number}"))
