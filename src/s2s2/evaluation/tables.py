"""Score tables as CSV files that come back as they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s2s2.core.storage import atomic
from s2s2.errors import EvaluationError
from s2s2.evaluation.columns import SCORE_COLUMNS, require_columns

if TYPE_CHECKING:
    import pandas as pd

_TEXT = ("arm", "case", "group", "domain", "class_name", "unit", "status")


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV, whole or not at all; NaN is an empty cell.

    Raises:
        StorageError: If the file cannot be written.
    """
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False)


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a table of scores with its types: case 001 stays 001, a class NA stays NA.

    Args:
        path: A CSV file that `write_table` wrote.

    Returns:
        One row a case and class; see `SCORE_COLUMNS`.

    Raises:
        EvaluationError: If the file is missing, cannot be read or lacks a column.
    """
    import pandas as pd

    try:
        table = pd.read_csv(
            path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False, na_values=_empty_is_nan()
        )
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"{path} cannot be read as a table of scores ({error}). Give a CSV file that s2s2 evaluate wrote."
        ) from error
    require_columns(table, SCORE_COLUMNS)
    return table


def _empty_is_nan() -> dict[str, list[str]]:
    """Return which cells are NaN: the empty ones, outside the columns of text."""
    return {name: [""] for name in SCORE_COLUMNS if name not in _TEXT}
