"""One generator, and restylers laid over its copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.data.checking.defects import defect_of
from s2s2.errors import ConfigError
from s2s2.generators.composed import Composed
from s2s2.generators.donors import Donors
from s2s2.generators.protocol import EXACT, Generator, Restyler, sample_all, traits
from s2s2.generators.refusals import unfitted

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


class Chain(Composed):
    """Lays restylers over the copies of a generator, in the order given.

    Args:
        parts: A generator, then any number of restylers.

    Raises:
        ConfigError: If there is no part, or a later one cannot restyle.

    Example:
        >>> from s2s2.generators import Boxes, Composite
        >>> Chain([Composite(), Boxes()]).name
        'composite+boxes'
    """

    def __init__(self, parts: Sequence[Generator]) -> None:
        if not parts:
            raise ConfigError("generator: a chain needs one part or more, got none.")
        self._first = parts[0]
        self._restylers: list[Restyler] = []
        for part in parts[1:]:
            if not isinstance(part, Restyler):
                raise ConfigError(
                    f"generator: {part.name!r} cannot be laid over another generator's copies, because it "
                    "has no `restyle`. Put it first in the chain."
                )
            self._restylers.append(part)
        self._donors: Donors | None = None

    @property
    def name(self) -> str:
        """Names of the parts, joined by '+'."""
        return "+".join(part.name for part in self.parts)

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases that any part has seen; none until it is fitted as a whole."""
        return super().case_ids if self._donors else ()

    @property
    def batch(self) -> int:
        """How many images the first part makes at once."""
        return int(getattr(self._first, "batch", 1))

    @property
    def parts(self) -> tuple[Generator, ...]:
        """The generator, then the restylers."""
        return (self._first, *self._restylers)

    def config(self) -> dict[str, Any]:
        """Return the configuration of every part, ready for JSON."""
        return {"parts": [{"name": part.name, "init_args": part.config()} for part in self.parts]}

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Fit every part on the training cases.

        Raises:
            SplitError: If all training cases are of one group.
        """
        self._donors = Donors(dataset, split)
        for part in self.parts:
            part.fit(dataset, split)
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return `depth` copies of a training case, restyled.

        Raises:
            SplitError: If it is not one.
        """
        return self.sample_batch([case], depth, seed, start=start)[0]

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns."""
        if self._donors is None:
            raise unfitted(self.name)
        made = sample_all(self._first, cases, depth, seed, start=start)
        for case, copies in zip(cases, made, strict=True):
            self._restyle(case, copies, self._donors, seed, start)
        return made

    def _restyle(self, case: Case, copies: Image, donors: Donors, seed: int, start: int) -> None:
        """Lay the restylers over the copies of a case, in place."""
        mask = donors.mask(case)
        exact = EXACT in traits(self._first)
        for row, copy in enumerate(copies):
            if not exact and defect_of(copy):
                continue  # A copy that failed stays as it is, so that it is seen to have failed.
            for position, part in enumerate(self._restylers, start=1):
                rng = stream(seed, "chain", position, part.name, case.id, start + row)
                copies[row] = part.restyle(copies[row], mask, rng, case)
