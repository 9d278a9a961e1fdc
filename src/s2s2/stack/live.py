"""A live stack: a new copy for every visit, made while training, with no files."""

from __future__ import annotations

import json
import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from s2s2.core.types import Image
from s2s2.data.dataset import Dataset
from s2s2.errors import StackError, listed
from s2s2.stack.marks import Marks
from s2s2.stack.recipe import recipe_of

if TYPE_CHECKING:
    from s2s2.generators.base import Generator


def require_live(generator: Generator) -> None:
    """Refuse a generator that cannot make copies while training.

    Raises:
        StackError: If it has to be tuned or may give wrong masks.
    """
    if generator.learners or not generator.exact:
        raise StackError(
            f"Generator {generator.name!r} cannot make copies while training: it must need no tuning and "
            "give masks that are right by construction, as randconv, appearance and composite do. Store its "
            "copies instead, with a number as the depth of the stack, so that they can be audited."
        )


class LiveStack:
    """A stack without an end, whose copies are made when they are asked for.

    Copy n of a case is the copy n that `build_stack` stores with the same generator, seed and
    bits, to the last bit. So the copies of a stored stack are the first of a live one: look at
    those, audit those, and train on as many others as there are visits.

    Args:
        generator: Fitted, in need of no tuning, with masks that are right by construction.
        dataset: The training cases on the working grid.
        seed: Seed of the copies.
        bits: 8 or 16, to round to as a stored copy is.

    Raises:
        StackError: If the generator has not been fitted, has to be tuned or may give wrong masks,
            or has not seen these cases.

    Example:
        A new copy of each case in every pass::

            generator = build_generator("randconv").fit(dataset, split)
            pairs = PairedDataset(train, LiveStack(generator, train), side=256)
    """

    depth = None
    """There is no last copy."""
    marks: Marks = {}  # noqa: RUF012 - shared, and never changed
    """Nothing is marked: the masks are right by construction."""

    def __init__(self, generator: Generator, dataset: Dataset, *, seed: int = 0, bits: int = 8) -> None:
        require_live(generator)
        if not generator.case_ids:
            raise StackError(
                f"Generator {generator.name!r} cannot make copies while training: it must be fitted first, "
                "by fit(dataset, split)."
            )
        if bits not in (8, 16):
            raise StackError(f"bits must be 8 or 16, got {bits}.")
        self.generator = generator
        self.seed = operator.index(seed)
        self.bits = bits
        self._dataset = dataset
        self._top = np.float32(2**bits - 1)

    @property
    def manifest(self) -> dict[str, Any]:
        """All that the copies depend on but the data, as plain JSON values."""
        recipe = recipe_of(self.generator, self._dataset, self.seed, self.bits)
        return {**json.loads(json.dumps(recipe)), "depth": "live"}

    def copy(self, case_id: str, number: SupportsIndex) -> Image:
        """Make one synthetic image.

        Args:
            case_id: The case whose mask the image shows.
            number: Which copy, from 0 on.

        Returns:
            Shape (channel, height, width) on the working grid, values in [0, 1].

        Raises:
            SplitError: If it is not a training case.
        """
        case = self._dataset.case(case_id)
        made = self.generator.sample(case, 1, self.seed, start=operator.index(number))[0]
        steps: Image = np.rint(made * self._top)
        steps /= self._top
        return steps

    def disagreement(self, case_id: str, number: int) -> None:
        """Return None: a live copy is not audited."""

    def verify(self, dataset: Dataset) -> None:
        """Refuse a stack that does not belong to these training cases.

        Raises:
            StackError: If a case is missing, or the generator has seen a case that is not among these.
        """
        seen, given = set(self.generator.case_ids), set(dataset.ids)
        for names, what in ((given - seen, "was not fitted on"), (seen - given, "was also fitted on")):
            if names:
                raise StackError(
                    f"The generator {self.generator.name!r} of a live stack {what} {len(names)} cases: "
                    f"{listed(sorted(names))}. Fit it on the training cases of this split, and on no others."
                )

    def __repr__(self) -> str:
        return f"LiveStack({self.generator.name!r}, seed={self.seed})"
