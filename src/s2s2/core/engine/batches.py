"""Shuffled batches: one endless run of passes over the items, cut into steps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.utils.data import DataLoader, Dataset as Items, Sampler

from s2s2.core.engine.config import OptimisationConfig
from s2s2.core.streams import stream
from s2s2.core.types import Indices
from s2s2.errors import ConfigError

if TYPE_CHECKING:
    import lightning as L


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


class Process(NamedTuple):
    """Where an optimisation is: its interval, and which of how many processes this one is."""

    epoch: int
    rank: int
    ranks: int

    @classmethod
    def of(cls, trainer: L.Trainer | None) -> Process:
        """Return it for a data module's trainer; without one, the beginning in a single process."""
        if trainer is None:
            return cls(0, 0, 1)
        return cls(trainer.current_epoch, trainer.global_rank, trainer.world_size)


def step_loader(items: Items[Any], sampler: StepSampler, config: OptimisationConfig) -> DataLoader[Any]:
    """Return the loader of these batches.

    On a CPU the network is the bottleneck and takes the cores itself, so no worker is started
    unless the settings say so; on a GPU there is one a core, 8 at most.
    """
    gpu, workers = torch.cuda.is_available(), config.workers
    if workers is None or workers < 0:
        workers = min(8, os.cpu_count() or 1) if gpu else 0
    return DataLoader(items, batch_sampler=sampler, num_workers=workers, pin_memory=gpu)
