"""The training cases that a generator may look at, and who may lend to whom."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from s2s2.core.types import Image, Indices
from s2s2.data.case import Case
from s2s2.errors import SplitError
from s2s2.generators.base import Generator, require_training_case, unfitted

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split


class Sized(Protocol):
    """Anything that knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""


Value = TypeVar("Value", bound=Sized)


class Donors:
    """The training cases of a split. No other case can be read through it.

    Args:
        dataset: The data set; only the cases of `split.train` are kept.
        split: Names of the training cases.

    Raises:
        SplitError: If the training cases are of fewer than two groups, so that
            none has a donor.
    """

    def __init__(self, dataset: Dataset, split: Split) -> None:
        self._dataset = dataset.subset(split.train)
        self.cases: tuple[Case, ...] = tuple(self._dataset.cases)
        self.ids: tuple[str, ...] = tuple(case.id for case in self.cases)
        self.classes = len(dataset.class_map)
        self._position = {name: index for index, name in enumerate(self.ids)}
        self._groups = np.array([case.group for case in self.cases])
        found = sorted(set(self._groups.tolist()))
        if len(found) < 2:
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

    def mask(self, case: Case) -> npt.NDArray[np.uint8]:
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

    def _fitted(self) -> Donors:
        if self._donors is None:
            raise unfitted(self.name)
        return self._donors


class Cache(Generic[Value]):
    """What was made last, as long as it fits into a budget of memory.

    A copy of the cache in another process starts empty.

    Args:
        megabytes: Budget in MiB; the last value is kept even if it alone is larger.

    Example:
        >>> cache = Cache(megabytes=1)
        >>> cache.get("a", lambda: np.zeros(3)) is cache.get("a", lambda: np.ones(3))
        True
    """

    def __init__(self, megabytes: float) -> None:
        self._budget = megabytes * 2**20
        self._used = 0
        self._values: OrderedDict[str, Value] = OrderedDict()

    def get(self, key: str, make: Callable[[], Value]) -> Value:
        """Return the value of `key`, made now if it is not at hand."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = make()
        self._values[key] = value
        self._used += value.nbytes
        while self._used > self._budget and len(self._values) > 1:
            _, oldest = self._values.popitem(last=False)
            self._used -= oldest.nbytes
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_used": 0, "_values": OrderedDict()}
