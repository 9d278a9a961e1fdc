"""Which cases a training step sees: one endless shuffled run, cut into steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from s2s2.core.streams import stream
from s2s2.errors import ConfigError


class StepSampler(Sampler[list[tuple[int, int]]]):
    """Batches of (case index, pass) from an endless run of shuffled passes over the cases.

    A pass shows every case once in an order of its own; batches run over its end, so
    every step is full. The step's number alone decides what it shows, so training
    that is resumed at any epoch goes on as if it had not stopped. With several
    processes each takes its own batches of the same run.

    Args:
        cases: Number of cases, at least 1.
        batch: Cases a step and process, at least 1.
        steps_per_epoch: Batches of one iteration, at least 1.
        seed: Seed of the orders.
        rank: Number of this process, 0 to ranks - 1.
        ranks: Number of processes.

    Raises:
        ConfigError: If a number is too small.

    Example:
        >>> sampler = StepSampler(cases=3, batch=2, steps_per_epoch=3, seed=0)
        >>> sorted(pair for batch in sampler for pair in batch)
        [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    """

    def __init__(
        self, cases: int, batch: int, steps_per_epoch: int, *, seed: int, rank: int = 0, ranks: int = 1
    ) -> None:
        if min(cases, batch, steps_per_epoch, ranks) < 1 or not 0 <= rank < ranks:
            raise ConfigError(
                f"A sampler needs at least one case, batch, step and process, got cases {cases}, "
                f"batch {batch}, steps_per_epoch {steps_per_epoch}, rank {rank} of {ranks}. "
                "Give larger numbers."
            )
        self.cases, self.batch, self.steps_per_epoch = cases, batch, steps_per_epoch
        self.seed, self.rank, self.ranks = seed, rank, ranks
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, counted from 0; each takes `steps_per_epoch` steps of the run."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self.steps_per_epoch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        orders: dict[int, npt.NDArray[np.int64]] = {}
        for step in range(self._epoch * self.steps_per_epoch, (self._epoch + 1) * self.steps_per_epoch):
            start = (step * self.ranks + self.rank) * self.batch
            places = [divmod(place, self.cases) for place in range(start, start + self.batch)]
            for number, _ in places:
                if number not in orders:
                    orders = {**orders, number: self._order(number)}
            yield [(int(orders[number][place]), number) for number, place in places]

    def _order(self, number: int) -> npt.NDArray[np.int64]:
        """Return the order of the cases in a pass."""
        return stream(self.seed, "order", number).permutation(self.cases)
