"""Copies of several generators in one stack, in given shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.errors import ConfigError
from s2s2.generators.composed import Composed
from s2s2.generators.protocol import Generator, sample_all

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


class Mixture(Composed):
    """Gives every copy to one of several generators, in fixed shares and a fixed order.

    The parts take turns as evenly as their shares allow, so any depth holds them in
    about their ratio, and a multiple of the sum of the shares exactly. Which part
    makes a copy depends on the copy's number alone: a stack that is topped up keeps
    what it has. Each part numbers its own copies and has a seed of its own.

    Args:
        parts: Generators.
        shares: How many of sum(shares) copies each part makes, 1 or more.

    Raises:
        ConfigError: If there is no part, or not one share for each.

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
        self._parts = tuple(parts)
        self._shares = tuple(int(share) for share in shares)
        turns = [
            (Fraction(2 * n + 1, share), part) for part, share in enumerate(shares) for n in range(share)
        ]
        self._turns = tuple(part for _, part in sorted(turns))

    @property
    def parts(self) -> tuple[Generator, ...]:
        """The generators, in the order given."""
        return self._parts

    @property
    def name(self) -> str:
        """Names and shares of the parts, joined by ','."""
        return ",".join(f"{part.name}:{share}" for part, share in zip(self.parts, self._shares, strict=True))

    @property
    def batch(self) -> int:
        """How many copies of the mixture give every part a full batch."""
        wanted = (
            math.ceil(getattr(part, "batch", 1) * len(self._turns) / share)
            for part, share in zip(self.parts, self._shares, strict=True)
            if getattr(part, "batch", 1) > 1
        )
        return max(wanted, default=1)

    def config(self) -> dict[str, Any]:
        """Return configuration and share of every part, ready for JSON."""
        parts = [{"name": part.name, "init_args": part.config()} for part in self.parts]
        return {"parts": parts, "shares": list(self._shares)}

    def part_of(self, number: int) -> int:
        """Return the position of the part that makes this copy."""
        return self._turns[number % len(self._turns)]

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Fit every part on the training cases."""
        for part in self.parts:
            part.fit(dataset, split)
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return `depth` copies of a training case, each by the part whose turn it is."""
        return self.sample_batch([case], depth, seed, start=start)[0]

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns."""
        turns = np.array([self.part_of(number) for number in range(start, start + depth)], int)
        copies: list[Image] = []
        for position, part in enumerate(self.parts):
            rows = np.flatnonzero(turns == position)
            if depth and not len(rows):
                continue
            own = int(stream(seed, "mixture", position).integers(2**31))
            made = sample_all(part, cases, len(rows), own, start=self._before(start, position))
            copies = copies or [np.empty((depth, *image.shape[1:]), np.float32) for image in made]
            for whole, image in zip(copies, made, strict=True):
                whole[rows] = image
        return copies

    def _before(self, number: int, position: int) -> int:
        """Return how many copies a part makes before this one."""
        rounds, place = divmod(number, len(self._turns))
        return rounds * self._shares[position] + self._turns[:place].count(position)
