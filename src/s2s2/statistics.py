"""Clustered bootstrap intervals, Wilcoxon's signed-rank test and Holm's correction.

What is resampled is what is independent: groups (patients, videos) and seeds, not cases.
"""

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
    """A mean with the two ends of its interval; NaN where there are none."""

    mean: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Return the three numbers, ready for JSON."""
        return {name: json_number(getattr(self, name)) for name in ("mean", "low", "high")}


def json_number(value: float) -> float | None:
    """Return a number as JSON knows it: no NaN, six digits.

    Example:
        >>> json_number(float("nan")), json_number(1 / 3)
        (None, 0.333333)
    """
    return float(f"{value:.6g}") if math.isfinite(value) else None


def percentile_interval(mean: float, drawn: Floats, level: float = 0.95) -> Interval:
    """Return a mean with the quantiles of its resampled values, of which NaN do not count.

    Args:
        mean: The mean itself.
        drawn: Its value in each resampling, (draw,).
        level: Coverage of the interval, in (0, 1).
    """
    low, high = np.quantile(drawn[np.isfinite(drawn)], ((1 - level) / 2, (1 + level) / 2))
    return Interval(mean, float(low), float(high))


def resampled_counts(rng: np.random.Generator, size: int, draws: int) -> Floats:
    """Draw `size` of `size` with replacement, and count how often each came.

    Shape:
        - returns: (draw, size).
    """
    if size == 1:
        return np.ones((draws, 1))
    picks = rng.integers(size, size=(draws, size)) + size * np.arange(draws)[:, None]
    return np.bincount(picks.ravel(), minlength=draws * size).reshape(draws, size).astype(np.float64)


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
        purpose: What the random stream is named by, beside the seed.

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
        self,
        groups: Sequence[str],
        *,
        runs: int = 1,
        draws: int = 2000,
        seed: int = 0,
        level: float = 0.95,
        purpose: tuple[str, ...] = ("bootstrap",),
    ) -> None:
        if not len(groups) or draws < 1 or runs < 1 or not 0 < level < 1:
            raise EvaluationError(
                f"A bootstrap needs cases, runs and draws and a level between 0 and 1, got {len(groups)} "
                f"cases, {runs} runs, {draws} draws and level {level}. "
                "Give 1 or more of each; 2000 draws are usual."
            )
        names, self._group_of_case = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        rng = stream(seed, *purpose)
        self._group_counts = resampled_counts(rng, len(names), draws)
        self._run_counts = resampled_counts(rng, runs, draws)
        self._level = level

    def interval(self, values: Floats | Sequence[float]) -> Interval:
        """Return the mean of `values` and its interval.

        Args:
            values: One value a case, or one a run and case; NaN does not count.

        Shape:
            - values: (case,) or (run, case).

        Raises:
            EvaluationError: If the shape does not fit the groups and runs.
        """
        table = np.atleast_2d(np.asarray(values, dtype=np.float64))
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
        sums, sizes = self._weighted(totals), self._weighted(counts)
        return percentile_interval(mean, sums[sizes > 0] / sizes[sizes > 0], self._level)

    def _by_group(self, table: Floats) -> Floats:
        """Sum (run, case) over the cases of each group: (run, group)."""
        size = self._group_counts.shape[1]
        return np.stack([np.bincount(self._group_of_case, weights=row, minlength=size) for row in table])

    def _weighted(self, table: Floats) -> Floats:
        """Sum (run, group) over all runs and groups, as often as each was drawn: (draw,)."""
        result: Floats = np.einsum("bg,bg->b", self._run_counts @ table, self._group_counts)
        return result


def holm(p_values: Sequence[float]) -> list[float]:
    r"""Correct p values for being many, step down.

    With the p values in rising order, $\tilde p_i = \max_{j \le i} \min(1, (m - j + 1)\, p_j)$.

    Args:
        p_values: Uncorrected, in [0, 1]; NaN stays NaN and is no test.

    Returns:
        The corrected values in the given order.

    Example:
        >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]

    Reference:
        Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian
        Journal of Statistics 1979.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given)[: int(np.isfinite(given).sum())]
    factors = np.arange(len(order), 0, -1)
    corrected = np.full_like(given, np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(factors * given[order]), 1.0)
    return [float(p) for p in corrected]


def signed_rank(differences: Floats) -> float:
    """Return the two-sided p value of Wilcoxon's signed-rank test.

    Args:
        differences: One a case; zeros say nothing, and nothing but zeros gives 1.

    Shape:
        - differences: (case,).

    Returns:
        A p value in [0, 1], NaN without any case.

    Example:
        >>> signed_rank(np.zeros(5)), signed_rank(np.array([1.0, 2, 3, 4, 5]))
        (1.0, 0.0625)
    """
    from scipy.stats import wilcoxon

    if not len(differences):
        return float("nan")
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    return float(wilcoxon(moved).pvalue)
