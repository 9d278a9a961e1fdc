"""Generators made of other generators: chains (one after the other) and mixtures (in shares)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.data.checking.defects import defect_of
from s2s2.errors import ConfigError
from s2s2.generators.base import EXACT, Generator, Restyler, unfitted
from s2s2.generators.donors import Donors
from s2s2.generators.learning import LearningGenerator, place_apart

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


class Composed(Generator):
    """A generator made of others; it answers for all of them.

    Args:
        parts: The generators.
    """

    def __init__(self, parts: Sequence[Generator]) -> None:
        self.members = tuple(parts)

    @property
    def traits(self) -> frozenset[str]:
        """What all members promise."""
        return frozenset.intersection(*(member.traits for member in self.members))

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases that any member has seen; none until all are fitted."""
        if not all(member.case_ids for member in self.members):
            return ()
        return tuple(dict.fromkeys(name for member in self.members for name in member.case_ids))

    @property
    def learners(self) -> tuple[LearningGenerator, ...]:
        """The members that have to be tuned, theirs included."""
        return tuple(each for member in self.members for each in member.learners)

    def place(self, folder: Path) -> None:
        """Give each learner a folder of its own name in this one; learners that are alike share one."""
        place_apart(self.learners, folder)

    def config(self) -> dict[str, Any]:
        """Return name and configuration of every member, ready for JSON."""
        return {"parts": [{"name": member.name, "init_args": member.config()} for member in self.members]}

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Fit every member on the training cases."""
        for member in self.members:
            member.fit(dataset, split)
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return the copies `start` to `start + depth - 1` of a training case.

        Raises:
            SplitError: If it is not one.
        """
        return self.sample_batch([case], depth, seed, start=start)[0]


class Chain(Composed):
    """Applies restylers to the copies of a generator, in the order given.

    Args:
        parts: A generator, then any number of restylers.

    Raises:
        ConfigError: If there is no member, or a later one cannot restyle.

    Example:
        >>> from s2s2.generators import Boxes, Composite
        >>> Chain([Composite(), Boxes()]).name
        'composite+boxes'
    """

    def __init__(self, parts: Sequence[Generator]) -> None:
        if not parts:
            raise ConfigError("generator: a chain needs one part or more, got none.")
        super().__init__(parts)
        self._restylers: list[Restyler] = []
        for member in parts[1:]:
            if not isinstance(member, Restyler):
                raise ConfigError(
                    f"generator: {member.name!r} cannot be applied to another generator's copies, because it "
                    "has no `restyle`. Put it first in the chain."
                )
            self._restylers.append(member)
        self._donors: Donors | None = None

    @property
    def name(self) -> str:
        """Names of the members, joined by '+'."""
        return "+".join(member.name for member in self.members)

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases that any member has seen; none until it is fitted as a whole."""
        return super().case_ids if self._donors else ()

    @property
    def batch(self) -> int:
        """How many images the first member makes at once."""
        return self.members[0].batch

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Fit every member on the training cases.

        Raises:
            SplitError: If a member takes from donors, and all training cases are of one group.
        """
        self._donors = Donors(dataset, split, groups=1)
        return super().fit(dataset, split)

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns."""
        if self._donors is None:
            raise unfitted(self.name)
        made = self.members[0].sample_batch(cases, depth, seed, start=start)
        for case, copies in zip(cases, made, strict=True):
            self._restyle(case, copies, self._donors, seed, start)
        return made

    def _restyle(self, case: Case, copies: Image, donors: Donors, seed: int, start: int) -> None:
        """Apply the restylers to the copies of a case, in place."""
        mask = donors.mask(case)
        exact = EXACT in self.members[0].traits
        for row, copy in enumerate(copies):
            if not exact and defect_of(copy):
                continue  # A copy that failed stays as it is, so that it is seen to have failed.
            for position, part in enumerate(self._restylers, start=1):
                rng = stream(seed, "chain", position, part.name, case.id, start + row)
                copies[row] = part.restyle(copies[row], mask, rng, case)


class Mixture(Composed):
    """Gives every copy to one of several generators, in fixed shares and a fixed order.

    The members take turns as evenly as their shares allow, so any depth holds them in
    about their ratio, and a multiple of the sum of the shares exactly. Which member
    makes a copy depends on the copy's number alone: a stack that is topped up keeps
    what it has. Each member numbers its own copies and has a seed of its own.

    Args:
        parts: Generators.
        shares: How many of sum(shares) copies each member makes, 1 or more.

    Raises:
        ConfigError: If there is no member, or not one share for each.

    Example:
        >>> from s2s2.generators import Appearance, Composite
        >>> mixture = Mixture([Appearance(), Composite()], [3, 1])
        >>> mixture.name
        'appearance:3,composite:1'
        >>> [mixture.parts[mixture.part_of(number)].name for number in range(4)]
        ['appearance', 'appearance', 'composite', 'appearance']
    """

    def __init__(self, parts: Sequence[Generator], shares: Sequence[int]) -> None:
        if not parts or len(parts) != len(shares) or min(shares) < 1:
            raise ConfigError(
                "generator: a mixture needs parts and for each a share of 1 or more, got shares "
                f"{list(shares)} for {len(parts)} parts. Write it as 'appearance:8,diffusion:8'."
            )
        super().__init__(parts)
        self._shares = tuple(int(share) for share in shares)
        turns = [
            (Fraction(2 * n + 1, share), part) for part, share in enumerate(shares) for n in range(share)
        ]
        self._turns = tuple(part for _, part in sorted(turns))

    @property
    def name(self) -> str:
        """Names and shares of the members, joined by ','."""
        return ",".join(f"{part.name}:{share}" for part, share in zip(self.parts, self._shares, strict=True))

    @property
    def parts(self) -> tuple[Generator, ...]:
        """The members, in the order given."""
        return self.members

    def part_of(self, number: int) -> int:
        """Return the position of the member that makes this copy."""
        return self._turns[number % len(self._turns)]

    @property
    def batch(self) -> int:
        """How many copies of the mixture give every member a full batch."""
        wanted = (
            math.ceil(part.batch * len(self._turns) / share)
            for part, share in zip(self.parts, self._shares, strict=True)
            if part.batch > 1
        )
        return max(wanted, default=1)

    def config(self) -> dict[str, Any]:
        """Return configuration and share of every member, ready for JSON."""
        return {**super().config(), "shares": list(self._shares)}

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns."""
        turns = np.array([self.part_of(number) for number in range(start, start + depth)], int)
        copies: list[Image] = []
        for position, part in enumerate(self.parts):
            rows = np.flatnonzero(turns == position)
            if depth and not len(rows):
                continue
            own = int(stream(seed, "mixture", position).integers(2**31))
            made = part.sample_batch(cases, len(rows), own, start=self._before(start, position))
            copies = copies or [np.empty((depth, *image.shape[1:]), np.float32) for image in made]
            for whole, image in zip(copies, made, strict=True):
                whole[rows] = image
        return copies

    def _before(self, number: int, position: int) -> int:
        """Return how many copies a member makes before this one."""
        rounds, turn = divmod(number, len(self._turns))
        return rounds * self._shares[position] + self._turns[:turn].count(position)
