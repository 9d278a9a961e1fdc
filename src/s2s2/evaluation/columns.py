"""The columns of every table that evaluation makes, and what each one holds."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from s2s2.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is read.

    Args:
        label: Its name in tables and figures.
        best: The value of a perfect prediction.
        fills: Whether leaving an absent class alone counts as `best` when another
            run of the same comparison invents the class. Precision and recall are
            0 / 0 there and stay out.
    """

    label: str
    best: float
    fills: bool = True

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is better."""
        return 1 if self.best > 0 else -1


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "dice": Metric("Dice", 1.0),
        "iou": Metric("IoU", 1.0),
        "precision": Metric("Precision", 1.0, fills=False),
        "recall": Metric("Recall", 1.0, fills=False),
        "hd95": Metric("HD95", 0.0),
        "nsd": Metric("Surface Dice", 1.0),
    }
)

ALL_CLASSES = "all"
"""class_name of a row that holds the mean over the classes of each case (class_id -1)."""

RUN_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "arm": "name of the arm; only where several runs lie in one table",
        "seed": "seed of the run; only where several runs lie in one table",
    }
)

SCORE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "case": "id of the case",
        "group": "what must not be split: patient, video",
        "domain": "site, scanner or modality",
        "class_id": "class id, 1 or more",
        "class_name": "name of the class",
        "dice": "in [0, 1]; NaN for an absent class",
        "iou": "in [0, 1]; NaN for an absent class",
        "precision": "in [0, 1]; NaN where nothing is predicted",
        "recall": "in [0, 1]; NaN where the mask has nothing",
        "hd95": "in `unit`; the image's diagonal for a missed or falsely predicted class; NaN if absent",
        "nsd": "surface Dice in [0, 1] within `tolerance`; NaN for an absent class",
        "unit": "px or mm: unit of hd95 and of tolerance",
        "tolerance": "distance that the surface Dice forgives",
        "status": "scored, missed (in the mask alone), false (predicted alone) or absent (in neither)",
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


def require_metrics(metrics: Sequence[str]) -> None:
    """Refuse the name of a metric that does not exist.

    Raises:
        EvaluationError: If a metric is unknown.
    """
    unknown = [name for name in metrics if name not in METRICS]
    if unknown or not metrics:
        got = ", ".join(unknown) or "none"
        raise EvaluationError(
            f"The metrics hold {got}; known are {', '.join(METRICS)}. Choose one or more of them."
        )
