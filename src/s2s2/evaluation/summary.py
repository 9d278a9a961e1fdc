"""Mean of each metric on each domain, with its confidence interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from s2s2.core.types import Floats
from s2s2.errors import EvaluationError
from s2s2.evaluation.tables import (
    ALL_CLASSES,
    RUN_COLUMNS,
    SUMMARY_COLUMNS,
    chosen_metrics,
    measured,
    require_columns,
)
from s2s2.metrics import METRICS
from s2s2.statistics import ClusterBootstrap

if TYPE_CHECKING:
    import pandas as pd

_KEYS = [*RUN_COLUMNS, "domain", "case"]


def summarise(
    scores: pd.DataFrame, *, metrics: Sequence[str] | None = None, draws: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Take the mean of each metric over the cases of each domain.

    A class that is neither in the mask nor predicted has no value: it is left out
    and counted. The row of all classes takes the mean over the classes of each
    case first. Intervals are clustered by group, and by seed where there are
    several (`ClusterBootstrap`).

    Args:
        scores: One row for each case and class, as `score` makes it; several runs lie
            below each other with the columns arm and seed.
        metrics: Names out of `METRICS`; by default all that have a value in the table, and all of its
            columns where none has.
        draws: Resamplings of the bootstrap.
        seed: Seed of the bootstrap.

    Returns:
        One row for each arm, domain, class and metric; see `SUMMARY_COLUMNS`. Domains
        and arms keep the order of `scores`.

    Raises:
        EvaluationError: If a column is missing, a metric is unknown, a row is there
            twice or there is no row.

    Example:
        >>> import pandas as pd
        >>> rows = [("a", "p1", 0.5), ("b", "p1", 0.7), ("c", "p2", 0.9)]
        >>> scores = pd.DataFrame(rows, columns=["case", "group", "dice"]).assign(
        ...     domain="home", class_id=1, class_name="polyp", status="scored")
        >>> table = summarise(scores, metrics=["dice"])
        >>> table[["domain", "class_name", "n_cases", "n_groups", "mean"]].round(2).values.tolist()
        [['home', 'polyp', 3, 2, 0.7], ['home', 'all', 3, 2, 0.7]]
    """
    import pandas as pd

    if metrics is None:
        # Where every class of every case is absent, their rows still count the cases.
        metrics = measured(scores, METRICS) or [name for name in METRICS if name in scores.columns]
    chosen_metrics(metrics)
    table = checked_scores(scores, metrics)
    rows: list[dict[str, object]] = []
    for (arm, domain), part in table.groupby(["arm", "domain"], sort=False):
        bootstrap = ClusterBootstrap(
            groups_of_cases(part), runs=part["seed"].nunique(), draws=draws, seed=seed
        )
        for (class_id, class_name), of_class in _classes(part):
            head = {"arm": arm, "domain": domain, "class_id": class_id, "class_name": class_name}
            rows += [head | _row(part, of_class, metric, bootstrap) for metric in metrics]
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def checked_scores(scores: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the scores with the columns arm and seed, each row there once.

    Raises:
        EvaluationError: If a column is missing, a row is there twice or there is no row.
    """
    wanted = ("case", "group", "domain", "class_id", "class_name", "status", *metrics)
    require_columns(scores, wanted)
    if scores.empty:
        raise EvaluationError("The table of scores has no row. Score at least one case first.")
    lone = {name: value for name, value in (("arm", ""), ("seed", 0)) if name not in scores.columns}
    # A CSV that was read without its types has numbers where the ids look like some.
    texts = {name: scores[name].astype(str) for name in ("case", "group", "domain")}
    table = scores.assign(**lone, **texts)
    twice = table.duplicated([*_KEYS, "class_id"])
    if twice.any():
        row = table[twice].iloc[0]
        raise EvaluationError(
            f"The table of scores holds case {row['case']!r} of domain {row['domain']!r}, class "
            f"{row['class_id']}, more than once for one arm and seed. Give each run its own arm and seed, "
            "and each site its own domain."
        )
    return table


def case_values(rows: pd.DataFrame, metric: str, cases: Sequence[str]) -> Floats:
    """Return one value for each run and case of one domain, the mean over its classes: (run, case).

    Runs are sorted by seed; cases keep the order of `cases`.
    """
    means = rows.groupby(["seed", "case"], sort=False)[metric].mean()
    wide = means.unstack("case").sort_index().reindex(columns=list(cases))
    return wide.to_numpy(dtype=np.float64)


def counts(values: Floats, groups: Sequence[str]) -> dict[str, int]:
    """Return numbers of cases and groups that have a value, of seeds, and of cases without any.

    Shape:
        - values: (run, case).
        - groups: (case,).
    """
    counted = np.isfinite(values).any(axis=0)
    return {
        "n_cases": int(counted.sum()),
        "n_groups": len(np.unique(np.asarray(groups)[counted])),
        "n_seeds": len(values),
        "n_absent": int((~counted).sum()),
    }


def cases_of(part: pd.DataFrame) -> list[str]:
    """Return the case ids of one domain in their order."""
    return [str(name) for name in part["case"].drop_duplicates()]


def groups_of_cases(part: pd.DataFrame) -> list[str]:
    """Return the group of each case of one domain, in the order of `cases_of`."""
    return [str(name) for name in part.drop_duplicates("case")["group"]]


def _classes(part: pd.DataFrame) -> list[tuple[tuple[int, str], pd.DataFrame]]:
    """Return each class with its rows, and all classes together as the last."""
    lone: list[tuple[tuple[int, str], pd.DataFrame]] = []
    for class_id, rows in part.groupby("class_id", sort=True):
        lone.append(((int(str(class_id)), str(rows["class_name"].iloc[0])), rows))
    return [*lone, ((-1, ALL_CLASSES), part)]


def _row(
    part: pd.DataFrame, of_class: pd.DataFrame, metric: str, bootstrap: ClusterBootstrap
) -> dict[str, object]:
    """Return counts, mean and interval of one metric of one class."""
    values = case_values(of_class, metric, cases_of(part))
    interval = bootstrap.interval(values)
    return {
        "metric": metric,
        **counts(values, groups_of_cases(part)),
        "n_missed": int((of_class["status"] == "missed").sum()),
        "n_false": int((of_class["status"] == "false").sum()),
        **asdict(interval),
    }
