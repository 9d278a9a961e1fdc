"""Paired comparison of arms on the same cases, with intervals and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from s2s2.arms import REFERENCE, pairs_of
from s2s2.core.types import Floats
from s2s2.errors import EvaluationError
from s2s2.evaluation.summary import case_values, cases_of, checked_scores, counts, groups_of_cases
from s2s2.evaluation.tables import (
    ALL_CLASSES,
    COMPARISON_COLUMNS,
    RUN_COLUMNS,
    chosen_metrics,
    measured,
    require_columns,
)
from s2s2.metrics import METRICS, Metric
from s2s2.statistics import ClusterBootstrap, holm, signed_rank

if TYPE_CHECKING:
    import pandas as pd


_CELL = ["domain", "case", "class_id"]
# Differences below are rounding of the same prediction, so they are ties.
_DECIMALS = 12


def compare(
    scores: pd.DataFrame,
    *,
    baseline: str = REFERENCE,
    metrics: Sequence[str] | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare arms case by case, with intervals and tests.

    The mean over a case's classes is compared between two runs of one seed. The interval
    comes from `ClusterBootstrap`; the test is Wilcoxon's signed-rank test on the cases'
    means over the seeds (it takes cases as independent: where groups hold several, trust
    the interval); Holm's correction runs over domains and metrics of a pair.

    A class that is in no mask has no value where no run predicts it, and the case
    is left out. Where one run of the pair invents it, the runs that rightly leave
    it alone get the best value, so that no false alarm is lost.

    Args:
        scores: Scores of all runs with the columns arm and seed.
        baseline: The arm that all others are compared with.
        metrics: Names out of `METRICS`; those without any value are left out. By default those that
            are `tested`: IoU orders cases as Dice does, so testing both only costs power.
        pairs: (arm, reference) of each comparison; by default each with the baseline and its control.
        draws: Resamplings of the bootstrap.
        seed: Seed of the bootstrap.

    Returns:
        One row for each pair, domain and metric; see `COMPARISON_COLUMNS`.

    Raises:
        EvaluationError: If a column, an arm or a metric is unknown, or cases or seeds differ.

    Example:
        >>> import pandas as pd
        >>> rows = [("baseline", "a", 0.5), ("baseline", "b", 0.7), ("s2s2", "a", 0.75), ("s2s2", "b", 0.75)]
        >>> scores = pd.DataFrame(rows, columns=["arm", "case", "dice"]).assign(
        ...     seed=0, group=["p1", "p2"] * 2, domain="away", class_id=1, class_name="polyp",
        ...     status="scored")
        >>> table = compare(scores, metrics=["dice"])
        >>> table[["arm", "reference", "difference", "better", "worse"]].round(3).values.tolist()
        [['s2s2', 'baseline', 0.15, 2, 0]]
    """
    import pandas as pd

    if metrics is None:
        metrics = [name for name, metric in METRICS.items() if metric.tested]
    chosen_metrics(metrics)
    require_columns(scores, RUN_COLUMNS)
    table = checked_scores(scores, metrics)
    used = [METRICS[name] for name in measured(table, metrics)]
    rows: list[dict[str, Any]] = []
    for arm, reference in _pairs(list(table["arm"].unique()), baseline, pairs):
        _check_same_cases(table, arm, reference)
        family = _compare_pair(table, arm, reference, used, draws, seed)
        corrected = holm([row["p_wilcoxon"] for row in family])
        rows += [row | {"p_holm": p} for row, p in zip(family, corrected, strict=True)]
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def _pairs(
    arms: Sequence[str], baseline: str, pairs: Sequence[tuple[str, str]] | None
) -> list[tuple[str, str]]:
    """Return the comparisons to make."""
    if pairs is None:
        pairs = pairs_of(arms, baseline)
    chosen = list(pairs)
    unknown = sorted({name for pair in chosen for name in pair} - set(arms))
    if unknown or not chosen:
        missing = ", ".join(unknown) or baseline
        raise EvaluationError(
            f"There is nothing to compare with {missing}: the scores hold the arm(s) {', '.join(arms)}. "
            "Score the missing arm, or name another baseline."
        )
    return chosen


def _check_same_cases(table: pd.DataFrame, arm: str, reference: str) -> None:
    """Refuse two arms that were not scored on the same cases with the same seeds."""
    keys = ["seed", *_CELL]
    ours, theirs = (
        set(table.loc[table["arm"] == name, keys].itertuples(index=False, name=None))
        for name in (arm, reference)
    )
    if ours == theirs:
        return
    lone = sorted(ours ^ theirs, key=str)
    shown = "; ".join(f"seed {seed}, {domain}, {case}" for seed, domain, case, _ in lone[:3])
    raise EvaluationError(
        f"The arms {arm!r} and {reference!r} must have the same seeds and cases, but {len(lone)} row(s) are "
        f"in one alone ({shown}). Predict and score both arms on the same data with the same seeds."
    )


def _compare_pair(
    table: pd.DataFrame, arm: str, reference: str, metrics: Sequence[Metric], draws: int, seed: int
) -> list[dict[str, Any]]:
    """Return one row a domain and metric, without Holm's correction."""
    both = _with_true_negatives(table[table["arm"].isin([arm, reference])], metrics)
    rows: list[dict[str, Any]] = []
    for domain, part in both.groupby("domain", sort=False):
        cases, groups = cases_of(part), groups_of_cases(part)
        bootstrap = ClusterBootstrap(groups, runs=part["seed"].nunique(), draws=draws, seed=seed)
        for metric in metrics:
            ours, theirs = (
                case_values(part[part["arm"] == name], metric.name, cases) for name in (arm, reference)
            )
            head = {"arm": arm, "reference": reference, "domain": domain, "metric": metric.name}
            rows.append(head | _compare_values(ours, theirs, groups, metric.sign, bootstrap))
    return rows


def _with_true_negatives(both: pd.DataFrame, metrics: Sequence[Metric]) -> pd.DataFrame:
    """Give the best value to runs that leave a class alone which another run invents."""
    invented = (both["status"] == "false").groupby([both[name] for name in _CELL]).transform("any")
    right = invented & (both["status"] == "absent")
    filled = {
        metric.name: both[metric.name].where(~right, metric.best)
        for metric in metrics
        if metric.credits_absence
    }
    return both.assign(**filled)


def _compare_values(
    ours: Floats, theirs: Floats, groups: Sequence[str], sign: int, bootstrap: ClusterBootstrap
) -> dict[str, Any]:
    """Return counts, difference, interval and p value of one metric on one domain."""
    # A run that lacks a value leaves the pair of this run out in both arms.
    paired = np.isfinite(ours) & np.isfinite(theirs)
    differences = np.where(paired, ours - theirs, np.nan)
    interval = bootstrap.interval(differences)
    of_case = np.asarray(np.nanmean(differences[:, paired.any(axis=0)], axis=0), dtype=np.float64).round(
        _DECIMALS
    )
    return {
        "class_name": ALL_CLASSES,
        **counts(differences, groups),
        "mean_arm": _mean(ours[paired]),
        "mean_reference": _mean(theirs[paired]),
        "difference": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "better": int((sign * of_case > 0).sum()),
        "worse": int((sign * of_case < 0).sum()),
        "tied": int((of_case == 0).sum()),
        "p_wilcoxon": signed_rank(of_case),
    }


def _mean(values: Floats) -> float:
    """Return the mean, NaN without values."""
    return float(values.mean()) if values.size else float("nan")
