"""Tables of evaluation: scores, means and comparisons, column by column."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from s2s2.core.tables import read_frame
from s2s2.errors import EvaluationError
from s2s2.metrics import METRICS, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd


TEXTS = ("arm", "case", "group", "domain", "class_name", "unit", "status", "metric", "reference")
"""Columns that hold text, whatever they look like."""

ALL_CLASSES = "all"
"""class_name of a row that holds the mean over the classes of each case (class_id -1)."""

RUN_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "arm": "name of the arm; only where several runs lie in one table",
        "seed": "seed of the run; only where several runs lie in one table",
    }
)

SUMMARY_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "arm": "name of the arm; empty where the scores have none",
        "domain": "site, scanner or modality",
        "class_id": "class id, or -1 for the mean over the classes",
        "class_name": "name of the class, or 'all' for the mean over the classes of each case",
        "metric": "name of the metric",
        "n_cases": "cases with a value in at least one run",
        "n_groups": "groups of these cases",
        "n_seeds": "runs that the mean is taken over",
        "n_absent": "cases left out, since no run has a value",
        "n_missed": "missed objects, over all runs",
        "n_false": "falsely predicted objects, over all runs",
        "mean": "mean over cases and runs",
        "low": "lower end of the 95% interval",
        "high": "upper end of the 95% interval",
    }
)

COMPARISON_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "arm": "the arm",
        "reference": "what it is compared with",
        "domain": "site, scanner or modality",
        "metric": "name of the metric",
        "class_name": "'all': the mean over the classes of each case",
        "n_cases": "pairs of cases",
        "n_groups": "groups of these cases",
        "n_seeds": "runs an arm",
        "n_absent": "cases left out, since one of the two has no value",
        "mean_arm": "mean of the arm over the pairs",
        "mean_reference": "mean of the reference over the pairs",
        "difference": "mean of arm minus reference",
        "low": "lower end of the 95% interval of the difference",
        "high": "upper end of the 95% interval of the difference",
        "better": "cases where the arm is better, mean over seeds",
        "worse": "cases where the arm is worse, mean over seeds",
        "tied": "cases without a difference",
        "p_wilcoxon": "two-sided Wilcoxon signed-rank test on the cases' means over seeds",
        "p_holm": "the same after Holm's correction over domains and metrics of this pair of arms",
    }
)


def score_columns() -> dict[str, str]:
    """Return the columns of a table of scores, and what each holds; metrics come from `METRICS`."""
    return {
        "case": "id of the case",
        "group": "what must not be split: patient, video",
        "domain": "site, scanner or modality",
        "class_id": "class id, 1 or more",
        "class_name": "name of the class",
        **{name: metric.help for name, metric in METRICS.items()},
        "unit": "px or mm: unit of distances and of tolerance",
        "tolerance": "distance that the surface Dice forgives",
        "status": "scored, missed (in the mask alone), false (predicted alone) or absent (in neither)",
    }


def require_columns(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        EvaluationError: If a column is missing.
    """
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise EvaluationError(
            f"The table of scores lacks the column(s) {', '.join(missing)}; it has "
            f"{', '.join(map(str, table.columns))}. "
            "Use a table that s2s2's score() made; scores of several runs also need the columns arm and seed."
        )


def chosen_metrics(metrics: Sequence[str]) -> list[Metric]:
    """Return the metrics of these names.

    Raises:
        EvaluationError: If a metric is unknown, or there is none.
    """
    unknown = [name for name in metrics if name not in METRICS]
    if unknown or not metrics:
        got = ", ".join(unknown) or "none"
        raise EvaluationError(
            f"The metrics hold {got}; known are {', '.join(METRICS)}. Choose one or more of them."
        )
    return [METRICS[name] for name in metrics]


def measured(scores: pd.DataFrame, metrics: Iterable[str]) -> list[str]:
    """Return the metrics that have a value in a table of scores.

    Without one are distances that were not asked for, and in tables of flat images what only volumes
    have. Means and comparisons leave them out.
    """
    return [name for name in metrics if name in scores.columns and scores[name].notna().any()]


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a table of scores with its types: case 001 stays 001, a class NA stays NA.

    Args:
        path: A CSV file of scores.

    Returns:
        One row a case and class; see `score_columns`.

    Raises:
        EvaluationError: If the file is missing, cannot be read or lacks a column.
    """
    advice = "Give a table of scores, as `s2s2 evaluate` writes it."
    table = read_frame(path, TEXTS, error=EvaluationError, advice=advice)
    require_columns(table, [name for name in score_columns() if name not in METRICS])
    return table
