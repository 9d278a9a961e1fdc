"""One generator, and restylers laid over its copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from s2s2.data.case import Case
from s2s2.data.streams import stream
from s2s2.errors import ConfigError
from s2s2.generators.donors import Donors
from s2s2.generators.protocol import Generator, Restyler
from s2s2.generators.pyramid import Image

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


class Chain:
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
        return "+".join(part.name for part in self._parts)

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The training cases that any part was fitted on."""
        return tuple(dict.fromkeys(name for part in self._parts for name in part.case_ids))

    @property
    def _parts(self) -> tuple[Generator, ...]:
        return (self._first, *self._restylers)

    def config(self) -> dict[str, Any]:
        """Return the configuration of every part, ready for JSON."""
        return {"parts": [{"name": part.name, "init_args": part.config()} for part in self._parts]}

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Fit every part on the training cases.

        Raises:
            SplitError: If all training cases are of one group.
        """
        self._donors = Donors(dataset, split)
        for part in self._parts:
            part.fit(dataset, split)
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return `depth` copies of a training case, restyled.

        Raises:
            SplitError: If it is not one.
        """
        if self._donors is None:
            raise ConfigError(f"{self.name}: the generator was not fitted. Call fit(dataset, split) first.")
        copies = self._first.sample(case, depth, seed, start=start)
        mask = self._donors.mask(case)
        for position, part in enumerate(self._restylers, start=1):
            for row, number in enumerate(range(start, start + depth)):
                rng = stream(seed, "chain", position, part.name, case.id, number)
                copies[row] = part.restyle(copies[row], mask, rng, case)
        return copies
