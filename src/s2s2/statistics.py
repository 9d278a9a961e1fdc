"""Intervals by resampling what is independent: groups and seeds, not cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2s2.core.streams import stream
from s2s2.core.types import Floats
from s2s2.errors import EvaluationError


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the two ends of its interval; NaN ends where there are none."""

    mean: float
    low: float
    high: float


class ClusterBootstrap:
    r"""Percentile interval of a mean over cases that come in groups, and over runs.

    Frames of one video resemble each other, and so do the cases of one run's
    weights. Each draw therefore takes whole groups with replacement and, where
    there are several runs, runs with replacement too, every case and run as often
    as it was drawn: with the counts $g_{bk}$ of group $k$ and $r_{bs}$ of run $s$
    in draw $b$,

    $$\hat\theta_b = \frac{\sum_s \sum_k r_{bs}\, g_{bk} \sum_{i \in k} v_{si}}
                          {\sum_s \sum_k r_{bs}\, g_{bk}\, |k|},$$

    and the interval runs between the quantiles of $\hat\theta$. Runs are crossed
    with groups, as all runs see the same cases. With few groups (below about 20)
    or few runs (below about 5) such an interval is somewhat too narrow; with one
    group there is none.

    The draws depend on the seed and the groups alone, so that all metrics and arms
    of one domain are resampled alike.

    Args:
        groups: Group of each case.
        runs: Number of runs (seeds).
        draws: Number of resamplings, 1 or more.
        seed: Seed of the resampling.
        level: Coverage of the interval, in (0, 1).

    Raises:
        EvaluationError: If there is no case, no draw, no run, or the level is out of range.

    Example:
        >>> bootstrap = ClusterBootstrap(["a", "a", "b", "c"], draws=500)
        >>> interval = bootstrap.interval(np.array([0.5, 0.7, 0.9, 0.9]))
        >>> round(interval.mean, 2), interval.low < interval.mean < interval.high
        (0.75, True)

    Reference:
        Field and Welsh, *Bootstrapping clustered data*, JRSS B 2007; Owen, *The
        pigeonhole bootstrap*, Annals of Applied Statistics 2007 (crossed factors).
    """

    def __init__(
        self, groups: Sequence[str], *, runs: int = 1, draws: int = 2000, seed: int = 0, level: float = 0.95
    ) -> None:
        if not len(groups) or draws < 1 or runs < 1 or not 0 < level < 1:
            raise EvaluationError(
                f"A bootstrap needs cases, runs and draws and a level between 0 and 1, got {len(groups)} "
                f"cases, {runs} runs, {draws} draws and level {level}. "
                "Give 1 or more of each; 2000 draws are usual."
            )
        names, self._group_of_case = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        rng = stream(seed, "bootstrap")
        self._group_counts = _resample(rng, len(names), draws)
        self._run_counts = _resample(rng, runs, draws)
        self._tails = ((1 - level) / 2, (1 + level) / 2)

    def interval(self, values: Floats) -> Interval:
        """Return the mean of `values` and its interval.

        Args:
            values: One value a case, or one a run and case; NaN does not count.

        Shape:
            - values: (case,) or (run, case).

        Raises:
            EvaluationError: If the shape does not fit the groups and runs.
        """
        table = np.atleast_2d(values)
        expected = (self._run_counts.shape[1], len(self._group_of_case))
        if table.shape != expected:
            raise EvaluationError(
                f"The values have the shape {table.shape}, but the bootstrap was made for {expected} "
                "(run, case). Give it one value for each run and case, NaN where there is none."
            )
        counted = np.isfinite(table)
        totals = self._by_group(np.where(counted, table, 0.0))
        counts = self._by_group(counted.astype(np.float64))
        if not counts.any():
            return Interval(math.nan, math.nan, math.nan)
        mean = float(totals.sum() / counts.sum())
        if np.count_nonzero(counts.any(axis=0)) < 2:
            return Interval(mean, math.nan, math.nan)
        sums = self._weighted(totals)
        sizes = self._weighted(counts)
        drawn = sums[sizes > 0] / sizes[sizes > 0]
        low, high = np.quantile(drawn, self._tails)
        return Interval(mean, float(low), float(high))

    def _by_group(self, table: Floats) -> Floats:
        """Sum (run, case) over the cases of each group: (run, group)."""
        size = self._group_counts.shape[1]
        return np.stack([np.bincount(self._group_of_case, weights=row, minlength=size) for row in table])

    def _weighted(self, table: Floats) -> Floats:
        """Sum (run, group) over all runs and groups, as often as each was drawn: (draw,)."""
        result: Floats = np.einsum("bg,bg->b", self._run_counts @ table, self._group_counts)
        return result


def _resample(rng: np.random.Generator, size: int, draws: int) -> Floats:
    """Draw `size` of `size` with replacement, and count how often each came: (draw, size)."""
    if size == 1:
        return np.ones((draws, 1))
    picks = rng.integers(size, size=(draws, size)) + size * np.arange(draws)[:, None]
    return np.bincount(picks.ravel(), minlength=draws * size).reshape(draws, size).astype(np.float64)
