"""Which items each batch of a tuning shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from s2s2.core.streams import stream


class BatchOrder(Sampler[list[tuple[int, int]]]):
    """Batches of (item, pass) from an endless run of shuffled passes.

    The batch's number alone decides what it shows: a tuning that is resumed at a
    check goes on as if it had not stopped. With several processes each takes its own
    batches of the same run.

    Args:
        items: Number of items.
        batch: Items a batch.
        first: Number of the first batch.
        batches: How many there are.
        seed: Seed of the orders.
        rank: Number of this process, 0 to ranks - 1.
        ranks: Number of processes.

    Example:
        >>> order = BatchOrder(items=3, batch=2, first=0, batches=3, seed=0)
        >>> sorted(pair for batch in order for pair in batch)
        [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    """

    def __init__(
        self, items: int, batch: int, first: int, batches: int, *, seed: int, rank: int = 0, ranks: int = 1
    ) -> None:
        self._items, self._batch, self._first, self._batches = items, batch, first, batches
        self._seed, self._rank, self._ranks = seed, rank, ranks

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        orders: dict[int, npt.NDArray[np.int64]] = {}
        for number in range(self._first, self._first + self._batches):
            start = (number * self._ranks + self._rank) * self._batch
            places = [divmod(place, self._items) for place in range(start, start + self._batch)]
            for turn, _ in places:
                if turn not in orders:
                    orders[turn] = stream(self._seed, "tuning order", turn).permutation(self._items)
            yield [(int(orders[turn][place]), turn) for turn, place in places]
