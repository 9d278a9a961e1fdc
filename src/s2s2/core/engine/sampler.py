"""Shuffled batches: one endless run of passes over the items, cut into steps."""

from __future__ import annotations

from collections.abc import Iterator

from torch.utils.data import Sampler

from s2s2.core.streams import stream
from s2s2.core.types import Indices
from s2s2.errors import ConfigError


class StepSampler(Sampler[list[tuple[int, int]]]):
    """Batches of (item, pass) from an endless run of shuffled passes over the items.

    A pass shows every item once in an order of its own; batches run over its end, so
    every batch is full. The batch's number alone decides what it shows: an optimisation
    that is resumed goes on as if it had not stopped. With several processes each takes
    its own batches of the same run.

    Args:
        items: Number of items, at least 1.
        batch: Items a batch and process, at least 1.
        numbers: Numbers of the batches of one iteration, at least one.
        seed: Seed of the orders.
        purpose: Name of their random streams.
        rank: Number of this process, 0 to ranks - 1.
        ranks: Number of processes.

    Raises:
        ConfigError: If a number is too small.

    Example:
        >>> sampler = StepSampler(items=3, batch=2, numbers=range(3), seed=0)
        >>> sorted(pair for batch in sampler for pair in batch)
        [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    """

    def __init__(
        self,
        items: int,
        batch: int,
        numbers: range,
        *,
        seed: int,
        purpose: str = "order",
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if min(items, batch, len(numbers), ranks) < 1 or not 0 <= rank < ranks:
            raise ConfigError(
                f"A sampler needs at least one item, batch, step and process, got items {items}, "
                f"batch {batch}, numbers {numbers}, rank {rank} of {ranks}. Give larger numbers."
            )
        self.items, self.batch, self.numbers = items, batch, numbers
        self.seed, self.purpose, self.rank, self.ranks = seed, purpose, rank, ranks

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        orders: dict[int, Indices] = {}
        for number in self.numbers:
            start = (number * self.ranks + self.rank) * self.batch
            positions = [divmod(position, self.items) for position in range(start, start + self.batch)]
            for turn, _ in positions:
                if turn not in orders:
                    orders[turn] = stream(self.seed, self.purpose, turn).permutation(self.items)
            yield [(int(orders[turn][position]), turn) for turn, position in positions]
