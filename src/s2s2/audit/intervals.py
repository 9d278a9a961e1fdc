"""Means with intervals: groups are drawn, since images of one patient resemble each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2s2.core.streams import stream
from s2s2.core.types import Floats

TAILS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the two ends of its 95 % interval; NaN where there is none."""

    mean: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Return the three numbers, ready for JSON."""
        return {"mean": plain(self.mean), "low": plain(self.low), "high": plain(self.high)}


class GroupBootstrap:
    r"""Percentile intervals of a mean over cases, by drawing whole groups with replacement.

    With the count $g_{bk}$ of group $k$ in draw $b$, $\hat\theta_b = \sum_k g_{bk} \sum_{i \in k} v_i
    / \sum_k g_{bk} |k|$, over the cases that have a value.

    Args:
        groups: Group of each case.
        draws: Number of resamplings.
        seed: Of the resampling.

    Example:
        >>> interval = GroupBootstrap(["a", "a", "b", "c"], draws=200, seed=0).mean([0.5, 0.7, 0.9, 0.9])
        >>> round(interval.mean, 2), interval.low < 0.75 < interval.high
        (0.75, True)

    Reference:
        Field and Welsh, *Bootstrapping clustered data*, JRSS B 2007.
    """

    def __init__(self, groups: Sequence[str], draws: int, seed: int) -> None:
        names, self._of_case = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        self._size = len(names)
        picks = stream(seed, "audit", "bootstrap").integers(self._size, size=(draws, self._size))
        flat = picks + self._size * np.arange(draws)[:, None]
        self._counts = (
            np.bincount(flat.ravel(), minlength=draws * self._size).reshape(draws, -1).astype(np.float64)
        )

    def mean(self, values: Sequence[float] | Floats) -> Interval:
        """Return the mean over the cases that have a value, and its interval.

        Args:
            values: One a case, NaN where there is none.
        """
        table = np.asarray(values, dtype=np.float64)
        counted = np.isfinite(table)
        sums = np.bincount(self._of_case, np.where(counted, table, 0), self._size)
        sizes = np.bincount(self._of_case, counted, self._size)
        if not sizes.any():
            return Interval(math.nan, math.nan, math.nan)
        mean = float(sums.sum() / sizes.sum())
        if np.count_nonzero(sizes) < 2:
            return Interval(mean, math.nan, math.nan)
        drawn_sizes = self._counts @ sizes
        drawn = (self._counts @ sums)[drawn_sizes > 0] / drawn_sizes[drawn_sizes > 0]
        low, high = np.quantile(drawn, TAILS)
        return Interval(mean, float(low), float(high))


def plain(value: float) -> float | None:
    """Return a number as JSON knows it: no NaN, six digits.

    Example:
        >>> plain(float("nan")), plain(1 / 3)
        (None, 0.333333)
    """
    return float(f"{value:.6g}") if math.isfinite(value) else None
